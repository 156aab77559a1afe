//! A cache in memory with hand-written spans, so that its calls look like those of a remote cache.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use opentelemetry::trace::{Span, SpanKind, Tracer};
use opentelemetry::{KeyValue, global};

/// The duration of a call.
const DELAY: Duration = Duration::from_micros(400);
/// The maximum number of entries. When it is reached, all entries are dropped.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: Mutex<HashMap<String, String>>,
}

impl Cache {
    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        let mut span = span("GET");
        tokio::time::sleep(DELAY).await;
        let entries = self
            .entries
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let value = entries.get(key).cloned();
        span.set_attribute(KeyValue::new("cache.hit", value.is_some()));
        span.end();
        value
    }

    pub(crate) async fn set(&self, key: &str, value: String) {
        let mut span = span("SET");
        tokio::time::sleep(DELAY).await;
        let mut entries = self
            .entries
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(key.to_owned(), value);
        span.end();
    }
}

fn span(operation: &'static str) -> impl Span {
    let tracer = global::tracer("cache");
    let attributes = [
        KeyValue::new("db.system.name", "redis"),
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("server.address", "cache"),
        KeyValue::new("server.port", 6379),
    ];
    let span = tracer.span_builder(format!("{operation} product"));
    tracer.build(span.with_kind(SpanKind::Client).with_attributes(attributes))
}
