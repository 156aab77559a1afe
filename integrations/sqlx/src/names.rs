use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Interns `name` as a static string, so that a span can be named without a copy.
///
/// Returns `None` if [`MAX_NAMES`] names exist already: interned names are never freed, so their number is
/// bounded.
pub(crate) fn intern(name: &str) -> Option<&'static str> {
    intern_in(
        &mut NAMES.lock().unwrap_or_else(PoisonError::into_inner),
        name,
    )
}

fn intern_in(names: &mut Option<HashSet<&'static str>>, name: &str) -> Option<&'static str> {
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    if names.len() >= MAX_NAMES {
        return None;
    }
    let name = Box::leak(Box::<str>::from(name));
    names.insert(name);
    Some(name)
}

static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// With the longest summaries these names take 256 KiB.
const MAX_NAMES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_within_bounds() {
        let mut names = None;
        let first = intern_in(&mut names, "SELECT users").unwrap();
        let second = intern_in(&mut names, &String::from("SELECT users")).unwrap();
        assert!(std::ptr::eq(first, second));
        for number in 0..2 * MAX_NAMES {
            intern_in(&mut names, &number.to_string());
        }
        assert_eq!(names.as_ref().map(HashSet::len), Some(MAX_NAMES));
        assert_eq!(intern_in(&mut names, "SELECT others"), None);
        assert!(intern_in(&mut names, "SELECT users").is_some());
    }
}
