use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, RwLock};

use hashbrown::{DefaultHashBuilder, HashTable};
use opentelemetry::KeyValue;

use crate::attributes::{self, Attribute};
use crate::{Statement, names};

/// What telemetry says about a query, made once for all times that it is run.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) statement: Statement,
    /// The summary as the name of spans, unless there are too many.
    pub(crate) name: Option<&'static str>,
    pub(crate) is_excluded: bool,
    pub(crate) span_attributes: Vec<Attribute>,
    pub(crate) metric_attributes: Vec<KeyValue>,
}

impl Described {
    /// Describes `statement`, run on the database that `base` tells about.
    pub(crate) fn new(statement: Statement, is_excluded: bool, base: &[Attribute]) -> Self {
        let described = [
            (attributes::SUMMARY, Some(&statement.summary)),
            (attributes::OPERATION, statement.operation.as_ref()),
            (attributes::COLLECTION, statement.collection.as_ref()),
        ];
        let mut span_attributes = base.to_vec();
        for (key, value) in described {
            let value = value.filter(|value| !value.is_empty());
            span_attributes.extend(value.map(|value| Attribute::Shared(key, Arc::clone(value))));
        }
        let metric_attributes = span_attributes.iter().map(Attribute::key_value).collect();
        let text = statement.text.as_ref();
        span_attributes
            .extend(text.map(|text| Attribute::Shared(attributes::TEXT, Arc::clone(text))));
        Self {
            name: names::intern(statement.summary()),
            statement,
            is_excluded,
            span_attributes,
            metric_attributes,
        }
    }
}

/// Remembers how the queries that were run last are described, within bounds.
///
/// Holds up to 1024 queries of up to 4 KiB each; others are described every time. A part that is full becomes
/// the older generation in place of the one before, from which what is used again is taken over. Nobody ever
/// waits for a lock: a query that finds one held is described anew.
pub(crate) struct Statements {
    parts: [RwLock<Generations>; PARTS],
    hasher: DefaultHashBuilder,
}

#[derive(Default)]
struct Generations {
    current: HashTable<Entry>,
    previous: HashTable<Entry>,
}

#[derive(Clone)]
struct Entry {
    sql: Arc<str>,
    described: Arc<Described>,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            parts: Default::default(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// How `sql` is described, by `describe` if that is not remembered.
    pub(crate) fn get(&self, sql: &str, describe: impl FnOnce() -> Described) -> Arc<Described> {
        if sql.len() > LONGEST_QUERY {
            return Arc::new(describe());
        }
        let hash = self.hasher.hash_one(sql);
        // The table uses the other bits of the hash.
        let Some(part) = self.parts.get((hash >> 32) as usize % PARTS) else {
            return Arc::new(describe());
        };
        if let Some(described) = find_current(part, hash, sql) {
            return described;
        }
        self.renew(part, hash, sql, describe)
    }

    fn renew(
        &self,
        part: &RwLock<Generations>,
        hash: u64,
        sql: &str,
        describe: impl FnOnce() -> Described,
    ) -> Arc<Described> {
        let previous = part
            .try_read()
            .ok()
            .and_then(|part| find(&part.previous, hash, sql).cloned());
        let entry = previous.unwrap_or_else(|| Entry {
            sql: sql.into(),
            described: Arc::new(describe()),
        });
        let described = Arc::clone(&entry.described);
        if let Ok(mut part) = part.try_write() {
            part.insert(hash, entry, |entry| self.hasher.hash_one(&*entry.sql));
        }
        described
    }
}

impl Generations {
    fn insert(&mut self, hash: u64, entry: Entry, hasher: impl Fn(&Entry) -> u64) {
        if find(&self.current, hash, &entry.sql).is_some() {
            return;
        }
        if self.current.len() >= CAPACITY {
            self.previous = std::mem::take(&mut self.current);
        }
        self.current.insert_unique(hash, entry, hasher);
    }
}

fn find_current(part: &RwLock<Generations>, hash: u64, sql: &str) -> Option<Arc<Described>> {
    let part = part.try_read().ok()?;
    find(&part.current, hash, sql).map(|entry| Arc::clone(&entry.described))
}

fn find<'t>(table: &'t HashTable<Entry>, hash: u64, sql: &str) -> Option<&'t Entry> {
    table.find(hash, |entry| *entry.sql == *sql)
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

const LONGEST_QUERY: usize = 4096;
const PARTS: usize = 8;
/// Of one generation in one part.
const CAPACITY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, QueryText};

    fn describe(sql: &str) -> Described {
        Described::new(
            Statement::parse(sql, Dialect::Generic, QueryText::Sanitised),
            false,
            &[],
        )
    }

    fn held(statements: &Statements) -> usize {
        let count = |part: &RwLock<Generations>| {
            let part = part.read().unwrap();
            part.current.len() + part.previous.len()
        };
        statements.parts.iter().map(count).sum()
    }

    #[test]
    fn a_query_is_described_once() {
        let statements = Statements::new();
        let first = statements.get("SELECT 1", || describe("SELECT 1"));
        let second = statements.get("SELECT 1", || unreachable!("it is remembered"));
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_flood_of_queries_is_bounded_and_spares_what_is_in_use() {
        let statements = Statements::new();
        let kept = statements.get("SELECT kept", || describe("SELECT kept"));
        for number in 0..20_000 {
            let sql = format!("SELECT * FROM table_{number}");
            statements.get(&sql, || describe(&sql));
            let again = statements.get("SELECT kept", || unreachable!("it is in use"));
            assert!(Arc::ptr_eq(&kept, &again));
        }
        assert!(held(&statements) <= 2 * PARTS * CAPACITY);
    }

    #[test]
    fn a_long_query_is_not_kept() {
        let statements = Statements::new();
        let sql = "x".repeat(LONGEST_QUERY + 1);
        statements.get(&sql, || describe(&sql));
        assert_eq!(held(&statements), 0);
    }

    #[test]
    fn nobody_waits_for_a_lock() {
        let statements = Statements::new();
        let held: Vec<_> = statements
            .parts
            .iter()
            .map(|part| part.write().unwrap())
            .collect();
        assert_eq!(
            statements
                .get("SELECT 1", || describe("SELECT 1"))
                .statement
                .summary(),
            "SELECT"
        );
        drop(held);
    }
}
