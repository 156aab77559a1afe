use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Maximum number of shards: further ones would only slow the collection.
const MOST: usize = 64;

/// A state in several shards, so that threads do not wait for each other.
#[derive(Debug)]
pub(crate) struct Shards<T>(Box<[Shard<T>]>);

/// Aligned to a cache line of its own; some processors fetch two at once.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard<T>(Mutex<T>);

impl<T: Default> Shards<T> {
    /// Makes one shard per processor.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shards = (0..processors.clamp(1, MOST)).map(|_| Shard::default());
        Self(shards.collect())
    }

    /// Changes one shard: the one of this thread, or the next unlocked one.
    pub(crate) fn update(&self, change: impl FnOnce(&mut T)) {
        let own = OWN.try_with(|own| *own).unwrap_or_default();
        let (before, from) = self.0.split_at(own % self.0.len());
        let mut in_order = from.iter().chain(before);
        let free = in_order.find_map(|shard| match shard.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        if let Some(mut guard) = free.or_else(|| from.first().map(Shard::lock)) {
            change(&mut guard);
        }
    }

    /// Takes the content of all shards, and leaves them empty.
    pub(crate) fn drain(&self) -> impl Iterator<Item = T> {
        self.0
            .iter()
            .map(|shard| std::mem::take(&mut *shard.lock()))
    }
}

impl<T> Shard<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The number of this thread; threads started one after the other have different numbers.
    static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_add_at_once_is_all_there() {
        let shards = Shards::<u64>::new();
        std::thread::scope(|scope| {
            for _ in 0..2 * MOST {
                scope.spawn(|| (0..1_000).for_each(|_| shards.update(|sum| *sum += 1)));
            }
        });
        assert_eq!(shards.drain().sum::<u64>(), 2 * MOST as u64 * 1_000);
        assert_eq!(shards.drain().sum::<u64>(), 0);
    }

    #[test]
    fn a_shard_that_is_held_is_passed_by() {
        let shards = Shards::<u64>((0..2).map(|_| Shard::default()).collect());
        shards.update(|outer| {
            shards.update(|inner| *inner += 1);
            *outer += 1;
        });
        assert_eq!(shards.drain().collect::<Vec<_>>(), [1, 1]);
    }
}
