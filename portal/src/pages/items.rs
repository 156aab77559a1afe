use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::pages::layout::{Layout, is_known, show_tagged, tag, unchanged};
use crate::pages::row::Row;
use crate::pages::{MAX_ROWS, format};
use crate::server::{ApiError, Context};
use crate::store::{ItemKind, Query, Statistics};

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    kind: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "items.html")]
struct Items {
    layout: Layout,
    connection_string: String,
    filters: Vec<Filter>,
    is_empty: bool,
    rows: Vec<Row>,
    /// What is said when there are more items than are shown.
    more: Option<String>,
}

/// A link that shows only the items of one kind.
#[derive(Debug)]
struct Filter {
    label: &'static str,
    href: String,
    count: String,
    is_chosen: bool,
}

/// The newest items.
pub(super) async fn page(
    State(context): State<Context>,
    parameters: Result<UrlQuery<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // A page is for people: what names no kind shows everything.
    let kind = parameters
        .ok()
        .and_then(|UrlQuery(parameters)| parameters.kind);
    let kind = kind.and_then(|kind| kind.parse().ok());
    let statistics = context.store.statistics();
    let tag = tag(&context, &statistics);
    if is_known(&headers, &tag) {
        return Ok(unchanged(tag));
    }
    let mut items = context.store.newest(&Query {
        kind,
        limit: MAX_ROWS,
        ..Query::default()
    });
    items.sort_by_key(|item| std::cmp::Reverse(item.envelope().time));
    let page = Items {
        connection_string: context.connection_string.to_string(),
        filters: filters(&statistics, kind),
        is_empty: statistics.items == 0,
        rows: items.iter().map(|item| Row::new(item)).collect(),
        more: more(&statistics, kind),
        layout: Layout::new("Newest items", &statistics),
    };
    show_tagged(&page, tag)
}

fn more(statistics: &Statistics, kind: Option<ItemKind>) -> Option<String> {
    let matching = kind.map_or(statistics.items, |kind| statistics.of_kind(kind));
    (matching > MAX_ROWS).then(|| {
        let matching = format::count(matching as u64);
        format!("The newest {MAX_ROWS} of {matching} are shown.")
    })
}

/// All, and each kind that is there or chosen.
fn filters(statistics: &Statistics, chosen: Option<ItemKind>) -> Vec<Filter> {
    let all = Filter {
        label: "All",
        href: "/".to_owned(),
        count: format::count(statistics.items as u64),
        is_chosen: chosen.is_none(),
    };
    let of_kinds = ItemKind::ALL.into_iter().filter_map(|kind| {
        let count = statistics.of_kind(kind);
        (count > 0 || chosen == Some(kind)).then(|| Filter {
            label: kind.plural(),
            href: format!("/?kind={kind}"),
            count: format::count(count as u64),
            is_chosen: chosen == Some(kind),
        })
    });
    std::iter::once(all).chain(of_kinds).collect()
}
