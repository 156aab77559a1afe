use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A value that may not exist yet, and is looked for again once a second until it does.
#[derive(Debug)]
pub(crate) struct Lazy<T> {
    value: OnceLock<T>,
    created: Instant,
    /// Milliseconds after `created`.
    next_look: AtomicU64,
}

impl<T> Lazy<T> {
    const INTERVAL: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self {
            value: OnceLock::new(),
            created: Instant::now(),
            next_look: AtomicU64::new(0),
        }
    }

    /// The value, which `look` may find.
    ///
    /// Several threads may look at a time, so that none misses what another is about to find.
    pub(crate) fn get(&self, now: Instant, look: impl FnOnce() -> Option<T>) -> Option<&T> {
        if let Some(value) = self.value.get() {
            return Some(value);
        }
        let elapsed = now.saturating_duration_since(self.created).as_millis() as u64;
        if elapsed < self.next_look.load(Ordering::Relaxed) {
            return None;
        }
        match look() {
            Some(value) => Some(self.value.get_or_init(|| value)),
            None => {
                let next = elapsed + Self::INTERVAL.as_millis() as u64;
                self.next_look.store(next, Ordering::Relaxed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_looked_for_once_a_second_and_then_kept() {
        let lazy = Lazy::new();
        let start = lazy.created;
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(lazy.get(at(0), || None), None);
        assert_eq!(lazy.get(at(999), || Some(1)), None);
        assert_eq!(lazy.get(at(1000), || None), None);
        assert_eq!(lazy.get(at(1500), || Some(2)), None);
        assert_eq!(lazy.get(at(2000), || Some(3)), Some(&3));
        assert_eq!(lazy.get(at(2001), || Some(4)), Some(&3));
    }
}
