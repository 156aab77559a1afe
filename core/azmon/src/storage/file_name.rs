//! Names of batch files.

use std::fmt;
use std::sync::Arc;

/// Suffix of a complete batch.
pub(super) const WHOLE: &str = ".azmon";
/// Suffix of a batch that is being written.
pub(super) const TEMPORARY: &str = ".tmp";

/// The name of a batch file: `<milliseconds>-<owner>-<number>-<items>`. Names sort by age, and tell how many items are
/// lost with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileName(Arc<str>);

impl FileName {
    /// Makes the name of a batch with the time `created`, in milliseconds since 1970.
    pub(crate) fn new(created: u64, owner: &str, number: u64, items: usize) -> Self {
        Self(format!("{created:015}-{owner}-{number}-{items}{WHOLE}").into())
    }

    /// Parses a file's name; `None` if it does not have this form.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(WHOLE)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let is_plain = stem.bytes().all(allowed) && name.len() <= 200;
        let name = Self(name.into());
        let is_complete = is_plain && name.created().is_some() && name.items().is_some();
        is_complete.then_some(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the file while it is being written.
    pub(super) fn temporary(&self) -> String {
        let stem = self.0.strip_suffix(WHOLE).unwrap_or(&self.0);
        format!("{stem}{TEMPORARY}")
    }

    /// The time of the batch, in milliseconds since 1970.
    pub(crate) fn created(&self) -> Option<u64> {
        let (created, _) = self.0.split_once('-')?;
        created.parse().ok()
    }

    /// The number of items of the batch.
    pub(crate) fn items(&self) -> Option<u32> {
        let stem = self.0.strip_suffix(WHOLE)?;
        let (_, items) = stem.rsplit_once('-')?;
        items.parse().ok()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_age_and_items_and_sorts_by_age() {
        let older = FileName::new(999, "12-ab", 7, 3);
        let newer = FileName::new(1_000, "12-ab", 0, 4_096);
        assert!(older < newer);
        assert_eq!(FileName::parse(newer.as_str()), Some(newer.clone()));
        assert_eq!((newer.created(), newer.items()), (Some(1_000), Some(4_096)));
        assert_eq!(newer.temporary(), "000000000001000-12-ab-0-4096.tmp");
    }

    #[test]
    fn other_names_are_foreign() {
        for name in [
            "",
            ".azmon",
            "x.azmon",
            "1-2-3.tmp",
            "1-a-2-x.azmon",
            "../1-a-2-3.azmon",
            "1-a/b-2-3.azmon",
            "1-a-2-99999999999.azmon",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
