//! What functions share during one query: the time, compiled expressions, what they produced.

use std::sync::Arc;

use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};

/// Bytes of a compiled regular expression.
const MAX_REGEX: usize = 1 << 20;
/// Regular expressions that are kept.
const MAX_REGEXES: usize = 64;

pub(crate) struct Context {
    pub(crate) now: i64,
    regexes: HashMap<Arc<str>, Option<Regex>>,
    last: Option<(Arc<str>, Option<Regex>)>,
    /// Set if a value would be too large; the query then ends.
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

    /// The compiled expression; `None` if it is none or too large.
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

/// Compiles with bounds on the size of the result.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .build()
}
