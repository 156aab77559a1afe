use super::error::Reason;
use super::form::{Form, Regex};
use super::glob::Glob;

/// Maximum length of the compared user agent, in bytes; the rest is ignored.
const MAX_TEXT: usize = 1_024;

/// A pattern of user agents, ASCII case-insensitive.
#[derive(Debug, Clone)]
pub(super) enum UserAgentPattern {
    Contains(Box<str>),
    Exact(Box<str>),
    Glob(Glob),
    Regex(Regex),
}

impl UserAgentPattern {
    pub(super) fn parse(entry: &str) -> Result<Self, Reason> {
        Ok(match Form::of(entry)? {
            Form::Exact(text) => Self::Exact(text.into()),
            Form::Glob(glob) => Self::Glob(Glob::parse(glob, None, true)?),
            Form::Plain(text) => Self::Contains(text.into()),
            Form::Regex(pattern) => Self::Regex(Regex::parse(pattern, true)?),
        })
    }

    pub(super) fn matches(&self, user_agent: &str) -> bool {
        match self {
            Self::Contains(text) => contains(user_agent.as_bytes(), text.as_bytes()),
            Self::Exact(text) => text.eq_ignore_ascii_case(user_agent),
            Self::Glob(glob) => user_agent.len() <= MAX_TEXT && glob.matches(user_agent),
            Self::Regex(regex) => regex.matches(user_agent),
        }
    }
}

/// `part` must not be empty.
fn contains(text: &[u8], part: &[u8]) -> bool {
    let text = text.get(..MAX_TEXT).unwrap_or(text);
    let Some((first, rest)) = part.split_first() else {
        return false;
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    text.iter().enumerate().any(|(place, byte)| {
        (*byte == lower || *byte == upper)
            && text
                .get(place + 1..)
                .and_then(|after| after.get(..rest.len()))
                .is_some_and(|after| after.eq_ignore_ascii_case(rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(entry: &str, user_agent: &str) -> bool {
        UserAgentPattern::parse(entry).unwrap().matches(user_agent)
    }

    #[test]
    fn a_plain_text_is_found_anywhere_in_any_case() {
        for (user_agent, expected) in [
            ("kube-probe/1.30", true),
            ("my KUBE-PROBE", true),
            ("kube kube-prob", false),
            ("kkube-probe", true),
            ("", false),
        ] {
            assert_eq!(matches("kube-probe", user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn a_caller_cannot_make_the_search_long() {
        let long = format!("{}kube-probe", "k".repeat(300_000));
        assert!(!matches("kube-probe", &long));
        assert!(!matches("regex:probe$", &long));
        assert!(!matches("glob:*probe", &long));
        assert!(matches("regex:^kk", &long));
    }
}
