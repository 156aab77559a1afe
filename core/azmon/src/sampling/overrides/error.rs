use std::fmt;

/// An invalid regular expression of a [`SamplingOverride`](crate::sampling::SamplingOverride).
#[derive(Debug, Clone)]
pub struct SamplingOverrideError {
    pattern: String,
    source: regex_lite::Error,
}

impl SamplingOverrideError {
    pub(super) fn new(pattern: &str, source: regex_lite::Error) -> Self {
        Self {
            pattern: pattern.to_owned(),
            source,
        }
    }

    /// The pattern, as it was given.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

impl fmt::Display for SamplingOverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sampling override {:?}: it is not a regular expression",
            self.pattern
        )
    }
}

impl std::error::Error for SamplingOverrideError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
