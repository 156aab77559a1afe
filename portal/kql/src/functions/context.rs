//! The state that functions share during one query: the time, regular expressions, produced sizes.

use std::sync::Arc;

use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};

/// The maximum size of a compiled regular expression, in bytes.
const MAX_REGEX: usize = 1 << 20;
/// The maximum number of cached regular expressions.
const MAX_REGEXES: usize = 64;

pub(crate) struct Context {
    pub(crate) now: i64,
    regexes: HashMap<Arc<str>, Option<Regex>>,
    last: Option<(Arc<str>, Option<Regex>)>,
    /// Set if a value would be too large; the query then fails.
    pub(crate) overflowed: bool,
}

impl Context {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            now,
            regexes: HashMap::new(),
            last: None,
            overflowed: false,
        }
    }

    /// The compiled expression; `None` if it is invalid or too large.
    pub(crate) fn regex(&mut self, pattern: &Arc<str>) -> Option<Regex> {
        if let Some((last, regex)) = &self.last
            && (Arc::ptr_eq(last, pattern) || last == pattern)
        {
            return regex.clone();
        }
        if self.regexes.len() >= MAX_REGEXES {
            self.regexes.clear();
        }
        let regex = self
            .regexes
            .entry(pattern.clone())
            .or_insert_with(|| compile(pattern).ok())
            .clone();
        self.last = Some((pattern.clone(), regex.clone()));
        regex
    }
}

/// Compiles with a limit on the size of the result.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .build()
}
