//! The attributes of spans and metrics, by OpenTelemetry's conventions for databases.

/// The attribute of a query, stream or transaction that was dropped before its end: true.
///
/// OpenTelemetry has none for this.
pub const DROPPED: &str = "azmon.dropped";

/// OpenTelemetry has none for this either, but one for the rows that are returned.
pub(crate) const AFFECTED_ROWS: &str = "db.response.affected_rows";
pub(crate) const COLLECTION: &str = "db.collection.name";
pub(crate) const ERROR_TYPE: &str = "error.type";
pub(crate) const NAMESPACE: &str = "db.namespace";
pub(crate) const OPERATION: &str = "db.operation.name";
pub(crate) const POOL_NAME: &str = "db.client.connection.pool.name";
pub(crate) const RETURNED_ROWS: &str = "db.response.returned_rows";
pub(crate) const SERVER_ADDRESS: &str = "server.address";
pub(crate) const SERVER_PORT: &str = "server.port";
pub(crate) const STATE: &str = "db.client.connection.state";
pub(crate) const STATUS_CODE: &str = "db.response.status_code";
pub(crate) const SUMMARY: &str = "db.query.summary";
pub(crate) const SYSTEM: &str = "db.system.name";
pub(crate) const TEXT: &str = "db.query.text";
