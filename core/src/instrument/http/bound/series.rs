use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashTable;

/// What belongs to a set of labels, made once for each and never forgotten.
///
/// Finding takes no lock; adding copies the table, which happens as often as there are sets of labels. After
/// [`CAPACITY`] of them no more are kept: sets that depend on the caller must not fill the memory.
#[derive(Debug)]
pub(super) struct Series<K, V> {
    table: ArcSwap<HashTable<Entry<K, V>>>,
}

#[derive(Debug)]
struct Entry<K, V> {
    hash: u64,
    labels: Arc<K>,
    value: Arc<V>,
}

/// How many sets of labels are kept at most.
pub(super) const CAPACITY: usize = 1_024;

impl<K, V> Default for Series<K, V> {
    fn default() -> Self {
        Self {
            table: ArcSwap::from_pointee(HashTable::new()),
        }
    }
}

impl<K, V> Series<K, V> {
    /// What belongs to the labels with this hash that are the wanted ones; `None` when no more are kept.
    ///
    /// Two threads may make the same; one of them stays.
    pub(super) fn get(
        &self,
        hash: u64,
        is_it: impl Fn(&K) -> bool,
        make: impl FnOnce() -> (K, V),
    ) -> Option<Arc<V>> {
        let find = |table: &HashTable<Entry<K, V>>| {
            let found = table.find(hash, |entry| entry.hash == hash && is_it(&entry.labels));
            found.map(|entry| entry.value.clone())
        };
        let table = self.table.load();
        find(&table).or_else(|| {
            (table.len() < CAPACITY).then(|| {
                let (labels, value) = make();
                self.insert(hash, Arc::new(labels), Arc::new(value), find)
            })
        })
    }

    #[cold]
    fn insert(
        &self,
        hash: u64,
        labels: Arc<K>,
        value: Arc<V>,
        find: impl Fn(&HashTable<Entry<K, V>>) -> Option<Arc<V>>,
    ) -> Arc<V> {
        self.table.rcu(|table| {
            let mut table = HashTable::clone(table);
            if find(&table).is_none() {
                let entry = Entry {
                    hash,
                    labels: labels.clone(),
                    value: value.clone(),
                };
                table.insert_unique(hash, entry, |entry| entry.hash);
            }
            table
        });
        find(&self.table.load()).unwrap_or(value)
    }
}

impl<K, V> Clone for Entry<K, V> {
    fn clone(&self) -> Self {
        Self {
            hash: self.hash,
            labels: self.labels.clone(),
            value: self.value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(series: &Series<u64, u64>, number: u64, hash: u64) -> Option<Arc<u64>> {
        series.get(hash, |known| *known == number, || (number, number * 2))
    }

    #[test]
    fn a_value_is_made_once_also_where_hashes_are_the_same() {
        let series = Series::default();
        let first = get(&series, 1, 7).unwrap();
        assert_eq!(get(&series, 2, 7).as_deref(), Some(&4));
        assert!(Arc::ptr_eq(&first, &get(&series, 1, 7).unwrap()));
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let series = Series::default();
        let capacity = CAPACITY as u64;
        for number in 0..capacity {
            assert!(get(&series, number, number).is_some());
        }
        assert_eq!(get(&series, capacity, capacity), None);
        assert_eq!(get(&series, 3, 3).as_deref(), Some(&6));
    }

    #[test]
    fn threads_that_make_the_same_share_it() {
        let series = Series::default();
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads = (0..4).map(|_| scope.spawn(|| get(&series, 5, 5).unwrap()));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let kept = get(&series, 5, 5).unwrap();
        assert!(made.iter().all(|value| **value == *kept));
    }
}
