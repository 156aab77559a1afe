use super::token::{Kind, Token};

/// The maximum length of a span's query text, in bytes: the limit of Application Insights for a dependency's
/// data.
pub const MAX_TEXT: usize = 8192;

/// Writes a query without its literals and comments.
///
/// A literal becomes `?`. Comments and runs of white space become one space, and are removed at both ends.
#[derive(Debug, Default)]
pub(super) struct Sanitiser {
    text: String,
    gap: bool,
    full: bool,
    pragma: Pragma,
}

/// The progress in a statement `PRAGMA key = passphrase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pragma {
    /// A statement may begin.
    #[default]
    Start,
    /// The name of the setting follows.
    Name,
    /// The rest of the statement is a key.
    Secret,
    /// Another statement, or another setting.
    Other,
}

impl Sanitiser {
    /// Adds a token. `is_named` is whether the token names a table.
    pub(super) fn token(&mut self, token: Token<'_>, is_named: bool) {
        let is_secret = self.pragma == Pragma::Secret;
        self.follow_pragma(token);
        match token.kind {
            Kind::Comment | Kind::Space => self.gap = true,
            Kind::Literal => self.push("?"),
            Kind::Doubtful if !is_named => self.push("?"),
            Kind::Name | Kind::Quoted if is_secret => self.push("?"),
            Kind::Doubtful | Kind::Name | Kind::Parameter | Kind::Quoted | Kind::Symbol => {
                self.push(token.text)
            }
        }
    }

    /// Whether the text has reached [`MAX_TEXT`]. Later tokens are dropped.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A passphrase may have no quotes: SQLCipher accepts `PRAGMA key = word`.
    fn follow_pragma(&mut self, token: Token<'_>) {
        let name = token.text.trim_matches(['"', '\'', '`', '[', ']']);
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        self.pragma = match (self.pragma, token.kind) {
            (pragma, Kind::Comment | Kind::Space) => pragma,
            (_, Kind::Symbol) if token.text == ";" => Pragma::Start,
            (Pragma::Start, Kind::Name) if is("PRAGMA") => Pragma::Name,
            // The name of a database may precede the setting, with a dot.
            (Pragma::Name, Kind::Symbol) if token.text == "." => Pragma::Name,
            (Pragma::Name, Kind::Symbol) => Pragma::Other,
            (Pragma::Name, _) => match KEYS.iter().any(|key| is(key)) {
                true => Pragma::Secret,
                false => Pragma::Name,
            },
            (Pragma::Secret, _) => Pragma::Secret,
            (Pragma::Start | Pragma::Other, _) => Pragma::Other,
        };
    }

    fn push(&mut self, text: &str) {
        let space = self.gap && !self.text.is_empty();
        self.full |= self.text.len() + usize::from(space) + text.len() > MAX_TEXT;
        if self.full {
            return;
        }
        if space {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.gap = false;
    }
}

/// The settings of encrypted databases that contain keys.
const KEYS: [&str; 6] = ["hexkey", "hexrekey", "key", "rekey", "textkey", "textrekey"];
