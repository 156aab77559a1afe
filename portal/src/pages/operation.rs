use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use azmon_envelope::tags;

use crate::pages::format::{self, Moment};
use crate::pages::layout::{Layout, is_known, show_missing, show_tagged, tag, unchanged};
use crate::pages::row::Row;
use crate::pages::timeline::Timeline;
use crate::server::{ApiError, Context};
use crate::store::{Item, Query};

/// The most items of an operation that are shown.
const MAX_ROWS: usize = 1_000;

const NOT_HERE: &str = "This operation is not here";

#[derive(Debug, Template)]
#[template(path = "operation.html")]
struct Operation {
    layout: Layout,
    id: String,
    name: String,
    start: Option<Moment>,
    duration: String,
    count: String,
    roles: String,
    has_failed: bool,
    rows: Vec<Row>,
}

/// All items of an operation, in the order in which they happened.
pub(super) async fn page(
    State(context): State<Context>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Ok(Path(id)) = id else {
        return show_missing(&context, NOT_HERE);
    };
    let statistics = context.store.statistics();
    let tag = tag(&context, &statistics);
    if is_known(&headers, &tag) {
        return Ok(unchanged(tag));
    }
    let mut items = context.store.newest(&Query {
        operation: Some(id.clone()),
        limit: MAX_ROWS,
        ..Query::default()
    });
    if items.is_empty() {
        return show_missing(&context, NOT_HERE);
    }
    items.reverse();
    items.sort_by_key(|item| item.envelope().time);
    let name = name(&items).to_owned();
    let layout = Layout::new(name.as_str(), &statistics);
    show_tagged(&Operation::new(layout, id, name, &items), tag)
}

impl Operation {
    fn new(layout: Layout, id: String, name: String, items: &[Arc<Item>]) -> Self {
        let timeline = Timeline::of(items.iter().map(AsRef::as_ref));
        let row = |item: &Arc<Item>| match &timeline {
            Some(timeline) => Row::new(item).with_bar(timeline.bar(item)),
            None => Row::new(item),
        };
        let roles: BTreeSet<_> = items
            .iter()
            .filter_map(|item| item.tag(tags::CLOUD_ROLE))
            .collect();
        Self {
            layout,
            id,
            name,
            start: items.first().map(|item| Moment::new(item.envelope().time)),
            duration: timeline
                .as_ref()
                .map(|timeline| format::duration(timeline.length()))
                .unwrap_or_default(),
            count: format::counted(items.len(), "item"),
            roles: roles.into_iter().collect::<Vec<_>>().join(", "),
            has_failed: items.iter().any(|item| item.success() == Some(false)),
            rows: items.iter().map(row).collect(),
        }
    }
}

fn name(items: &[Arc<Item>]) -> &str {
    items
        .iter()
        .find_map(|item| item.operation_name())
        .unwrap_or("Operation")
}
