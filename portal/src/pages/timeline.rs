use std::time::{Duration, SystemTime};

use crate::store::Item;

/// The least length of a bar, in percent: even what took no time is to be seen.
const LEAST: f64 = 0.6;

/// The time from an operation's first start to its last end.
#[derive(Debug)]
pub(super) struct Timeline {
    start: SystemTime,
    length: Duration,
}

/// Where an item lies in the time of its operation, in percent of that, as text for SVG.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) start: String,
    pub(super) length: String,
}

impl Timeline {
    pub(super) fn of<'a>(items: impl Iterator<Item = &'a Item> + Clone) -> Option<Self> {
        let start = items.clone().map(|item| item.envelope().time).min()?;
        let end = |item: &Item| {
            let time = item.envelope().time;
            let duration = item.duration().unwrap_or_default();
            time.checked_add(duration).unwrap_or(time)
        };
        let length = items.map(end).max()?.duration_since(start);
        Some(Self {
            start,
            length: length.unwrap_or_default(),
        })
    }

    pub(super) const fn length(&self) -> Duration {
        self.length
    }

    pub(super) fn bar(&self, item: &Item) -> Bar {
        let duration = item.duration().unwrap_or_default();
        self.bar_of(item.envelope().time, duration)
    }

    fn bar_of(&self, time: SystemTime, duration: Duration) -> Bar {
        let since = time.duration_since(self.start).unwrap_or_default();
        let start = self.percent(since).min(100.0 - LEAST);
        let length = self.percent(duration).min(100.0 - start).max(LEAST);
        Bar {
            start: format!("{start:.2}"),
            length: format!("{length:.2}"),
        }
    }

    fn percent(&self, duration: Duration) -> f64 {
        if self.length.is_zero() {
            return 0.0;
        }
        duration.as_secs_f64() / self.length.as_secs_f64() * 100.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bar(length: u64, since: u64, duration: u64) -> (f64, f64) {
        let timeline = Timeline {
            start: SystemTime::UNIX_EPOCH,
            length: Duration::from_nanos(length),
        };
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(since);
        let bar = timeline.bar_of(time, Duration::from_nanos(duration));
        (bar.start.parse().unwrap(), bar.length.parse().unwrap())
    }

    #[test]
    fn a_bar_is_where_its_item_was() {
        assert_eq!(bar(200, 0, 200), (0.0, 100.0));
        assert_eq!(bar(200, 50, 100), (25.0, 50.0));
    }

    #[test]
    fn what_took_no_time_is_seen_even_at_the_end() {
        assert_eq!(bar(200, 100, 0), (50.0, LEAST));
        assert_eq!(bar(200, 200, 0), (100.0 - LEAST, LEAST));
        assert_eq!(bar(0, 0, 0), (0.0, LEAST));
    }

    proptest! {
        #[test]
        fn every_bar_lies_within_the_timeline(length: u64, since: u64, duration: u64) {
            let (start, length) = bar(length, since, duration);
            prop_assert!(start >= 0.0 && length >= LEAST && start + length <= 100.01);
        }
    }
}
