use azmon_envelope::{Data, MetricPoint, SeverityLevel, tags};

use crate::pages::format::{self, Moment};
use crate::pages::timeline::Bar;
use crate::store::{Item, ItemKind};

/// Longest name of a row, in characters; the item's page shows all of it.
const MAX_NAME: usize = 200;

/// An item as one line of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) kind: ItemKind,
    pub(super) moment: Moment,
    pub(super) name: String,
    /// What tells the item from others of its name: a dependency's target, a metric's value, a trace's severity.
    pub(super) detail: String,
    pub(super) duration: String,
    pub(super) result: String,
    pub(super) success: Option<bool>,
    pub(super) role: String,
    pub(super) operation: Option<String>,
    pub(super) bar: Option<Bar>,
}

impl Row {
    pub(super) fn new(item: &Item) -> Self {
        Self {
            id: item.id(),
            kind: item.kind(),
            moment: Moment::new(item.envelope().time),
            name: shorten(&item.name()),
            detail: shorten(&detail(item)),
            duration: item.duration().map(format::duration).unwrap_or_default(),
            result: shorten(item.result_code().unwrap_or_default()),
            success: item.success(),
            role: shorten(item.tag(tags::CLOUD_ROLE).unwrap_or_default()),
            operation: item.operation_id().map(str::to_owned),
            bar: None,
        }
    }

    pub(super) fn with_bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }
}

fn detail(item: &Item) -> String {
    let own = match &item.envelope().data {
        Data::RemoteDependency(data) => [&data.dependency_type, &data.target]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .map(AsRef::as_ref)
            .collect::<Vec<_>>()
            .join(" · "),
        Data::Message(data) => severity(data.severity_level),
        Data::Exception(data) => severity(data.severity_level),
        Data::Metric(data) => data.metrics.first().map(measured).unwrap_or_default(),
        _ => String::new(),
    };
    let operation = item.operation_name().filter(|name| *name != item.name());
    match (own.is_empty(), operation) {
        (true, Some(operation)) => format!("in {operation}"),
        (false, Some(operation)) => format!("{own} · in {operation}"),
        (_, None) => own,
    }
}

fn severity(level: Option<SeverityLevel>) -> String {
    level.map(|level| format!("{level:?}")).unwrap_or_default()
}

fn measured(point: &MetricPoint<'_>) -> String {
    match point.count {
        Some(count) if count > 1 => format!("{} in {count} values", point.value),
        _ => point.value.to_string(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
