use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, RwLock};

use azmon_instrument::Recurring;
use hashbrown::{DefaultHashBuilder, HashTable};
use opentelemetry::KeyValue;

use crate::attributes::{self, Attribute};
use crate::metrics::Instruments;
use crate::text::MAX_SUMMARY;
use crate::{QueryInfo, QueryText, names};

/// The telemetry description of a query, made once and reused for every run.
#[derive(Debug)]
pub(crate) struct Described {
    /// The summary, prefixed with the operation if that is not running the query.
    pub(crate) summary: Arc<str>,
    /// The summary as a span name, unless too many names exist.
    pub(crate) name: Option<&'static str>,
    pub(crate) is_excluded: bool,
    /// Whether the query changes rows, and returns only their number.
    pub(crate) changes_rows: bool,
    pub(crate) span_attributes: Vec<Attribute>,
    pub(crate) metric_attributes: Vec<KeyValue>,
    /// Records the duration of a query that succeeds, with the metric's attributes.
    pub(crate) duration: Recurring<Instruments>,
}

/// The use of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    Describe,
    Prepare,
    Run,
}

impl Use {
    /// The name of the operation, if it is not that of the query.
    fn operation(self) -> Option<&'static str> {
        match self {
            Self::Describe => Some("DESCRIBE"),
            Self::Prepare => Some("PREPARE"),
            Self::Run => None,
        }
    }
}

impl Described {
    /// Describes `usage` of a query on the database whose attributes are `base`.
    pub(crate) fn new(info: QueryInfo, usage: Use, is_excluded: bool, base: &[Attribute]) -> Self {
        let (summary, operation) = match usage.operation() {
            Some(operation) => {
                let summary = format!("{operation} {}", info.summary);
                let end = summary.floor_char_boundary(MAX_SUMMARY);
                let summary = summary.get(..end).unwrap_or_default().trim_end();
                (summary.into(), Some(operation.into()))
            }
            None => (info.summary, info.operation),
        };
        let described = [
            (attributes::SUMMARY, Some(&summary)),
            (attributes::OPERATION, operation.as_ref()),
            (attributes::COLLECTION, info.collection.as_ref()),
        ];
        let of_span = [
            (attributes::STORED_PROCEDURE, info.procedure.as_ref()),
            (attributes::TEXT, info.text.as_ref()),
        ];
        let attribute = |(key, value): (&'static str, Option<&Arc<str>>)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some(Attribute::Shared(key, Arc::clone(value)))
        };
        let mut span_attributes = base.to_vec();
        span_attributes.extend(described.into_iter().filter_map(attribute));
        let metric_attributes = span_attributes.iter().map(Attribute::key_value).collect();
        span_attributes.extend(of_span.into_iter().filter_map(attribute));
        Self {
            name: names::intern(&summary),
            summary,
            is_excluded,
            changes_rows: info.changes_rows && usage == Use::Run,
            span_attributes,
            metric_attributes,
            duration: Recurring::default(),
        }
    }
}

/// Caches the descriptions of recently run queries, within bounds.
///
/// Holds up to 1024 queries of up to 64 KiB each, and 4 MiB in all; other queries are described at every run.
/// Each part has two generations. A full generation replaces the older one, and queries that are used again move
/// to the new generation. If a part is locked, the query does not wait, but is described anew.
pub(crate) struct Statements {
    parts: [RwLock<Generations>; PARTS],
    hasher: DefaultHashBuilder,
}

#[derive(Default)]
struct Generations {
    current: HashTable<Entry>,
    /// The total length of the texts in `current`.
    bytes: usize,
    previous: HashTable<Entry>,
}

#[derive(Clone)]
struct Entry {
    sql: Arc<str>,
    variant: Variant,
    described: Arc<Described>,
}

/// The inputs, besides the text, on which a description depends.
type Variant = (Use, QueryText);

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            parts: Default::default(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// The description of `sql`, made by `describe` if it is not cached.
    pub(crate) fn get(
        &self,
        sql: &str,
        usage: Use,
        query_text: QueryText,
        describe: impl FnOnce() -> Described,
    ) -> Arc<Described> {
        if sql.len() > LONGEST_QUERY {
            return Arc::new(describe());
        }
        let key = Key {
            hash: self.hasher.hash_one(sql),
            sql,
            variant: (usage, query_text),
        };
        // The table uses the other bits of the hash.
        let Some(part) = self.parts.get((key.hash >> 32) as usize % PARTS) else {
            return Arc::new(describe());
        };
        let current = part.try_read().ok();
        if let Some(entry) = current.as_ref().and_then(|part| key.find(&part.current)) {
            return Arc::clone(&entry.described);
        }
        drop(current);
        self.renew(part, &key, describe)
    }

    fn renew(
        &self,
        part: &RwLock<Generations>,
        key: &Key<'_>,
        describe: impl FnOnce() -> Described,
    ) -> Arc<Described> {
        let previous = part
            .try_read()
            .ok()
            .and_then(|part| key.find(&part.previous).cloned());
        let entry = previous.unwrap_or_else(|| Entry {
            sql: key.sql.into(),
            variant: key.variant,
            described: Arc::new(describe()),
        });
        let described = Arc::clone(&entry.described);
        if let Ok(mut part) = part.try_write() {
            part.insert(key, entry, |entry| self.hasher.hash_one(&*entry.sql));
        }
        described
    }
}

