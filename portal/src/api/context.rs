use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::store::{NewItem, Store};

/// OTLP in JSON to items; given by the receiver of OTLP.
pub(crate) type OtlpReader = dyn Fn(&[u8]) -> Option<Result<Vec<NewItem>, String>> + Send + Sync;

/// Where the checks stand; given by their runner.
pub(crate) type ChecksView = dyn Fn() -> serde_json::Value + Send + Sync;

/// One way into the portal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EndpointView {
    pub(crate) name: &'static str,
    pub(crate) address: Option<String>,
    /// open, taken or off.
    pub(crate) state: &'static str,
    pub(crate) reason: Option<String>,
}

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) store: Arc<Store>,
    /// What is to be pasted into an application to connect it.
    pub(crate) connection_string: Arc<str>,
    pub(crate) connection_string_tls: Option<Arc<str>>,
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Every way in, and whether it is open.
    pub(crate) endpoints: Arc<[EndpointView]>,
    /// Reads OTLP of files.
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
    /// The largest id that was given to an item.
    pub(crate) fn newest_id(&self) -> i64 {
        self.store.counters().newest_id.load(Ordering::Relaxed)
    }
}
