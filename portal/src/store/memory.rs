use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use crate::store::{Item, NewItem, Query, Statistics};

/// How many items are held unless told otherwise: 50,000.
pub const DEFAULT_MAX_ITEMS: usize = 50_000;
/// How much memory they may take unless told otherwise: 256 MiB.
pub const DEFAULT_MAX_BYTES: usize = 256 * 1_024 * 1_024;

/// What a store may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// The items that the portal holds; see the module for what always holds.
#[derive(Debug)]
pub(crate) struct Store {
    limits: Limits,
    contents: RwLock<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    items: VecDeque<Arc<Item>>,
    statistics: Statistics,
}

impl Store {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            contents: RwLock::default(),
        }
    }

    /// Adds items, and drops the oldest to stay within the limits. A batch is seen whole or not at all.
    pub(crate) fn append(&self, items: Vec<NewItem>) {
        let received = SystemTime::now();
        let mut contents = self.write();
        for item in items {
            contents.push(received, item);
        }
        let dropped = contents.drop_oldest(self.limits);
        drop(contents);
        // Freeing thousands of items takes long enough to keep readers waiting.
        drop(dropped);
    }

    /// Counts what was refused, so that pages can say so.
    pub(crate) fn count_refused(&self, count: usize) {
        if count > 0 {
            self.write().statistics.refused += count as u64;
        }
    }

    /// The items that match, the one that arrived last first.
    pub(crate) fn newest(&self, query: &Query) -> Vec<Arc<Item>> {
        let contents = self.read();
        let matching = contents
            .items
            .iter()
            .rev()
            .filter(|item| query.matches(item));
        matching.take(query.limit).cloned().collect()
    }

    /// The item with this id, if it is held still.
    pub(crate) fn find(&self, id: u64) -> Option<Arc<Item>> {
        let contents = self.read();
        let index = id.checked_sub(contents.items.front()?.id())?;
        contents.items.get(usize::try_from(index).ok()?).cloned()
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.read().statistics.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn push(&mut self, received: SystemTime, item: NewItem) {
        self.statistics.received += 1;
        let item = Item::new(self.statistics.received, received, item);
        self.statistics.items += 1;
        self.statistics.bytes += item.size();
        if let Some(count) = self.statistics.count(item.kind()) {
            *count += 1;
        }
        self.items.push_back(Arc::new(item));
    }

    fn drop_oldest(&mut self, limits: Limits) -> Vec<Arc<Item>> {
        let mut dropped = Vec::new();
        while self.statistics.items > limits.items || self.statistics.bytes > limits.bytes {
            let Some(item) = self.items.pop_front() else {
                break;
            };
            self.statistics.dropped += 1;
            self.statistics.items -= 1;
            self.statistics.bytes -= item.size();
            if let Some(count) = self.statistics.count(item.kind()) {
                *count -= 1;
            }
            dropped.push(item);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use azmon_envelope::{Envelope, tags};
    use serde_json::value::RawValue;

    use super::*;
    use crate::store::ItemKind;

    fn event(name: &str, operation: &str) -> NewItem {
        let json = format!(
            r#"{{"name":"Event","time":"2026-11-20T12:00:00Z","iKey":"k","tags":{{"{}":"{operation}"}},
            "data":{{"baseType":"EventData","baseData":{{"name":"{name}"}}}}}}"#,
            tags::OPERATION_ID
        );
        let envelope: Envelope<'static> = serde_json::from_str(&json).unwrap();
        let json = RawValue::from_string(json).unwrap();
        NewItem::new(ItemKind::CustomEvent, json, envelope)
    }

    fn store(items: usize, bytes: usize) -> Store {
        Store::new(Limits { items, bytes })
    }

    fn names(store: &Store, query: &Query) -> Vec<String> {
        let items = store.newest(query);
        items.iter().map(|item| item.name().into_owned()).collect()
    }

    fn all() -> Query {
        Query {
            limit: usize::MAX,
            ..Query::default()
        }
    }

    #[test]
    fn the_newest_item_is_first() {
        let store = store(10, usize::MAX);
        store.append(vec![event("a", "1"), event("b", "1")]);
        store.append(vec![event("c", "2")]);
        assert_eq!(names(&store, &all()), ["c", "b", "a"]);
        assert_eq!(names(&store, &Query { limit: 2, ..all() }), ["c", "b"]);
    }

    #[test]
    fn items_are_found_by_kind_and_by_operation() {
        let store = store(10, usize::MAX);
        store.append(vec![event("a", "1"), event("b", "2"), event("c", "1")]);
        let of_operation = Query {
            operation: Some("1".to_owned()),
            ..all()
        };
        assert_eq!(names(&store, &of_operation), ["c", "a"]);
        let requests = Query {
            kind: Some(ItemKind::Request),
            ..all()
        };
        assert!(names(&store, &requests).is_empty());
    }

    #[test]
    fn the_oldest_item_is_dropped_beyond_the_limit_of_items() {
        let store = store(2, usize::MAX);
        for name in ["a", "b", "c"] {
            store.append(vec![event(name, "1")]);
        }
        assert_eq!(names(&store, &all()), ["c", "b"]);
        let statistics = store.statistics();
        assert_eq!((statistics.received, statistics.dropped), (3, 1));
        assert_eq!(statistics.of_kind(ItemKind::CustomEvent), 2);
    }

    #[test]
    fn the_oldest_items_are_dropped_beyond_the_limit_of_bytes() {
        let size = event("a", "1").size();
        let store = store(usize::MAX, 3 * size);
        store.append((0..10).map(|_| event("a", "1")).collect());
        let statistics = store.statistics();
        assert_eq!((statistics.items, statistics.bytes), (3, 3 * size));
        assert_eq!(statistics.dropped, 7);
    }

    #[test]
    fn an_id_finds_its_item_until_that_is_dropped() {
        let store = store(2, usize::MAX);
        assert!(store.find(1).is_none());
        store.append(vec![event("a", "1"), event("b", "1"), event("c", "1")]);
        let name = |id| store.find(id).map(|item| item.name().into_owned());
        assert_eq!(name(1), None);
        assert_eq!(name(2).as_deref(), Some("b"));
        assert_eq!(name(3).as_deref(), Some("c"));
        assert_eq!((name(0), name(4), name(u64::MAX)), (None, None, None));
    }

    #[test]
    fn many_small_elements_are_counted_as_the_memory_that_they_take() {
        let mut item = event("a", "1");
        let before = item.size();
        for _ in 0..1_000 {
            item.envelope.data.properties_mut().push("k", "v");
        }
        assert!(item.size() >= before + 1_000 * size_of::<[String; 2]>());
    }
}
