use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Severity of a trace or an exception. A number on the wire; the words are read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeverityLevel {
    /// Details for debugging.
    Verbose = 0,
    /// Normal operation.
    Information = 1,
    /// A condition that may lead to an error.
    Warning = 2,
    /// A failed operation.
    Error = 3,
    /// A failure that ends the program or needs immediate attention.
    Critical = 4,
}

impl SeverityLevel {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Verbose, "Verbose"),
        (Self::Information, "Information"),
        (Self::Warning, "Warning"),
        (Self::Error, "Error"),
        (Self::Critical, "Critical"),
    ];

    fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index))
            .map(|(level, _)| *level)
    }

    fn from_word(word: &str) -> Option<Self> {
        let (level, _) = Self::ALL
            .into_iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(word))?;
        Some(level)
    }
}

impl Serialize for SeverityLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> Deserialize<'de> for SeverityLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let level = match &value {
            Value::Number(number) => number.as_i64().and_then(Self::from_number),
            Value::String(text) => {
                Self::from_word(text).or_else(|| text.parse().ok().and_then(Self::from_number))
            }
            _ => None,
        };
        level
            .ok_or_else(|| serde::de::Error::custom(format_args!("unknown severity level {value}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_read() {
        for json in ["2", "\"Warning\"", "\"warning\"", "\"2\""] {
            assert_eq!(
                serde_json::from_str::<SeverityLevel>(json).unwrap(),
                SeverityLevel::Warning
            );
        }
    }

    #[test]
    fn an_unknown_level_is_named() {
        for json in ["5", "-1", "\"loud\"", "true"] {
            let error = serde_json::from_str::<SeverityLevel>(json)
                .unwrap_err()
                .to_string();
            assert!(error.contains(json), "{error}");
        }
    }
}
