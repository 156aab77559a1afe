use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::store::{NewItem, Store};

/// Converts OTLP JSON to items. The OTLP receiver provides it.
pub(crate) type OtlpReader = dyn Fn(&[u8]) -> Option<Result<Vec<NewItem>, String>> + Send + Sync;

/// Where the checks stand; given by their runner.
pub(crate) type ChecksView = dyn Fn() -> serde_json::Value + Send + Sync;

/// One endpoint of the portal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EndpointView {
    pub(crate) name: &'static str,
    pub(crate) address: Option<String>,
    /// open, taken or off.
    pub(crate) state: &'static str,
    pub(crate) reason: Option<String>,
}

/// The state that all handlers share.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) store: Arc<Store>,
    /// The connection string for applications.
    pub(crate) connection_string: Arc<str>,
    pub(crate) connection_string_tls: Option<Arc<str>>,
    pub(crate) tls_certificate: Option<PathBuf>,
    /// All endpoints, with their states.
    pub(crate) endpoints: Arc<[EndpointView]>,
    /// Reads OTLP from files.
    pub(crate) otlp: Option<Arc<OtlpReader>>,
    pub(crate) checks: Arc<ChecksView>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The id of the newest item.
    pub(crate) fn newest_id(&self) -> i64 {
        self.store.counters().newest_id.load(Ordering::Relaxed)
    }
}
