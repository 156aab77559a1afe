use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::mapping::{Mapper, MappingOptions};
use crate::transmission::{Exported, Transmitter};

/// How long a flush waits; that of the SDK's own processors.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// What the plain exporters have in common: a worker of their own, and how to make envelopes.
pub(super) struct Sender {
    instrumentation_key: String,
    options: MappingOptions,
    mapper: Arc<Mapper>,
    transmitter: Transmitter,
}

impl Sender {
    pub(super) fn new(
        instrumentation_key: String,
        options: MappingOptions,
        mapper: Arc<Mapper>,
        transmitter: Transmitter,
    ) -> Self {
        Self {
            instrumentation_key,
            options,
            mapper,
            transmitter,
        }
    }

    pub(super) fn transmitter(&self) -> &Transmitter {
        &self.transmitter
    }

    /// Sends items, and waits for the answer of the service.
    pub(super) async fn export(&self, items: Exported) -> OTelSdkResult {
        let delivery = self.transmitter.export(self.mapper.clone(), items);
        delivery.await.map_err(OTelSdkError::from)
    }

    pub(super) fn force_flush(&self) -> OTelSdkResult {
        self.transmitter
            .flush(FLUSH_TIMEOUT)
            .map_err(OTelSdkError::from)
    }

    pub(super) fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        self.transmitter
            .shutdown(timeout)
            .map_err(OTelSdkError::from)
    }

    pub(super) fn set_resource(&mut self, resource: &Resource) {
        let mapper = Mapper::new(&self.instrumentation_key, resource, self.options.clone());
        self.mapper = Arc::new(mapper);
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
