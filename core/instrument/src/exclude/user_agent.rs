use regex_lite::Regex;

use super::error::Reason;
use super::form::{self, Form};

#[derive(Debug, Clone)]
pub(super) struct UserAgentPattern(Regex);

impl UserAgentPattern {
    pub(super) fn parse(entry: &str) -> Result<Self, Reason> {
        let pattern = match Form::of(entry)? {
            Form::Exact(text) => format!("^{}$", regex_lite::escape(text)),
            Form::Glob(glob) => form::glob(glob, None),
            Form::Plain(text) => regex_lite::escape(text),
            Form::Regex(pattern) => pattern.to_owned(),
        };
        form::regex(&pattern, true).map(Self)
    }

    pub(super) fn matches(&self, user_agent: &str) -> bool {
        self.0.is_match(user_agent)
    }
}
