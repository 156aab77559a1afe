//! The cells of a row, from the item's series if that is exact, else from its JSON.

use std::collections::HashMap;
use std::sync::Arc;

use azmon_kql::{Column, ColumnBuilder, Type, UNIX_EPOCH, Value};
use serde_json::Value as Json;

use super::columns::Source;
use super::document::Document;
use crate::store::{Dims, OTHERS, TableRow};

/// Ticks in a microsecond.
pub(super) const TICKS: i64 = 10;

/// Collects a column; JSON is unchanged.
pub(super) enum Builder {
    Values(ColumnBuilder),
    Json(Vec<Arc<str>>),
}

impl Builder {
    pub(super) fn new(ty: Type) -> Self {
        if ty == Type::Dynamic {
            Self::Json(Vec::new())
        } else {
            Self::Values(ColumnBuilder::new(ty))
        }
    }

    fn push(&mut self, value: Value) {
        match self {
            Self::Values(builder) => builder.push(value),
            Self::Json(texts) => texts.push(Arc::from(&*value.to_text())),
        }
    }

    fn push_text(&mut self, text: &str) {
        match self {
            Self::Values(builder) => builder.push_text(text),
            Self::Json(texts) => texts.push(Arc::from(text)),
        }
    }

    fn push_long(&mut self, number: i64) {
        match self {
            Self::Values(builder) => builder.push_long(number),
            Self::Json(texts) => texts.push(Arc::from(number.to_string())),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Values(builder) => builder.push_null(),
            Self::Json(texts) => texts.push(Arc::from("")),
        }
    }

    pub(super) fn finish(self) -> Column {
        match self {
            Self::Values(builder) => builder.finish(),
            Self::Json(texts) => Column::from_json(texts),
        }
    }
}

/// Columns, the requested column, texts of series, and the value of `itemType`.
pub(super) type Target<'a> = (
    &'a [(Type, Source)],
    usize,
    &'a mut HashMap<(i64, usize), Value>,
    &'static str,
);

/// Adds the value of a row to a column, from its series if that is exact, else from its JSON.
pub(super) fn push(
    (columns, column, texts, item_type): Target<'_>,
    row: &TableRow,
    (series, document): (Option<&Dims>, Option<&Document<'_>>),
    builder: &mut Builder,
) {
    let Some((ty, source)) = columns.get(column).copied() else {
        return;
    };
    if let Some(text) = series.and_then(|dims| dimension(dims, source)) {
        let value = texts
            .entry((row.series, column))
            .or_insert_with(|| Value::text(text));
        return builder.push(value.clone());
    }
    let text = |path: &[&str]| document.map_or_else(String::new, |document| document.text(path));
    match source {
        Source::Timestamp => {
            builder.push_long(row.time.saturating_mul(TICKS).saturating_add(UNIX_EPOCH))
        }
        Source::ItemType => builder.push_text(item_type),
        Source::ItemId => builder.push_text(&row.id.to_string()),
        Source::ItemCount => builder.push_long(row.weight),
        Source::Duration => match row.duration {
            Some(duration) => builder.push(Value::Real(milliseconds(duration))),
            None => builder.push_null(),
        },
        Source::PerformanceBucket => builder.push_text(row.duration.map_or("", bucket)),
        Source::Success(path) => {
            let is_failed = text(&of_data(path)).eq_ignore_ascii_case("false");
            builder.push_text(if is_failed { "False" } else { "True" });
        }
        Source::Data(path) => {
            let path = of_data(path);
            match (ty, document) {
                (_, None) => builder.push_null(),
                (Type::Dynamic, Some(document)) => match document.json(&path) {
                    Some(json) => builder.push_text(&json),
                    None => builder.push_null(),
                },
                (_, Some(document)) => match document.value(&path) {
                    Some(value) => push_json(&value, ty, builder),
                    None => builder.push_null(),
                },
            }
        }
        Source::Problem => {
            let id = document.map_or_else(String::new, Document::problem_id);
            builder.push_text(&id);
        }
        Source::Tag(key) => builder.push_text(&text(&["tags", key])),
        Source::InstrumentationKey => builder.push_text(&text(&["iKey"])),
        Source::Nothing => builder.push_null(),
    }
}

fn of_data(path: &'static [&'static str]) -> Vec<&'static str> {
    ["data", "baseData"]
        .into_iter()
        .chain(path.iter().copied())
        .collect()
}

const NAME: Source = Source::Data(&["name"]);
const SUCCESS: Source = Source::Success(&["success"]);
const ROLE: Source = Source::Tag("ai.cloud.role");
const REQUEST_RESULT: Source = Source::Data(&["responseCode"]);
const RESULT: Source = Source::Data(&["resultCode"]);

/// Whether series are grouped by this column, so that its value is known without the JSON.
pub(super) fn is_dimension(source: Source) -> bool {
    [
        NAME,
        SUCCESS,
        ROLE,
        REQUEST_RESULT,
        RESULT,
        Source::Problem,
        Source::InstrumentationKey,
    ]
    .contains(&source)
}

/// Whether the texts of the series equal those of its items: neither truncated nor grouped.
pub(super) fn is_exact(dims: &Dims) -> bool {
    const SHORTEST_CUT: usize = 64;

    let texts = [&dims.app, &dims.role, &dims.name, &dims.result];
    !dims.is_browser
        && texts
            .into_iter()
            .all(|text| text.len() < SHORTEST_CUT && text != OTHERS)
}

fn dimension(dims: &Dims, source: Source) -> Option<&str> {
    Some(match source {
        // The series of exceptions have the problem as their name.
        NAME | Source::Problem => &dims.name,
        ROLE => &dims.role,
        REQUEST_RESULT | RESULT => &dims.result,
        Source::InstrumentationKey => &dims.app,
        SUCCESS => match dims.success? {
            true => "True",
            false => "False",
        },
        _ => return None,
    })
}

pub(super) fn needs_json(source: Source) -> bool {
    matches!(
        source,
        Source::Data(_)
            | Source::Success(_)
            | Source::Problem
            | Source::Tag(_)
            | Source::InstrumentationKey
    )
}

fn push_json(value: &Json, ty: Type, builder: &mut Builder) {
    match (ty, value) {
        (_, Json::Null) => builder.push_null(),
        (Type::Int, Json::String(level)) => match severity(level) {
            Some(level) => builder.push_long(level),
            None => builder.push(Value::text(level)),
        },
        (_, Json::String(text)) => builder.push_text(text),
        (_, other) => builder.push(Value::text(other.to_string())),
    }
}

fn severity(name: &str) -> Option<i64> {
    const LEVELS: [&str; 5] = ["Verbose", "Information", "Warning", "Error", "Critical"];

    let level = LEVELS
        .iter()
        .position(|level| level.eq_ignore_ascii_case(name))?;
    i64::try_from(level).ok()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations are far below 2^53 microseconds"
)]
fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

/// The performance bucket of Application Insights for a duration in microseconds.
fn bucket(micros: i64) -> &'static str {
    const BUCKETS: [(i64, &str); 10] = [
        (250, "<250ms"),
        (500, "250ms-500ms"),
        (1_000, "500ms-1sec"),
        (3_000, "1sec-3sec"),
        (7_000, "3sec-7sec"),
        (15_000, "7sec-15sec"),
        (30_000, "15sec-30sec"),
        (60_000, "30sec-1min"),
        (120_000, "1min-2min"),
        (300_000, "2min-5min"),
    ];
    let below = BUCKETS.iter().find(|(bound, _)| micros < bound * 1000);
    below.map_or(">=5min", |(_, name)| name)
}
