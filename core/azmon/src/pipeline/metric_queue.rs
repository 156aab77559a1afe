use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use crate::envelope::{Data, Envelope};
use crate::item::Producer;
use crate::item::{DropReason, TelemetryType};
use crate::mapping::Mapper;
use crate::transmission::Transmitter;

/// Puts what a reader collects into the queue of all signals, and does not wait for it to be sent.
///
/// A reader has no time limit for an export, so that one that waits for the network would make a
/// shutdown wait, too.
pub(crate) struct MetricQueue {
    mapper: Arc<Mapper>,
    producer: Producer,
    transmitter: Transmitter,
}

impl MetricQueue {
    pub(crate) fn new(mapper: Arc<Mapper>, producer: Producer, transmitter: Transmitter) -> Self {
        Self {
            mapper,
            producer,
            transmitter,
        }
    }
}

impl PushMetricExporter for MetricQueue {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let (losses, kind) = (self.transmitter.losses(), TelemetryType::CustomMetric);
        self.mapper.map_metrics(metrics, |envelope| {
            if is_about_the_sdk(&envelope) {
                return;
            }
            if self.transmitter.is_closed() {
                losses.count(DropReason::Shutdown, kind, 1);
            } else if self.producer.push(envelope).is_err() {
                losses.count(DropReason::QueueFull, kind, 1);
            }
        });
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// The worker goes on: other signals use it, and whoever owns it ends it.
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

/// Metrics that nobody asked for: the SDK measures itself if it can bind instruments. azmon's own statistics
/// say what was sent and lost.
fn is_about_the_sdk(envelope: &Envelope<'_>) -> bool {
    let Data::Metric(data) = &envelope.data else {
        return false;
    };
    let mut points = data.metrics.iter();
    points.any(|point| point.name.starts_with("otel.sdk."))
}
