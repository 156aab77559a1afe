//! A state in several parts, so that threads that change it do not wait for each other.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Maximum number of shards: further ones would only slow the collection.
const MOST: usize = 64;

/// A state in several shards. Each thread changes its own one, if there are enough of them.
///
/// A lock that is free takes little code, and cold code is most of what a change costs a thread that answers requests.
#[derive(Debug)]
pub(crate) struct Shards<T>(Box<[Shard<T>]>);

/// Aligned to a cache line of its own; some processors fetch two at once.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard<T>(Mutex<T>);

impl<T: Default> Shards<T> {
    /// Makes a shard per processor, rounded up to a power of two, and at least two: one may stay locked for ever.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(processors.clamp(2, MOST).next_power_of_two())
    }

    fn of(count: usize) -> Self {
        Self((0..count).map(|_| Shard::default()).collect())
    }

    /// Takes the content of all shards, and leaves them empty.
    pub(crate) fn drain(&self) -> impl Iterator<Item = T> {
        self.each(std::mem::take)
    }
}

impl<T> Shards<T> {
    /// Changes one shard: the one of this thread or, if it is held, a free one.
    #[inline]
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let number = NUMBER.get().unwrap_or_else(number_this_thread);
        let mut state = match self.shard(number).try_lock() {
            Some(state) => state,
            None => self.lock_another(number),
        };
        change(&mut state)
    }

    /// Changes all shards, one for each step of the iterator.
    pub(crate) fn each<R>(&self, mut change: impl FnMut(&mut T) -> R) -> impl Iterator<Item = R> {
        self.0.iter().map(move |shard| change(&mut shard.lock()))
    }

    /// A shard that was held while the process forked stays locked in the child, so another one is tried first.
    #[cold]
    #[inline(never)]
    fn lock_another(&self, number: usize) -> MutexGuard<'_, T> {
        let mut others =
            (1..self.0.len()).map(|distance| self.shard(number.wrapping_add(distance)));
        let free = others.find_map(Shard::try_lock);
        free.unwrap_or_else(|| self.shard(number).lock())
    }

    /// The number of shards is a power of two.
    fn shard(&self, number: usize) -> &Shard<T> {
        &self.0[number & (self.0.len() - 1)]
    }
}

impl<T> Shard<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

thread_local! {
    /// The number of this thread.
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Threads that start one after the other have different shards.
#[cold]
#[inline(never)]
fn number_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    NUMBER.set(Some(number));
    number
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
        let shards = Shards::<u64>::of(2);
        shards.update(|outer| {
            shards.update(|inner| *inner += 1);
            *outer += 1;
        });
        assert_eq!(shards.drain().collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn every_shard_can_be_changed() {
        let shards = Shards::<u64>::of(4);
        assert_eq!(shards.each(|sum| *sum += 1).count(), 4);
        assert_eq!(shards.drain().collect::<Vec<_>>(), [1; 4]);
    }
}
