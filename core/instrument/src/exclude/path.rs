use super::error::Reason;
use super::form::{Form, Regex};
use super::glob::Glob;

#[derive(Debug, Clone)]
pub(super) enum PathPattern {
    Exact(Box<str>),
    /// A glob for the path without its leading slashes.
    Glob(Glob),
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
            Form::Glob(glob) => Self::Glob(Glob::parse(relative(glob), Some('/'), false)?),
            Form::Plain(path) => Self::Prefix(relative(path).trim_end_matches('/').into()),
            Form::Regex(pattern) => Self::Regex(Regex::parse(pattern, false)?),
        })
    }

    /// `path` is empty or begins with a slash, and has no query.
    pub(super) fn matches(&self, path: &str) -> bool {
        let relative = relative(path);
        match self {
            Self::Exact(exact) => **exact == *relative,
            Self::Glob(glob) => glob.matches(relative),
            Self::Prefix(prefix) if prefix.is_empty() => relative.is_empty(),
            Self::Prefix(prefix) => relative
                .strip_prefix(&**prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Regex(regex) => regex.matches(path),
        }
    }
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}
