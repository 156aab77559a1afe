use super::tokens::{Kind, Token};

/// The longest query text on a span, in bytes: what Application Insights keeps of a dependency's data.
pub const MAX_TEXT: usize = 8192;

/// Writes a query without its literals and comments.
///
/// A literal becomes `?`; comments and runs of white space become one space, and none at either end.
#[derive(Debug, Default)]
pub(super) struct Sanitiser {
    text: String,
    gap: bool,
    full: bool,
}

impl Sanitiser {
    pub(super) fn token(&mut self, token: Token<'_>) {
        match token.kind {
            Kind::Comment | Kind::Space => self.gap = true,
            Kind::Literal => self.push("?"),
            Kind::Name | Kind::Parameter | Kind::Quoted | Kind::Symbol => self.push(token.text),
        }
    }

    /// Whether the text has reached [`MAX_TEXT`], so that later tokens are left out.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn finish(self) -> String {
        self.text
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
