use super::reading::{Reading, Syntax};
use super::token::Kind;

/// Finds the end of the first token of a text, in one reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    reading: Reading,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], reading: Reading) -> Self {
        Self { bytes, reading }
    }

    /// The token that starts with the byte `first`, and its length.
    pub(super) fn token(&self, first: u8) -> (Kind, usize) {
        let syntax = self.reading.syntax;
        match (first, self.at(1)) {
            (b' ' | b'\t' | b'\r' | b'\n' | b'\x0B' | b'\x0C', _) => {
                (Kind::Space, self.run(1, is_space))
            }
            (b'-', Some(b'-')) if self.dashes_are_a_comment() => self.line_comment(),
            (b'#', _) if syntax == Syntax::MySql => self.line_comment(),
            (b'/', Some(b'*')) => self.block_comment(),
            (b'$', _) if syntax == Syntax::Postgres => self.dollar(),
            (b'?', _) => match syntax {
                Syntax::MySql => (Kind::Parameter, 1),
                Syntax::Postgres => (Kind::Symbol, 1),
                Syntax::Sqlite => (Kind::Parameter, self.run(1, |byte| byte.is_ascii_digit())),
            },
            (b':', Some(b':')) => (Kind::Symbol, 2),
            (b'@', Some(b'@')) if syntax == Syntax::MySql => {
                (Kind::Parameter, self.run(2, is_name))
            }
            (b'@', Some(next)) if syntax == Syntax::MySql && is_name(next) => {
                (Kind::Parameter, self.run(1, is_name))
            }
            (b'$' | b'@' | b':' | b'#', Some(next))
                if syntax == Syntax::Sqlite && is_name(next) =>
            {
                (Kind::Parameter, self.variable())
            }
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => self.number(),
            (b'\'', _) => (Kind::Literal, self.string(1, self.reading.escapes_single)),
            (b'"', _) => self.in_double_quotes(),
            (b'`', _) if syntax != Syntax::Postgres => self.identifier(0, b'`'),
            (b'[', _) if syntax == Syntax::Sqlite => self.bracketed(),
            (byte, _) if is_name(byte) => self.name(),
            _ => (Kind::Symbol, 1),
        }
    }

    /// Scans a keyword or an identifier, including a string with a prefix such as `E`, `N` or `U&`.
    fn name(&self) -> (Kind, usize) {
        let (Some(first), second, third) = (self.at(0), self.at(1), self.at(2)) else {
            return (Kind::Name, 1);
        };
        let is_postgres = self.reading.syntax == Syntax::Postgres;
        match (first.to_ascii_lowercase(), second, third) {
            (b'e', Some(b'\''), _) if is_postgres => (Kind::Literal, self.string(2, true)),
            (b'b' | b'x', Some(b'\''), _) if is_postgres => (Kind::Literal, self.string(2, false)),
            (b'b' | b'e' | b'n' | b'x', Some(b'\''), _) => {
                (Kind::Literal, self.string(2, self.reading.escapes_single))
            }
            (b'u', Some(b'&'), Some(b'\'')) if is_postgres => {
                (Kind::Literal, self.string(3, false))
            }
            (b'u', Some(b'&'), Some(b'"')) if is_postgres => self.identifier(2, b'"'),
            _ => (Kind::Name, self.run(1, is_name)),
        }
    }

    /// The end of a string and of the strings that continue it. `from` is the first byte after the opening quote.
    fn string(&self, from: usize, escapes: bool) -> usize {
        let mut end = self.closed(from, escapes);
        while let Some(next) = self.continuation(end) {
            end = self.closed(next, escapes);
        }
        end
    }

    fn closed(&self, from: usize, escapes: bool) -> usize {
        self.closing(from, b'\'', escapes)
            .unwrap_or(self.bytes.len())
    }

    /// The start of the next part of a string that closed before `end`: after the next quote, if only white space
    /// with a line break, and line comments, lie between.
    fn continuation(&self, end: usize) -> Option<usize> {
        if self.reading.syntax != Syntax::Postgres {
            return None;
        }
        let (mut position, mut breaks_line) = (end, false);
        loop {
            match (self.at(position)?, self.at(position + 1)) {
                (b'\n' | b'\r', _) => breaks_line = true,
                (byte, _) if is_space(byte) => {}
                (b'-', Some(b'-')) => {
                    position = self.end_of_line(position);
                    continue;
                }
                (b'\'', _) if breaks_line => return Some(position + 1),
                _ => return None,
            }
            position += 1;
        }
    }

    fn in_double_quotes(&self) -> (Kind, usize) {
        if self.reading.syntax == Syntax::Postgres {
            return self.identifier(0, b'"');
        }
        match self.closing(1, b'"', self.reading.escapes_double) {
            Some(end) => (Kind::Doubtful, end),
            None => (Kind::Literal, self.bytes.len()),
        }
    }

    /// Scans an identifier whose opening quote is at `open`.
    ///
    /// An identifier that is never closed would expose the strings inside it, so it counts as a literal.
    fn identifier(&self, open: usize, close: u8) -> (Kind, usize) {
        match self.closing(open + 1, close, false) {
            Some(end) => (Kind::Quoted, end),
            None => (Kind::Literal, self.bytes.len()),
        }
    }

    /// Scans an identifier in brackets, which ends at the first closing bracket.
    fn bracketed(&self) -> (Kind, usize) {
        match self.bytes.iter().position(|byte| *byte == b']') {
            Some(last) => (Kind::Quoted, last + 1),
            None => (Kind::Literal, self.bytes.len()),
        }
    }

    /// The position after the closing quote. A doubled quote does not close.
    fn closing(&self, from: usize, quote: u8, escapes: bool) -> Option<usize> {
        let mut position = from;
        loop {
            let byte = self.at(position)?;
            position += 1;
            if byte == b'\\' && escapes {
                position += 1;
            } else if byte == quote {
                if self.at(position) != Some(quote) {
                    return Some(position);
                }
                position += 1;
            }
        }
    }

    /// Digits and everything attached to them: `0xFF`, `1_000`, `1.5e-3`, `10n`.
    fn number(&self) -> (Kind, usize) {
        if let Some(end) = self.name_that_starts_with_digits() {
            return (Kind::Name, end);
        }
        let is_hexadecimal = matches!(self.at(1), Some(b'x' | b'X'));
        let mut end = 1;
        while let Some(byte) = self.at(end) {
            let signed_exponent = matches!(byte, b'+' | b'-')
                && matches!(self.at(end - 1), Some(b'e' | b'E'))
                && !is_hexadecimal
                && self.at(end + 1).is_some_and(|digit| digit.is_ascii_digit());
            // In PostgreSQL a dollar sign here may open a string.
            let belongs =
                is_name(byte) && (byte != b'$' || self.reading.syntax != Syntax::Postgres);
            if byte != b'.' && !belongs && !signed_exponent {
                break;
            }
            end += 1;
        }
        (Kind::Literal, end)
    }

    /// The end of a name such as `2020_sales`, which MySQL accepts where no number is possible.
    fn name_that_starts_with_digits(&self) -> Option<usize> {
        let digits = self.run(0, |byte| byte.is_ascii_digit());
        let next = self.at(digits)?.to_ascii_lowercase();
        let is_number = digits == 0
            || next == b'e'
            || digits == 1 && self.at(0) == Some(b'0') && matches!(next, b'b' | b'x');
        let is_one = self.reading.syntax == Syntax::MySql && is_name(next) && !is_number;
        is_one.then(|| self.run(digits, is_name))
    }

    /// The end of a SQLite variable, with its optional suffix in parentheses, without white space.
    fn variable(&self) -> usize {
        let end = self.run(1, is_name);
        if !self.reading.has_tcl_variables || self.at(end) != Some(b'(') {
            return end;
        }
        let close = self.run(end, |byte| byte != b')' && !is_space(byte));
        match self.at(close) {
            Some(b')') => close + 1,
            _ => close,
        }
    }

    /// Scans `$1` or `$tag$text$tag$`.
    fn dollar(&self) -> (Kind, usize) {
        if self.at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            return (Kind::Parameter, self.run(1, |byte| byte.is_ascii_digit()));
        }
        let tag = self.run(1, |byte| is_name(byte) && byte != b'$');
        if self.at(tag) != Some(b'$') {
            return (Kind::Symbol, 1);
        }
        let (delimiter, text) = self.bytes.split_at(tag + 1);
        let end = memchr::memmem::find(text, delimiter)
            .map_or(self.bytes.len(), |start| start + 2 * delimiter.len());
        (Kind::Literal, end)
    }

    /// MySQL starts a comment at `--` only before a space or a control character.
    fn dashes_are_a_comment(&self) -> bool {
        self.reading.syntax != Syntax::MySql
            || self
                .at(2)
                .is_some_and(|byte| byte == b' ' || byte.is_ascii_control())
    }

    fn line_comment(&self) -> (Kind, usize) {
        (Kind::Comment, self.end_of_line(1))
    }

    /// In PostgreSQL a carriage return also ends a line.
    fn end_of_line(&self, from: usize) -> usize {
        let by_return = self.reading.syntax == Syntax::Postgres;
        self.run(from, |byte| byte != b'\n' && !(byte == b'\r' && by_return))
    }

    fn block_comment(&self) -> (Kind, usize) {
        match (self.reading.syntax, self.at(2), self.at(3)) {
            (Syntax::MySql, Some(b'!' | b'+'), _) | (Syntax::MySql, Some(b'M'), Some(b'!')) => {
                self.executed_comment()
            }
            (syntax, ..) => (Kind::Comment, self.end_of_block(syntax == Syntax::Postgres)),
        }
    }

    fn end_of_block(&self, nests: bool) -> usize {
        let (mut end, mut depth) = (2, 1_usize);
        while depth > 0 {
            match (self.at(end), self.at(end + 1)) {
                (None, _) => return self.bytes.len(),
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    end += 2;
                }
                (Some(b'/'), Some(b'*')) if nests => {
                    depth += 1;
                    end += 2;
                }
                _ => end += 1,
            }
        }
        end
    }

    /// Scans a comment that MySQL or MariaDB executes, depending on the version.
    ///
    /// If a string or another comment may begin inside it, its end is uncertain, and the rest of the text is a
    /// literal.
    fn executed_comment(&self) -> (Kind, usize) {
        let end = self.end_of_block(false);
        let content = self.bytes.get(3..end.saturating_sub(2)).unwrap_or_default();
        let opens = |pair: &[u8]| matches!(pair, b"/*" | b"--");
        let is_simple = !content
            .iter()
            .any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'#'))
            && !content.windows(2).any(opens);
        match is_simple {
            true => (Kind::Comment, end),
            false => (Kind::Literal, self.bytes.len()),
        }
    }

    fn run(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let end = from.min(self.bytes.len());
        let rest = self.bytes.get(end..).unwrap_or_default();
        let length = rest.iter().position(|byte| !belongs(*byte));
        end + length.unwrap_or(rest.len())
    }

    fn at(&self, position: usize) -> Option<u8> {
        self.bytes.get(position).copied()
    }
}

/// Letters, digits, `_`, `$`, and every byte of a character beyond ASCII.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
