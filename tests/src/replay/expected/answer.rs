use crate::replay::input::Attributes;

/// The expected text of a field, with the attributes that it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// `None` means that the field is absent.
    pub text: Option<String>,
    /// The names of the attributes.
    pub from: Vec<&'static str>,
}

impl Answer {
    /// An absent field.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A text that comes from no attribute.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            from: Vec::new(),
        }
    }

    /// The first of some attributes that has a usable value.
    #[must_use]
    pub fn first(attributes: &Attributes, keys: &[&'static str]) -> Self {
        keys.iter()
            .find_map(|key| Some(Self::of(attributes.text(key)?).and_from(&[key])))
            .unwrap_or_default()
    }

    /// The same text, with further attributes.
    #[must_use]
    pub fn and_from(mut self, keys: &[&'static str]) -> Self {
        self.from.extend(keys);
        self
    }

    /// This answer, or another one if it is absent.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.text.is_some() { self } else { other() }
    }

    /// The same attributes, with another text.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.text = self.text.map(change);
        self
    }

    /// Both texts with a separator; absent if one of them is.
    #[must_use]
    pub fn join(self, between: &str, other: Self) -> Self {
        match (self.text, other.text) {
            (Some(left), Some(right)) => Self {
                text: Some(format!("{left}{between}{right}")),
                from: [self.from, other.from].concat(),
            },
            _ => Self::none(),
        }
    }
}
