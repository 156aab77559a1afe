use regex_lite::Regex;

use super::error::Reason;
use super::form::{self, Form};

#[derive(Debug, Clone)]
pub(super) enum PathPattern {
    Exact(Box<str>),
    /// A glob is one too, of the path without its leading slashes.
    Glob(Regex),
    Prefix(Box<str>),
    Regex(Regex),
}

impl PathPattern {
    pub(super) fn parse(entry: &str) -> Result<Self, Reason> {
        Ok(match Form::of(entry)? {
            Form::Exact(path) | Form::Plain(path) if path.contains('?') => {
                return Err(Reason::Query);
            }
            Form::Plain(path) if path.contains('*') => return Err(Reason::Wildcard),
            Form::Exact(path) => Self::Exact(relative(path).into()),
            Form::Glob(glob) => {
                Self::Glob(form::regex(&form::glob(relative(glob), Some('/')), false)?)
            }
            Form::Plain(path) => Self::Prefix(relative(path).trim_end_matches('/').into()),
            Form::Regex(pattern) => Self::Regex(form::regex(pattern, false)?),
        })
    }

    /// `path` begins with a slash, if it has anything, and has no query.
    pub(super) fn matches(&self, path: &str) -> bool {
        let relative = relative(path);
        match self {
            Self::Exact(exact) => **exact == *relative,
            Self::Glob(regex) => regex.is_match(relative),
            Self::Prefix(prefix) if prefix.is_empty() => relative.is_empty(),
            Self::Prefix(prefix) => relative
                .strip_prefix(&**prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}
