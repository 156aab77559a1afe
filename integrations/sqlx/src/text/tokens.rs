use super::Dialect;

/// What a token is, as far as telling data from structure needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    /// A string or a number, and a quoted identifier that never ends.
    Literal,
    /// A keyword or an identifier without quotes.
    Name,
    Parameter,
    /// An identifier in quotes, with them.
    Quoted,
    Space,
    Symbol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

/// The tokens of a text, without gaps: put together again they are the text.
///
/// Every text has tokens. What cannot be valid SQL becomes some token, and what is never closed ends at
/// the end of the text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    dialect: Dialect,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(sql: &'a str, dialect: Dialect) -> Self {
        Self { rest: sql, dialect }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let scanner = Scanner {
            bytes: self.rest.as_bytes(),
            dialect: self.dialect,
        };
        let (kind, end) = scanner.token(*scanner.bytes.first()?);
        // Tokens end before or after an ASCII byte, thus between characters.
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(Token { kind, text })
    }
}

/// Finds the end of the token at the start of `bytes`.
struct Scanner<'a> {
    bytes: &'a [u8],
    dialect: Dialect,
}

impl Scanner<'_> {
    fn token(&self, first: u8) -> (Kind, usize) {
        match (first, self.at(1)) {
            (b' ' | b'\t' | b'\r' | b'\n' | b'\x0B' | b'\x0C', _) => {
                (Kind::Space, self.run(1, is_space))
            }
            (b'-', Some(b'-')) if self.dashes_are_a_comment() => self.line_comment(),
            (b'#', _) if self.dialect == Dialect::MySql => self.line_comment(),
            (b'/', Some(b'*')) => (Kind::Comment, self.block_comment()),
            (b'$', _) if self.dialect == Dialect::Postgres => self.dollar(),
            (b'?', _) if self.dialect.numbers_question_marks() => {
                (Kind::Parameter, self.run(1, |byte| byte.is_ascii_digit()))
            }
            (b'?', _) if self.dialect != Dialect::Postgres => (Kind::Parameter, 1),
            (b':', Some(b':')) => (Kind::Symbol, 2),
            (b'@', Some(b'@')) if self.dialect == Dialect::MySql => {
                (Kind::Parameter, self.run(2, is_name))
            }
            (marker, Some(next)) if self.dialect.names_parameters_by(marker) && is_name(next) => {
                (Kind::Parameter, self.run(1, is_name))
            }
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => (Kind::Literal, self.number()),
            (quote, _) if self.dialect.opens_string(quote) => {
                let end = self.string(1, quote, self.dialect.escapes_by_backslash());
                (Kind::Literal, end)
            }
            (byte, _) if is_name(byte) => self.name(),
            (byte, _) => match self.dialect.closes_identifier(byte) {
                Some(close) => self.identifier(0, close),
                None => (Kind::Symbol, 1),
            },
        }
    }

    /// Reads a keyword or an identifier, and the string to which a prefix such as `E`, `N` or `U&` belongs.
    fn name(&self) -> (Kind, usize) {
        let (Some(first), second, third) = (self.at(0), self.at(1), self.at(2)) else {
            return (Kind::Name, 1);
        };
        match (first.to_ascii_lowercase(), second, third) {
            (b'e', Some(b'\''), _) if self.dialect == Dialect::Postgres => {
                (Kind::Literal, self.string(2, b'\'', true))
            }
            (b'b' | b'e' | b'n' | b'x', Some(b'\''), _) => {
                let end = self.string(2, b'\'', self.dialect.escapes_by_backslash());
                (Kind::Literal, end)
            }
            (b'u', Some(b'&'), Some(b'\'')) => (Kind::Literal, self.string(3, b'\'', false)),
            (b'u', Some(b'&'), Some(b'"')) if self.dialect == Dialect::Postgres => {
                self.identifier(2, b'"')
            }
            _ => (Kind::Name, self.run(1, is_name)),
        }
    }

    /// The end of a string whose first byte after the quote is at `from`: a doubled quote does not close it.
    fn string(&self, from: usize, quote: u8, backslash: bool) -> usize {
        self.closing(from, quote, backslash)
            .unwrap_or(self.bytes.len())
    }

    /// Reads an identifier whose opening quote is at `open`.
    ///
    /// One that is never closed would keep the strings that it swallows, so it counts as a literal.
    fn identifier(&self, open: usize, close: u8) -> (Kind, usize) {
        match self.closing(open + 1, close, false) {
            Some(end) => (Kind::Quoted, end),
            None => (Kind::Literal, self.bytes.len()),
        }
    }

    fn closing(&self, from: usize, quote: u8, backslash: bool) -> Option<usize> {
        let mut position = from;
        loop {
            let byte = self.at(position)?;
            position += 1;
            if byte == b'\\' && backslash {
                position += 1;
            } else if byte == quote {
                if self.at(position) != Some(quote) {
                    return Some(position);
                }
                position += 1;
            }
        }
    }

    /// Digits with all that may be attached to them: `0xFF`, `1_000`, `1.5e-3`, `10n`.
    fn number(&self) -> usize {
        let mut end = 1;
        while let Some(byte) = self.at(end) {
            let signed_exponent = matches!(byte, b'+' | b'-')
                && matches!(self.at(end - 1), Some(b'e' | b'E'))
                && self
                    .bytes
                    .get(1)
                    .is_none_or(|second| !matches!(second, b'x' | b'X'))
                && self.at(end + 1).is_some_and(|digit| digit.is_ascii_digit());
            if byte != b'.' && !is_name(byte) && !signed_exponent {
                break;
            }
            end += 1;
        }
        end
    }

    /// Reads `$1`, or `$tag$text$tag$`.
    fn dollar(&self) -> (Kind, usize) {
        if self.at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            return (Kind::Parameter, self.run(1, |byte| byte.is_ascii_digit()));
        }
        let tag = self.run(1, |byte| is_name(byte) && byte != b'$');
        if self.at(tag) != Some(b'$') {
            return (Kind::Symbol, 1);
        }
        let (delimiter, text) = self.bytes.split_at(tag + 1);
        let end = text
            .windows(delimiter.len())
            .position(|window| window == delimiter)
            .map_or(self.bytes.len(), |start| start + 2 * delimiter.len());
        (Kind::Literal, end)
    }

    /// MySQL takes `--` for a comment only before a space or a control character.
    fn dashes_are_a_comment(&self) -> bool {
        self.dialect != Dialect::MySql || self.at(2).is_some_and(|byte| byte <= b' ')
    }

    fn line_comment(&self) -> (Kind, usize) {
        (Kind::Comment, self.run(1, |byte| byte != b'\n'))
    }

    fn block_comment(&self) -> usize {
        let (mut end, mut depth) = (2, 1_usize);
        while depth > 0 {
            match (self.at(end), self.at(end + 1)) {
                (None, _) => return self.bytes.len(),
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    end += 2;
                }
                (Some(b'/'), Some(b'*')) if self.dialect.nests_comments() => {
                    depth += 1;
                    end += 2;
                }
                _ => end += 1,
            }
        }
        end
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
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
