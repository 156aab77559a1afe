//! The query language over the portal's data, and the query API of Application Insights and Log Analytics.
//!
//! ```text
//! POST /v1/workspaces/{id}/query ─► routes ─► rest ─► azmon_kql::run ─► catalog, table ─► store
//! ```
//! Timestamps and durations have microsecond precision, like the store's columns.

mod answer;
mod batch;
mod catalog;
mod cells;
mod columns;
mod document;
mod editor;
mod metadata;
mod rest;
mod routes;
mod search;
#[cfg(test)]
mod tests;
mod timespan;

pub(crate) use self::catalog::Tables;
pub(crate) use self::routes::routes;
