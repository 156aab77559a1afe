use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A table that holds one value for each of a bounded number of keys, and never removes one.
///
/// Lookups take no lock, and few cache lines. The table keeps at most [`BoundedTable::CAPACITY`] values: keys that
/// callers choose must not fill the memory.
///
/// Invariant: a value is in the first slot of its probe sequence that was free. Since no slot becomes free again, the
/// first free slot ends a lookup.
#[derive(Debug)]
pub(crate) struct BoundedTable<V> {
    /// Each part is made when the sequence of a value in the parts before it is full.
    parts: [OnceLock<Box<[Slot<V>]>>; PARTS],
    count: AtomicUsize,
}

/// A hash and its value.
type Slot<V> = OnceLock<Box<(u64, V)>>;

const PARTS: usize = 4;
/// The number of slots of the first part, a power of two; each further part has four times as many.
const FIRST: usize = 64;
/// The number of slots of a part that may hold a value.
const PROBES: usize = 8;

impl<V> BoundedTable<V> {
    /// Maximum number of values.
    pub(crate) const CAPACITY: usize = 1_024;

    pub(crate) const fn new() -> Self {
        Self {
            parts: [const { OnceLock::new() }; PARTS],
            count: AtomicUsize::new(0),
        }
    }

    /// The kept value that has this hash and satisfies `is_it`.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&V) -> bool) -> Option<&V> {
        for part in &self.parts {
            for slot in probes(part.get()?, hash) {
                let (known, value) = &**slot.get()?;
                if *known == hash && is_it(value) {
                    return Some(value);
                }
            }
        }
        None
    }

    /// The value that has this hash and satisfies the predicate, made if it is missing; `None` if the table is full.
    ///
    /// Two threads may make the same value; the table keeps one of them.
    pub(crate) fn get(
        &self,
        hash: u64,
        is_it: impl Fn(&V) -> bool,
        make: impl FnOnce() -> V,
    ) -> Option<&V> {
        self.find(hash, &is_it)
            .or_else(|| self.insert(hash, is_it, make))
    }

    #[cold]
    fn insert(
        &self,
        hash: u64,
        is_it: impl Fn(&V) -> bool,
        make: impl FnOnce() -> V,
    ) -> Option<&V> {
        if self.count.fetch_add(1, Ordering::Relaxed) < Self::CAPACITY {
            let mut new = Box::new((hash, make()));
            for slot in self.parts.iter().enumerate().flat_map(|(place, part)| {
                let part = part.get_or_init(|| free_slots(FIRST << (2 * place)));
                probes(part, hash)
            }) {
                match slot.set(new) {
                    Ok(()) => return slot.get().map(|slot| &slot.1),
                    Err(refused) => new = refused,
                }
                // Another thread may have made the same.
                if let Some((known, value)) = slot.get().map(|slot| &**slot)
                    && *known == hash
                    && is_it(value)
                {
                    self.count.fetch_sub(1, Ordering::Relaxed);
                    return Some(value);
                }
            }
        }
        self.count.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl<V> Default for BoundedTable<V> {
    fn default() -> Self {
        Self::new()
    }
}

fn free_slots<V>(count: usize) -> Box<[Slot<V>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}

/// The slots of a part that may hold a value of this hash, in order. The number of slots is a power of two.
fn probes<V>(slots: &[Slot<V>], hash: u64) -> impl Iterator<Item = &Slot<V>> {
    let last = slots.len().wrapping_sub(1);
    (0..PROBES).filter_map(move |step| slots.get((hash as usize).wrapping_add(step) & last))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Table = BoundedTable<Arc<u64>>;

    fn get(table: &Table, number: u64, hash: u64) -> Option<Arc<u64>> {
        let found = table.get(hash, |known| **known == number, || Arc::new(number));
        found.cloned()
    }

    #[test]
    fn a_value_is_made_once_also_where_hashes_are_the_same() {
        let table = Table::new();
        let first = get(&table, 1, 7).unwrap();
        assert_eq!(get(&table, 2, 7).as_deref(), Some(&2));
        assert!(Arc::ptr_eq(&first, &get(&table, 1, 7).unwrap()));
        assert!(table.find(7, |known| **known == 3).is_none());
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let table = Table::new();
        let capacity = Table::CAPACITY as u64;
        for number in 0..capacity {
            assert!(get(&table, number, number).is_some());
        }
        assert_eq!(get(&table, capacity, capacity), None);
        assert_eq!(get(&table, 3, 3).as_deref(), Some(&3));
    }

    #[test]
    fn a_value_that_another_thread_has_made_meanwhile_counts_once() {
        let table = Table::new();
        let is_it = |known: &Arc<u64>| **known == 1;
        let first = table.get(7, is_it, || {
            // As another thread does between the lookup and the insertion.
            table.get(7, is_it, || Arc::new(1)).cloned().unwrap()
        });
        assert_eq!(first.map(|value| **value), Some(1));
        for number in 1..Table::CAPACITY as u64 {
            assert!(get(&table, number + 1, number << 3).is_some(), "{number}");
        }
    }

    #[test]
    fn values_of_one_hash_are_kept_as_far_as_there_is_room() {
        let table = Table::new();
        for round in 0..2 {
            for number in 0..100 {
                let is_kept = number < (PARTS * PROBES) as u64;
                let kept = get(&table, number, 7);
                assert_eq!(kept.as_deref(), is_kept.then_some(&number), "round {round}");
            }
        }
        assert_eq!(get(&table, 7, 8).as_deref(), Some(&7));
    }

    #[test]
    fn threads_that_make_the_same_share_it() {
        let table = Table::new();
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads = (0..4).map(|_| scope.spawn(|| get(&table, 5, 5).unwrap()));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let kept = get(&table, 5, 5).unwrap();
        assert!(made.iter().all(|value| Arc::ptr_eq(value, &kept)));
    }
}
