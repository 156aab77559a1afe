//! The query language over what the portal holds, and the query API of Application Insights and Log Analytics.
//!
//! ```text
//! POST /v1/workspaces/{id}/query ─► rest ─► azmon_kql::run ─► catalog, table ─► store
//! ```
//! Timestamps and durations have microseconds, as the store keeps them beside the JSON.

mod answer;
mod batch;
mod catalog;
mod columns;
mod document;
mod editor;
mod metadata;
mod rest;
#[cfg(test)]
mod tests;
mod timespan;

pub(crate) use self::catalog::Tables;
pub(crate) use self::rest::routes;
