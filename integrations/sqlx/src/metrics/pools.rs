use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use opentelemetry::KeyValue;

/// The current counts of a pool.
pub(crate) trait PoolStatus: Send + Sync {
    /// The attribute that names the pool.
    fn name(&self) -> KeyValue;

    /// Identifies the pool: equal for two handles of the same pool, and different from any other live pool.
    fn identity(&self) -> usize;

    fn count(&self) -> Count;
}

/// The numbers of connections of a pool, and of pending requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    pub(crate) idle: i64,
    pub(crate) used: i64,
    pub(crate) max: i64,
    pub(crate) pending: i64,
}

/// The live pools that report to a meter provider.
#[derive(Default)]
pub(crate) struct Pools(List);

type List = Mutex<Vec<Weak<dyn PoolStatus>>>;

/// All pools of the process.
///
/// A provider may have several handles, which cannot be recognised as one provider. It would keep only the last
/// observation for each name. So every handle reports, for the names of its own pools, the sum over all pools of
/// the process.
static ALL: List = List::new(Vec::new());

impl Pools {
    pub(super) fn add(&self, pool: Weak<dyn PoolStatus>) {
        for list in [&self.0, &ALL] {
            let mut pools = list.lock().unwrap_or_else(PoisonError::into_inner);
            pools.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&pool));
            pools.push(Weak::clone(&pool));
        }
    }

    /// The counts of all pools that share a name with one of these, summed for each name.
    ///
    /// The connections of a pool that was wrapped twice are counted once.
    pub(super) fn counted(&self) -> Vec<(KeyValue, Count)> {
        let mut counts: Vec<(KeyValue, Count)> = Vec::new();
        for pool in living(&self.0) {
            if !counts.iter().any(|(name, _)| *name == pool.name()) {
                counts.push((pool.name(), Count::default()));
            }
        }
        let mut seen = Vec::new();
        for pool in living(&ALL) {
            let name = pool.name();
            let Some((_, sum)) = counts.iter_mut().find(|(other, _)| *other == name) else {
                continue;
            };
            let count = pool.count();
            sum.pending += count.pending;
            if !seen.contains(&pool.identity()) {
                seen.push(pool.identity());
                sum.idle += count.idle;
                sum.used += count.used;
                sum.max += count.max;
            }
        }
        counts
    }
}

fn living(list: &List) -> Vec<Arc<dyn PoolStatus>> {
    let pools = list.lock().unwrap_or_else(PoisonError::into_inner);
    pools.iter().filter_map(Weak::upgrade).collect()
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(usize, &'static str);

    impl PoolStatus for Fixed {
        fn name(&self) -> KeyValue {
            KeyValue::new("name", self.1)
        }

        fn identity(&self) -> usize {
            self.0
        }

        fn count(&self) -> Count {
            Count {
                idle: 1,
                used: 2,
                max: 3,
                pending: 4,
            }
        }
    }

    fn counted(pools: &Pools) -> Vec<(String, i64, i64, i64, i64)> {
        let counts = pools.counted();
        let fields = |(name, count): &(KeyValue, Count)| {
            let name = name.value.to_string();
            (name, count.idle, count.used, count.max, count.pending)
        };
        counts.iter().map(fields).collect()
    }

    fn held(pools: &Pools, fixed: &[(usize, &'static str)]) -> Vec<Arc<dyn PoolStatus>> {
        let held: Vec<Arc<dyn PoolStatus>> = fixed
            .iter()
            .map(|(identity, name)| Arc::new(Fixed(*identity, name)) as _)
            .collect();
        held.iter().for_each(|pool| pools.add(Arc::downgrade(pool)));
        held
    }

    #[test]
    fn pools_of_one_name_are_summed_and_one_pool_is_counted_once() {
        let pools = Pools::default();
        let held = held(&pools, &[(1, "a"), (2, "a"), (2, "a"), (3, "b")]);
        let expected = [("a".to_owned(), 2, 4, 6, 12), ("b".to_owned(), 1, 2, 3, 4)];
        assert_eq!(counted(&pools), expected);
        pools.add(Arc::downgrade(&held[0]));
        assert_eq!(counted(&pools), expected);
        drop(held);
        assert_eq!(counted(&pools), []);
    }

    #[test]
    fn two_handles_of_a_provider_tell_the_same_of_a_name() {
        let (first, second) = (Pools::default(), Pools::default());
        let _held = (
            held(&first, &[(11, "c"), (12, "d")]),
            held(&second, &[(13, "c")]),
        );
        let both = ("c".to_owned(), 2, 4, 6, 8);
        assert_eq!(
            counted(&first),
            [both.clone(), ("d".to_owned(), 1, 2, 3, 4)]
        );
        assert_eq!(counted(&second), [both]);
    }
}
