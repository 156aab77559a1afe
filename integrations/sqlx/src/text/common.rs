use super::words::Verb;

/// The operation and the properties that all statements of a text share.
#[derive(Debug, Default)]
pub(super) struct Statements {
    operation: Only,
    others: bool,
}

impl Statements {
    pub(super) fn add(&mut self, operation: &str, verb: Verb) {
        self.operation.add(operation);
        self.others |= !verb.changes_rows();
    }

    /// The operation, if all statements have the same one.
    pub(super) fn operation(self) -> Option<String> {
        self.operation.get()
    }

    /// Whether the text has statements, and all of them change rows.
    pub(super) fn change_rows(&self) -> bool {
        !self.others && !matches!(self.operation, Only::None)
    }
}

/// A name, if it is the only one in the text.
#[derive(Debug, Default)]
pub(super) enum Only {
    #[default]
    None,
    One(String),
    Several,
}

impl Only {
    pub(super) fn add(&mut self, name: &str) {
        match self {
            Self::None => *self = Self::One(name.to_owned()),
            Self::One(known) if known == name => {}
            Self::One(_) => *self = Self::Several,
            Self::Several => {}
        }
    }

    pub(super) fn get(self) -> Option<String> {
        match self {
            Self::One(name) => Some(name),
            Self::None | Self::Several => None,
        }
    }
}
