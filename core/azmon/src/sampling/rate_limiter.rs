use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use crate::sampling::item_count::ItemCount;
use crate::sampling::window::Window;

/// A monotonic clock: the time since an arbitrary start.
pub(super) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Limits the number of spans per second, by a rate that follows the load.
pub(super) struct RateLimiter {
    target_per_second: f64,
    clock: Clock,
    window: Mutex<Window>,
    /// Spans that found the window locked and are not counted yet.
    missed: AtomicU32,
    /// The last rate, as an item count; 0 for nothing.
    present: AtomicU32,
}

impl RateLimiter {
    pub(super) fn new(target_per_second: f64) -> Self {
        let start = Instant::now();
        Self::with_clock(target_per_second, Arc::new(move || start.elapsed()))
    }

    pub(super) fn with_clock(target_per_second: f64, clock: Clock) -> Self {
        Self {
            target_per_second,
            clock,
            window: Mutex::new(Window::after_idleness(target_per_second)),
            missed: AtomicU32::new(0),
            present: AtomicU32::new(u32::from(target_per_second > 0.0)),
        }
    }

    /// Counts a span, and returns the rate at which it may be kept.
    ///
    /// It never waits: a span that finds the window locked uses the current rate, and the next span counts it.
    pub(super) fn next(&self) -> Option<ItemCount> {
        let mut window = match self.window.try_lock() {
            Ok(window) => window,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
                return self.present();
            }
        };
        let spans = self.missed.swap(0, Ordering::Relaxed).saturating_add(1);
        let percent = window.step((self.clock)(), spans, self.target_per_second);
        let rate = ItemCount::of_percent(percent);
        let present = rate.map_or(0, ItemCount::to_u32);
        self.present.store(present, Ordering::Relaxed);
        rate
    }

    /// The current rate.
    pub(super) fn present(&self) -> Option<ItemCount> {
        ItemCount::from_u32(self.present.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("target_per_second", &self.target_per_second)
            .field("present", &self.present())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_finds_the_window_taken_is_counted_by_the_next() {
        let limiter = RateLimiter::with_clock(1.0, Arc::new(|| Duration::ZERO));
        let one = ItemCount::ONE;
        {
            let _taken = limiter.window.lock().unwrap();
            for _ in 0..3 {
                assert_eq!(limiter.next(), Some(one));
            }
        }
        assert_eq!(limiter.next(), ItemCount::from_u32(2));
        assert_eq!(limiter.present(), ItemCount::from_u32(2));
        assert_eq!(limiter.next(), ItemCount::from_u32(3));
    }

    #[test]
    fn every_span_of_many_threads_is_counted() {
        const THREADS: usize = 4;
        const SPANS: usize = 2_500;
        let limiter = RateLimiter::with_clock(1.0, Arc::new(|| Duration::ZERO));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..SPANS).filter_map(|_| limiter.next()).count());
            }
        });
        // In no time, the window of two seconds allows twice the limit.
        let expected = u32::try_from((THREADS * SPANS + 1).div_ceil(2)).unwrap();
        assert_eq!(limiter.next().map(ItemCount::to_u32), Some(expected));
    }
}
