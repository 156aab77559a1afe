use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use crate::envelope::{Data, Envelope};
use crate::item::{DropReason, ItemLabel, Producer, Signal, TelemetryType};
use crate::mapping::Mapper;
use crate::transmission::WorkerHandle;

const LABEL: ItemLabel = ItemLabel {
    signal: Signal::Metrics,
    telemetry_type: TelemetryType::CustomMetric,
    success: None,
};

/// Puts the metrics of a reader into the queue of all signals, without waiting for delivery.
///
/// A reader has no time limit for an export: an exporter that waited for the network would delay the shutdown.
pub(crate) struct QueueMetricExporter {
    mapper: Arc<Mapper>,
    producer: Producer,
    handle: WorkerHandle,
    end: Arc<LastCollection>,
}

/// Whether the reader has performed its last collection: other readers may take longer.
#[derive(Debug, Default)]
pub(crate) struct LastCollection {
    is_over: Mutex<bool>,
    changed: Condvar,
}

impl LastCollection {
    fn notify(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until the last metrics are in the queue.
    pub(crate) fn wait(&self, timeout: Duration) {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(is_over, timeout, |over| !*over);
        drop(waited);
    }
}

impl QueueMetricExporter {
    pub(crate) fn new(
        mapper: Arc<Mapper>,
        producer: Producer,
        handle: WorkerHandle,
        end: Arc<LastCollection>,
    ) -> Self {
        Self {
            mapper,
            producer,
            handle,
            end,
        }
    }
}

impl PushMetricExporter for QueueMetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let counters = self.handle.counters();
        self.mapper.map_metrics(metrics, |envelope| {
            if is_about_the_sdk(&envelope) {
                return;
            }
            if self.handle.is_closed(Signal::Metrics) {
                counters.count(DropReason::Shutdown, LABEL, 1);
            } else if self.producer.push(envelope).is_err() {
                counters.count(DropReason::QueueFull, LABEL, 1);
            }
        });
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// Leaves the worker running: other signals use it, and its owner ends it.
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.end.notify();
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

/// Whether a metric is about the SDK itself, which the SDK records if it can bind instruments. azmon drops such
/// metrics: its own statistics report sent and lost items.
pub(crate) fn is_about_the_sdk(envelope: &Envelope<'_>) -> bool {
    let Data::Metric(data) = &envelope.data else {
        return false;
    };
    let mut points = data.metrics.iter();
    points.any(|point| point.name.starts_with("otel.sdk."))
}
