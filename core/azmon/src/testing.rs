//! An in-memory destination, for tests of instrumented code.
//!
//! Received items have passed the whole pipeline: the queue, the mapping, the limits, serialisation and compression.
//! They are then decompressed and parsed again.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::read::GzDecoder;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};

use crate::envelope::Envelope;
use crate::item::{ItemCounters, ItemRef};
use crate::mapping::{Mapper, MappingOptions};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Encoder, Reply, SendError, Sending, Transport};
use crate::{ExporterBuilder, Telemetry, TelemetryBuilder};

/// The connection string of in-memory destinations, unless another one is set.
pub const CONNECTION_STRING: &str = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://in-memory.invalid";

/// Keeps the items that are sent to it. Clones share the items.
///
/// # Examples
///
/// ```
/// use azmon::testing::InMemoryDestination;
/// use opentelemetry::trace::{Tracer, TracerProvider};
///
/// let destination = InMemoryDestination::new();
/// let telemetry = azmon::Telemetry::builder()
///     .destination(&destination)
///     .install_globally(false)
///     .build()?;
/// telemetry.tracer_provider().tracer("test").in_span("work", |_| ());
/// telemetry.force_flush()?;
/// assert_eq!(destination.envelopes().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct InMemoryDestination {
    envelopes: Arc<Mutex<Vec<Envelope<'static>>>>,
}

impl InMemoryDestination {
    /// Makes an empty destination.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The received items, in order. Call [`Telemetry::force_flush`] before.
    #[must_use]
    pub fn envelopes(&self) -> Vec<Envelope<'static>> {
        self.lock().clone()
    }

    /// Discards the received items.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Envelope<'static>>> {
        self.envelopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self, body: &[u8]) -> Result<(), SendError> {
        let mut text = Vec::new();
        let read = GzDecoder::new(body).read_to_end(&mut text);
        read.map_err(|error| SendError::new(error.to_string()))?;
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let envelopes: Result<Vec<_>, _> = lines.map(serde_json::from_slice).collect();
        self.lock()
            .extend(envelopes.map_err(|error| SendError::new(error.to_string()))?);
        Ok(())
    }
}

impl Transport for InMemoryDestination {
    fn post(&self, _endpoint: &str, body: Bytes) -> Sending {
        let result = self.receive(&body);
        Box::pin(async move {
            result.map(|()| Reply {
                status: 200,
                ..Reply::default()
            })
        })
    }
}

/// Encodes spans on the calling thread, to measure the work of azmon's own thread.
#[derive(Debug)]
pub struct SpanEncoder {
    mapper: Mapper,
    encoder: Encoder,
    counters: Arc<ItemCounters>,
}

impl SpanEncoder {
    /// Makes an encoder whose items carry `resource`'s role.
    #[must_use]
    pub fn new(resource: &Resource) -> Self {
        let counters = Arc::new(ItemCounters::default());
        Self {
            mapper: Mapper::new("", resource, MappingOptions::default()),
            encoder: Encoder::new(counters.clone(), TelemetryProcessors::default()),
            counters,
        }
    }

    /// Maps spans, cuts them to the limits, serialises and compresses them.
    ///
    /// Returns the bodies of the requests that a worker would send.
    pub fn encode(&mut self, spans: &[SpanData]) -> Vec<Bytes> {
        let mut bodies = Vec::with_capacity(1);
        let items = spans.iter().map(|span| ItemRef::Span(span.into()));
        let roots = items.clone().filter(|item| item.is_root());
        let others = items.filter(|item| !item.is_root());
        for item in roots.chain(others) {
            self.counters.take([item.label()]);
            let full = self.encoder.add(&self.mapper, item);
            bodies.extend(full.map(|batch| batch.body));
        }
        bodies.extend(self.encoder.finish().map(|batch| batch.body));
        bodies
    }
}

impl TelemetryBuilder {
    /// Sends to memory instead of the network, under [`CONNECTION_STRING`]; the environment is not read.
    ///
    /// The built-in metrics are disabled: standard metrics, performance counters and SDK statistics. Enable the ones
    /// that a test needs afterwards.
    #[must_use]
    pub fn destination(self, destination: &InMemoryDestination) -> Self {
        self.connection_string(CONNECTION_STRING)
            .environment(|_| None)
            .standard_metrics(false)
            .performance_counters(false)
            .sdk_statistics(false)
            .transport(Arc::new(destination.clone()))
    }
}

impl<E> ExporterBuilder<E> {
    /// Sends to memory instead of the network, under [`CONNECTION_STRING`]; the environment is not read.
    #[must_use]
    pub fn destination(self, destination: &InMemoryDestination) -> Self {
        self.connection_string(CONNECTION_STRING)
            .environment(|_| None)
            .transport(Arc::new(destination.clone()))
    }
}

/// Runs `work` with its own tracer provider, and returns the items that it would have sent.
///
/// Nothing is installed globally, so tests can run concurrently.
///
/// # Panics
///
/// Panics if telemetry cannot be set up or does not arrive, which is a failure of the test.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::{Tracer, TracerProvider};
///
/// let envelopes = azmon::testing::captured(|provider| {
///     provider.tracer("test").in_span("work", |_| ());
/// });
/// assert_eq!(envelopes[0].name, "Microsoft.ApplicationInsights.RemoteDependency");
/// ```
#[expect(clippy::expect_used, reason = "a test helper: documented to panic")]
pub fn captured(work: impl FnOnce(&SdkTracerProvider)) -> Vec<Envelope<'static>> {
    let destination = InMemoryDestination::new();
    let telemetry = Telemetry::builder()
        .destination(&destination)
        .service_name("test")
        .install_globally(false)
        .build()
        .expect("telemetry in memory can be set up");
    work(telemetry.tracer_provider());
    telemetry
        .force_flush()
        .expect("telemetry in memory arrives");
    destination.envelopes()
}
