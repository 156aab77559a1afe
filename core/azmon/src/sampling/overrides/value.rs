use opentelemetry::Value;
use regex_lite::Regex;

use super::error::SamplingOverrideError;

/// The required value of an attribute.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    Anything,
    Exactly(String),
    Matching(Regex),
}

impl Expected {
    /// Makes a pattern that must match the whole value, as in the Java agent.
    pub(super) fn matching(pattern: &str) -> Result<Self, SamplingOverrideError> {
        Regex::new(&format!("^(?:{pattern})$"))
            .map(Self::Matching)
            .map_err(|error| SamplingOverrideError::new(pattern, error))
    }

    pub(super) fn is_met_by(&self, value: &Value) -> bool {
        match self {
            Self::Anything => true,
            Self::Exactly(text) => value.as_str() == text.as_str(),
            Self::Matching(regex) => regex.is_match(&value.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_describes_the_whole_value() {
        let expected = Expected::matching("/health|/ready").unwrap();
        for (value, met) in [
            ("/health", true),
            ("/ready", true),
            ("/healthcare", false),
            ("/x/ready", false),
        ] {
            assert_eq!(expected.is_met_by(&value.into()), met, "{value}");
        }
    }

    #[test]
    fn values_that_are_no_text_are_compared_as_text() {
        let value = Value::I64(404);
        assert!(Expected::Exactly("404".to_owned()).is_met_by(&value));
        assert!(Expected::matching("4..").unwrap().is_met_by(&value));
        assert!(!Expected::Exactly("40".to_owned()).is_met_by(&value));
        assert!(Expected::Anything.is_met_by(&Value::Bool(false)));
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        let error = Expected::matching("(").unwrap_err();
        assert_eq!(error.pattern(), "(");
        assert!(error.to_string().contains("\"(\""), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}
