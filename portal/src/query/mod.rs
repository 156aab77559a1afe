//! The query language over the portal's data, and the query API of Application Insights and Log Analytics.
//!
//! ```text
//! POST /v1/workspaces/{id}/query ─► rest ─► azmon_kql::run ─► catalog, table ─► store
//! ```
//! Timestamps and durations have microsecond precision, as the store keeps them beside the JSON.

mod answer;
mod catalog;
mod columns;
mod editor;
mod rest;
mod timespan;

pub(crate) use self::rest::routes;
