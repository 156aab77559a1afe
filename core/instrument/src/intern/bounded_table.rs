use arc_swap::ArcSwapOption;
use hashbrown::HashTable;

/// A table that holds one value for each of a bounded number of keys, and never removes one.
///
/// Lookups take no lock. An insertion copies the table, which happens once per key. The table keeps at most
/// [`BoundedTable::CAPACITY`] values: keys that callers choose must not fill the memory.
#[derive(Debug)]
pub(crate) struct BoundedTable<V> {
    entries: ArcSwapOption<Entries<V>>,
}

type Entries<V> = HashTable<(u64, V)>;

impl<V> BoundedTable<V> {
    /// Maximum number of values.
    pub(crate) const CAPACITY: usize = 1_024;

    pub(crate) const fn new() -> Self {
        Self {
            entries: ArcSwapOption::const_empty(),
        }
    }
}

impl<V> Default for BoundedTable<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Clone> BoundedTable<V> {
    /// The kept value that has this hash and satisfies `is_it`.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&V) -> bool) -> Option<V> {
        let entries = self.entries.load();
        find(entries.as_deref()?, hash, is_it)
    }

    /// The value that has this hash and satisfies the predicate, made if it is missing; `None` if the table is full.
    ///
    /// Two threads may make the same value; the table keeps one of them.
    pub(crate) fn get(
        &self,
        hash: u64,
        is_it: impl Fn(&V) -> bool,
        make: impl FnOnce() -> V,
    ) -> Option<V> {
        let entries = self.entries.load();
        let (found, count) = match &*entries {
            Some(entries) => (find(entries, hash, &is_it), entries.len()),
            None => (None, 0),
        };
        found.or_else(|| (count < Self::CAPACITY).then(|| self.insert(hash, is_it, make())))
    }

    #[cold]
    fn insert(&self, hash: u64, is_it: impl Fn(&V) -> bool, value: V) -> V {
        let mut kept = value.clone();
        self.entries.rcu(|entries| {
            let entries = entries.as_ref();
            let mut entries = entries.map_or_else(Entries::new, |entries| Entries::clone(entries));
            kept = find(&entries, hash, &is_it).unwrap_or_else(|| {
                entries.insert_unique(hash, (hash, value.clone()), |(hash, _)| *hash);
                value.clone()
            });
            Some(entries.into())
        });
        kept
    }
}

fn find<V: Clone>(entries: &Entries<V>, hash: u64, is_it: impl Fn(&V) -> bool) -> Option<V> {
    let found = entries.find(hash, |(kept, value)| *kept == hash && is_it(value));
    found.map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Table = BoundedTable<Arc<u64>>;

    fn get(table: &Table, number: u64, hash: u64) -> Option<Arc<u64>> {
        table.get(hash, |known| **known == number, || Arc::new(number))
    }

    #[test]
    fn a_value_is_made_once_also_where_hashes_are_the_same() {
        let table = Table::new();
        let first = get(&table, 1, 7).unwrap();
        assert_eq!(get(&table, 2, 7).as_deref(), Some(&2));
        assert!(Arc::ptr_eq(&first, &get(&table, 1, 7).unwrap()));
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
