//! The part that the plain exporters share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::exporter::shared::Seat;
use crate::item::{DroppedItems, Item};
use crate::mapping::{Mapper, MappingOptions};

/// Timeout of a flush; the one of the SDK's own processors.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// A place at a worker, and the settings to make envelopes.
pub(super) struct Sender {
    instrumentation_key: String,
    options: MappingOptions,
    mapper: Arc<Mapper>,
    /// `None` if `OTEL_SDK_DISABLED` is `true`.
    seat: Option<Seat>,
}

impl Sender {
    pub(super) fn new(
        instrumentation_key: String,
        options: MappingOptions,
        mapper: Arc<Mapper>,
        seat: Option<Seat>,
    ) -> Self {
        Self {
            instrumentation_key,
            options,
            mapper,
            seat,
        }
    }

    pub(super) fn seat(&self) -> Option<&Seat> {
        self.seat.as_ref()
    }

    pub(super) fn mapper(&self) -> &Arc<Mapper> {
        &self.mapper
    }

    pub(super) fn dropped_items(&self) -> Vec<DroppedItems> {
        self.seat().map(Seat::dropped_items).unwrap_or_default()
    }

    /// Sends items, and waits until the service has accepted them or they are on disk.
    pub(super) async fn export(&self, mapper: Arc<Mapper>, items: Vec<Item>) -> OTelSdkResult {
        match self.seat() {
            Some(seat) if !items.is_empty() => {
                let delivery = seat.export(mapper, items);
                delivery.await.map_err(OTelSdkError::from)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn force_flush(&self) -> OTelSdkResult {
        let flush = |seat: &Seat| seat.handle().flush(FLUSH_TIMEOUT);
        self.seat()
            .map_or(Ok(()), flush)
            .map_err(OTelSdkError::from)
    }

    pub(super) fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        let shutdown = |seat: &Seat| seat.shutdown(timeout);
        self.seat()
            .map_or(Ok(()), shutdown)
            .map_err(OTelSdkError::from)
    }

    pub(super) fn set_resource(&mut self, resource: &Resource) {
        self.mapper = Arc::new(self.mapper_of(resource));
    }

    pub(super) fn mapper_of(&self, resource: &Resource) -> Mapper {
        Mapper::new(&self.instrumentation_key, resource, self.options.clone())
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
