//! The attributes of spans and metrics, by OpenTelemetry's semantic conventions for databases.

use std::sync::Arc;

use opentelemetry::KeyValue;

/// An attribute that is recorded repeatedly: cloning a [`KeyValue`] costs three times as much as making one from
/// this.
#[derive(Debug, Clone)]
pub(crate) enum Attribute {
    Number(&'static str, i64),
    Shared(&'static str, Arc<str>),
    Static(&'static str, &'static str),
}

impl Attribute {
    pub(crate) fn key_value(&self) -> KeyValue {
        match self {
            Self::Number(key, value) => KeyValue::new(*key, *value),
            Self::Shared(key, value) => KeyValue::new(*key, Arc::clone(value)),
            Self::Static(key, value) => KeyValue::new(*key, *value),
        }
    }
}

/// The attribute of a query, stream or transaction that was dropped before its end. Its value is `true`.
///
/// OpenTelemetry defines no attribute for this.
pub const DROPPED: &str = "azmon.dropped";

/// OpenTelemetry defines an attribute for returned rows, but none for affected rows.
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
pub(crate) const STORED_PROCEDURE: &str = "db.stored_procedure.name";
pub(crate) const SUMMARY: &str = "db.query.summary";
pub(crate) const SYSTEM: &str = "db.system.name";
pub(crate) const TEXT: &str = "db.query.text";
