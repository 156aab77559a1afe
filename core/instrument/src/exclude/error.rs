use std::fmt;

/// An invalid entry of an exclusion list.
#[derive(Debug, Clone)]
pub struct ExclusionError {
    entry: String,
    reason: Reason,
}

#[derive(Debug, Clone)]
pub(super) enum Reason {
    Empty,
    Long,
    Method,
    Port,
    Query,
    Regex(regex_lite::Error),
    Url,
    Wildcard,
}

impl ExclusionError {
    pub(super) fn new(entry: &str, reason: Reason) -> Self {
        Self {
            entry: entry.to_owned(),
            reason,
        }
    }

    /// The entry, as it was given.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

impl fmt::Display for ExclusionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exclusion {:?}: {}", self.entry, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Long => f.write_str("it is too long"),
            Self::Method => f.write_str("it is not a method"),
            Self::Port => f.write_str(
                "what follows the host is not a port, a number up to 65535; an IPv6 address with a port is in brackets",
            ),
            Self::Query => f.write_str("a path has no query"),
            Self::Regex(_) => f.write_str("it is not a regular expression"),
            Self::Url => f.write_str("a host has no scheme and no path"),
            Self::Wildcard => f.write_str("a wildcard here needs the form glob:"),
        }
    }
}

impl std::error::Error for ExclusionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::Regex(error) => Some(error),
            _ => None,
        }
    }
}
