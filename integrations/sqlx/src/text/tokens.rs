use super::Dialect;
use super::reading::{self, Reading};
use super::scanner::{Scanner, is_name};
use super::token::{Kind, Token};

/// The tokens of a text, without gaps: their concatenation is the text.
///
/// Every text has tokens. Invalid SQL becomes some token, and an unclosed token ends with the text. Where the
/// [readings](Dialect::readings) of a dialect diverge, the text up to the point where they meet again is one
/// token. That token is a literal unless every reading finds only plain tokens there.
///
/// The time is linear in the length of the text, of which the first [`MAX_READ`] bytes count. The rest is a
/// literal.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The part of the text that is not read.
    hidden: &'a str,
    readings: &'static [Reading],
    follows_dot: bool,
}

/// The maximum number of bytes that are read; the recorded text is far shorter.
pub(super) const MAX_READ: usize = 64 * 1024;

impl<'a> Tokens<'a> {
    pub(super) fn new(sql: &'a str, dialect: Dialect) -> Self {
        let (read, _) = sql.split_at(sql.floor_char_boundary(MAX_READ));
        // Servers differ in whether a text continues after a NUL.
        let end = memchr::memchr(0, read.as_bytes()).unwrap_or(read.len());
        let (rest, hidden) = sql.split_at_checked(end).unwrap_or((sql, ""));
        Self {
            rest,
            hidden,
            readings: dialect.readings(),
            follows_dot: false,
        }
    }

    /// The kind and the end of the next token, merged over all readings.
    fn merged(&self) -> (Kind, usize) {
        let mut heads = [(Kind::Symbol, 0); reading::MOST];
        let heads = heads.get_mut(..self.readings.len()).unwrap_or_default();
        let mut race = Race {
            bytes: self.rest.as_bytes(),
            readings: self.readings,
            heads,
        };
        race.go_on_to(1);
        race.finish()
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.rest.is_empty() {
            let text = std::mem::take(&mut self.hidden);
            let kind = Kind::Literal;
            return (!text.is_empty()).then_some(Token { kind, text });
        }
        let (mut kind, end) = self.merged();
        // Tokens begin and end next to ASCII bytes, so never inside a character.
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        if kind == Kind::Doubtful && (self.follows_dot || starts_member(rest)) {
            // A string has no members, so this is an identifier.
            kind = Kind::Quoted;
        }
        if rest.is_empty() && !self.hidden.is_empty() {
            // The unread part may continue the token.
            kind = Kind::Literal;
        }
        self.rest = rest;
        self.follows_dot = text == ".";
        Some(Token { kind, text })
    }
}

/// Whether `rest` starts with a dot and a name.
fn starts_member(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    bytes.next() == Some(b'.')
        && bytes.next().is_some_and(|byte| {
            matches!(byte, b'"' | b'`' | b'*' | b'[') || is_name(byte) && !byte.is_ascii_digit()
        })
}

/// The readings of a text, each with the kind and the end of its last token.
struct Race<'a, 'h> {
    bytes: &'a [u8],
    readings: &'static [Reading],
    heads: &'h mut [(Kind, usize)],
}

impl Race<'_, '_> {
    /// Advances every reading that ends before `goal` by one token. Returns whether all these tokens are plain,
    /// if any.
    fn go_on_to(&mut self, goal: usize) -> Option<bool> {
        let mut plain = None;
        for ((kind, end), reading) in self.heads.iter_mut().zip(self.readings) {
            let rest = self.bytes.get(*end..).unwrap_or_default();
            if let Some(first) = rest.first().filter(|_| *end < goal) {
                let (next, length) = Scanner::new(rest, *reading).token(*first);
                (*kind, *end) = (next, (*end + length).min(self.bytes.len()));
                plain = Some(plain.unwrap_or(true) && next.is_plain());
            }
        }
        plain
    }

    fn furthest(&self) -> usize {
        self.heads
            .iter()
            .map(|(_, end)| *end)
            .max()
            .unwrap_or_default()
    }

    /// Advances from the first tokens to the point where all readings meet.
    fn finish(mut self) -> (Kind, usize) {
        let hides_most = |heads: &[(Kind, usize)]| heads.iter().map(|(kind, _)| *kind).max();
        let longest = self.heads.iter().copied().max_by_key(|(_, end)| *end);
        let are_comments = self.heads.iter().all(|(kind, _)| *kind == Kind::Comment);
        let mut is_plain = self.heads.iter().all(|(kind, _)| kind.is_plain());
        let first = self.furthest();
        if self.heads.iter().all(|(_, end)| *end == first) {
            return (hides_most(self.heads).unwrap_or(Kind::Literal), first);
        }
        while let Some(plain) = self.go_on_to(self.furthest()) {
            is_plain &= plain;
        }
        let end = self.furthest();
        let kind = match longest {
            Some((kind, whole)) if is_plain && whole == end => kind,
            _ if is_plain => Kind::Symbol,
            _ if are_comments => Kind::Comment,
            _ => Kind::Literal,
        };
        (kind, end)
    }
}
