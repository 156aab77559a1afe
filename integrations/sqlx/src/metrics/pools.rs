use std::fmt;
use std::sync::{Mutex, PoisonError, Weak};

use opentelemetry::KeyValue;

/// What a pool can say about itself at any time.
pub(crate) trait PoolStatus: Send + Sync {
    /// Equal for two handles of one pool, and for nothing else that lives.
    fn identity(&self) -> usize;

    fn count(&self) -> Count;
}

/// How many connections a pool has, and how many are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Count {
    /// The attribute that names the pool.
    pub(crate) name: KeyValue,
    pub(crate) idle: i64,
    pub(crate) used: i64,
    pub(crate) max: i64,
    pub(crate) pending: i64,
}

/// The pools that report to a meter provider, as long as they live.
#[derive(Default)]
pub(crate) struct Pools(Mutex<Vec<Weak<dyn PoolStatus>>>);

impl Pools {
    pub(super) fn add(&self, pool: Weak<dyn PoolStatus>) {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(pool);
    }

    /// The counts of all pools, in one sum for each name.
    ///
    /// A pool that was wrapped twice has its connections counted once.
    pub(super) fn counted(&self) -> Vec<Count> {
        let pools: Vec<_> = {
            let pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            pools.iter().filter_map(Weak::upgrade).collect()
        };
        let mut seen = Vec::with_capacity(pools.len());
        let mut counts: Vec<Count> = Vec::with_capacity(pools.len());
        for pool in pools {
            let mut count = pool.count();
            if seen.contains(&pool.identity()) {
                (count.idle, count.used, count.max) = (0, 0, 0);
            }
            seen.push(pool.identity());
            match counts.iter_mut().find(|other| other.name == count.name) {
                Some(sum) => sum.add(&count),
                None => counts.push(count),
            }
        }
        counts
    }
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.idle += other.idle;
        self.used += other.used;
        self.max += other.max;
        self.pending += other.pending;
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Fixed(usize, &'static str);

    impl PoolStatus for Fixed {
        fn identity(&self) -> usize {
            self.0
        }

        fn count(&self) -> Count {
            Count {
                name: KeyValue::new("name", self.1),
                idle: 1,
                used: 2,
                max: 3,
                pending: 4,
            }
        }
    }

    #[test]
    fn pools_of_one_name_are_summed_and_one_pool_is_counted_once() {
        let pools = Pools::default();
        let held: [Arc<dyn PoolStatus>; 4] = [
            Arc::new(Fixed(1, "a")),
            Arc::new(Fixed(2, "a")),
            Arc::new(Fixed(2, "a")),
            Arc::new(Fixed(3, "b")),
        ];
        for pool in &held {
            pools.add(Arc::downgrade(pool));
        }
        let counted = |count: &Count| {
            (
                count.name.value.to_string(),
                count.idle,
                count.used,
                count.max,
                count.pending,
            )
        };
        let counts: Vec<_> = pools.counted().iter().map(counted).collect();
        assert_eq!(
            counts,
            [("a".to_owned(), 2, 4, 6, 12), ("b".to_owned(), 1, 2, 3, 4)]
        );
        drop(held);
        assert_eq!(pools.counted(), []);
    }
}