impl Generations {
    fn insert(&mut self, key: &Key<'_>, entry: Entry, hasher: impl Fn(&Entry) -> u64) {
        if key.find(&self.current).is_some() {
            return;
        }
        let is_full = self.bytes.saturating_add(entry.sql.len()) > MAX_BYTES;
        if is_full || self.current.len() >= CAPACITY {
            self.previous = std::mem::take(&mut self.current);
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(entry.sql.len());
        self.current.insert_unique(key.hash, entry, hasher);
    }
}

/// The cache key of a query.
struct Key<'a> {
    hash: u64,
    sql: &'a str,
    variant: Variant,
}

impl Key<'_> {
    fn find<'t>(&self, table: &'t HashTable<Entry>) -> Option<&'t Entry> {
        table.find(self.hash, |entry| {
            entry.variant == self.variant && *entry.sql == *self.sql
        })
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

/// The maximum number of bytes of a query that are read, so that the time is bounded.
const LONGEST_QUERY: usize = 64 * 1024;
const PARTS: usize = 8;
/// The maximum number of queries in one generation of one part.
const CAPACITY: usize = 64;
/// The maximum number of bytes in one generation of one part.
const MAX_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    fn describe(sql: &str) -> Described {
        let info = QueryInfo::parse(sql, Dialect::Generic, QueryText::Sanitised);
        Described::new(info, Use::Run, false, &[])
    }

    fn get(statements: &Statements, sql: &str) -> Arc<Described> {
        statements.get(sql, Use::Run, QueryText::Sanitised, || describe(sql))
    }

    #[track_caller]
    fn remembered(statements: &Statements, sql: &str) -> Arc<Described> {
        let forgotten = || unreachable!("it is remembered");
        statements.get(sql, Use::Run, QueryText::Sanitised, forgotten)
    }

    /// The numbers of cached queries and of their bytes.
    fn held(statements: &Statements) -> (usize, usize) {
        let mut held = (0, 0);
        for part in &statements.parts {
            let part = part.read().unwrap();
            for entry in part.current.iter().chain(&part.previous) {
                held.0 += 1;
                held.1 += entry.sql.len();
            }
        }
        held
    }

    #[test]
    fn a_query_is_described_once() {
        let statements = Statements::new();
        for length in [0, 5_000, 60_000] {
            let sql = format!("SELECT 1{}", " ".repeat(length));
            let first = get(&statements, &sql);
            assert!(Arc::ptr_eq(&first, &remembered(&statements, &sql)));
        }
    }

    #[test]
    fn a_query_is_described_for_each_use() {
        let statements = Statements::new();
        let get = |usage, query_text| {
            let info = QueryInfo::parse("SELECT 1 FROM t", Dialect::Generic, query_text);
            let described = || Described::new(info, usage, false, &[]);
            let described = statements.get("SELECT 1 FROM t", usage, query_text, described);
            (
                described.summary.to_string(),
                described.span_attributes.len(),
            )
        };
        for _ in 0..2 {
            assert_eq!(get(Use::Run, QueryText::Full), ("SELECT t".to_owned(), 4));
            assert_eq!(get(Use::Run, QueryText::Off), ("SELECT t".to_owned(), 3));
            assert_eq!(get(Use::Prepare, QueryText::Full).0, "PREPARE SELECT t");
            assert_eq!(get(Use::Describe, QueryText::Full).0, "DESCRIBE SELECT t");
        }
    }

    #[test]
    fn a_flood_of_queries_is_bounded_and_spares_what_is_in_use() {
        let statements = Statements::new();
        let kept = get(&statements, "SELECT kept");
        for number in 0..20_000 {
            get(&statements, &format!("SELECT * FROM table_{number}"));
            assert!(Arc::ptr_eq(&kept, &remembered(&statements, "SELECT kept")));
        }
        assert!(held(&statements).0 <= 1024);
    }

    #[test]
    fn a_flood_of_long_queries_takes_4_mib_at_most() {
        let statements = Statements::new();
        for number in 0..300 {
            get(
                &statements,
                &format!("SELECT {number}{}", " ".repeat(50_000)),
            );
        }
        let (queries, bytes) = held(&statements);
        assert!(
            queries > 20 && bytes <= 4 << 20,
            "{queries} of {bytes} bytes"
        );
    }

    #[test]
    fn a_query_of_more_than_64_kib_is_not_kept() {
        let statements = Statements::new();
        get(&statements, &"x".repeat((64 << 10) + 1));
        assert_eq!(held(&statements), (0, 0));
        get(&statements, &"x".repeat(64 << 10));
        assert_eq!(held(&statements), (1, 64 << 10));
    }

    #[test]
    fn a_query_does_not_wait_for_a_part() {
        let statements = Statements::new();
        let held: Vec<_> = statements
            .parts
            .iter()
            .map(|part| part.write().unwrap())
            .collect();
        assert_eq!(&*get(&statements, "SELECT 1").summary, "SELECT");
        drop(held);
    }
}
