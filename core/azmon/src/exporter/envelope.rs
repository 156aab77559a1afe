use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;

use crate::config::{Choices, Lookup, Settings, builder_setters, environment};
use crate::envelope::Envelope;
use crate::error::{BuildError, BuildErrorKind, DeliveryError};
use crate::item::{DropReason, DroppedItems, Item, Producer, QueueLimits};
use crate::live_metrics::{LiveStreams, StreamClients};
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::WorkerBuilder;
use crate::storage::Storage;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{WorkerExtensions, WorkerHandle};

/// Maximum number of waiting items: seconds of a busy sender.
const QUEUE_ITEMS: usize = 65_536;
/// Maximum size of waiting items, in bytes.
const QUEUE_BYTES: usize = 64 << 20;
/// Number of waiting items that wakes the worker.
const BATCH: usize = 512;

/// Sends finished [envelopes](crate::envelope), such as those that another program sent.
///
/// Envelopes wait in a bounded queue; [`try_send`](Self::try_send) fails if it is full. They are cut to the limits,
/// batched, compressed, sent and retried exactly as azmon's own items are. An envelope without an instrumentation key
/// gets the key of the connection string.
///
/// # Examples
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
///
/// use azmon::EnvelopeExporter;
/// use azmon::envelope::{Data, Envelope, EventData, Measurements, Properties, SCHEMA_VERSION};
///
/// let exporter = EnvelopeExporter::builder().build()?; // APPLICATIONINSIGHTS_CONNECTION_STRING
/// let event = Data::Event(EventData {
///     ver: SCHEMA_VERSION,
///     name: "checkout".into(),
///     properties: Properties::new(),
///     measurements: Measurements::new(),
/// });
/// if exporter.try_send(vec![Envelope::new(SystemTime::now(), event)]).is_err() {
///     println!("too much waits");
/// }
/// exporter.shutdown(Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EnvelopeExporter {
    instrumentation_key: String,
    producer: Producer,
    handle: WorkerHandle,
    /// `None` where live metrics are off.
    live_metrics: Option<Arc<LiveStreams>>,
    /// Serialises senders, so that the check for room and the push are one step.
    room: Mutex<()>,
}

/// Settings of an [`EnvelopeExporter`]. Code takes precedence over the environment, and the environment over the
/// default.
pub struct EnvelopeExporterBuilder {
    choices: Choices,
    queue_items: usize,
    queue_bytes: usize,
    /// The resource of all live metrics; `None` for that of each envelope.
    live_metrics_key: Option<String>,
    environment: Lookup,
}

/// The queue has no room for the envelopes, which the error returns.
#[derive(Debug, thiserror::Error)]
#[error("the queue has no room for {} envelopes", .0.len())]
pub struct QueueFullError(pub Vec<Envelope<'static>>);

impl EnvelopeExporter {
    /// Starts to configure an exporter.
    #[must_use]
    pub fn builder() -> EnvelopeExporterBuilder {
        EnvelopeExporterBuilder {
            choices: Choices::default(),
            queue_items: QUEUE_ITEMS,
            queue_bytes: QUEUE_BYTES,
            live_metrics_key: None,
            environment: Box::new(environment::of_process),
        }
    }

    /// Queues all envelopes or none. Never blocks.
    ///
    /// # Errors
    ///
    /// Fails if the queue's limits would be exceeded, or after a shutdown.
    pub fn try_send(&self, envelopes: Vec<Envelope<'static>>) -> Result<(), QueueFullError> {
        let items: Vec<_> = envelopes.into_iter().map(|one| self.to_item(one)).collect();
        let bytes = items.iter().map(Item::size).sum();
        let _one_at_a_time = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if self.handle.is_shut_down() || !self.producer.has_room(items.len(), bytes) {
            return Err(QueueFullError(items.into_iter().filter_map(made).collect()));
        }
        for item in items {
            if let Err(item) = self.producer.push(item) {
                // The queue had room before, so the worker has ended in between.
                let counters = self.handle.counters();
                counters.count(DropReason::Shutdown, item.label(), 1);
            }
        }
        Ok(())
    }

    /// Whether the queue has room for this number of envelopes. The check ignores their size.
    #[must_use]
    pub fn has_room(&self, envelopes: usize) -> bool {
        !self.handle.is_shut_down() && self.producer.has_room(envelopes, 0)
    }

    /// The number of envelopes that wait in the queue.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.producer.waiting()
    }

    /// Sends all waiting envelopes, and waits for the answers of the service. Blocks the thread.
    ///
    /// # Errors
    ///
    /// Fails if some envelopes were not delivered within `timeout`.
    pub fn force_flush(&self, timeout: Duration) -> Result<(), DeliveryError> {
        Ok(self.handle.flush(timeout)?)
    }

    /// Refuses further envelopes, sends as many as it can within `timeout`, stores the others on disk, and ends the
    /// worker. Blocks the thread.
    ///
    /// # Errors
    ///
    /// Fails if some envelopes were not delivered.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), DeliveryError> {
        Ok(self.handle.shutdown(timeout)?)
    }

    /// The items dropped since the start, by reason and type.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.handle.counters().dropped().collect()
    }

    /// The live metrics of those whose envelopes it sends. It shows nothing by itself, since sampling comes before it.
    #[doc(hidden)]
    #[must_use]
    pub fn live_metrics(&self) -> Option<Arc<LiveStreams>> {
        self.live_metrics.clone()
    }

    fn to_item(&self, mut envelope: Envelope<'static>) -> Item {
        if envelope.i_key.is_empty() {
            envelope.i_key = Cow::Owned(self.instrumentation_key.clone());
        }
        Item::from(envelope)
    }
}

/// The envelope inside an item.
fn made(item: Item) -> Option<Envelope<'static>> {
    match item {
        Item::Envelope(envelope) => Some(*envelope),
        Item::Span(_) | Item::Log(_) => None,
    }
}

impl EnvelopeExporterBuilder {
    builder_setters!();

    /// Sets the maximum number of waiting envelopes. Defaults to 65,536.
    #[must_use]
    pub fn max_queue_items(mut self, items: usize) -> Self {
        self.queue_items = items;
        self
    }

    /// Sets the maximum size of waiting envelopes, in bytes. Defaults to 64 MiB.
    #[must_use]
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Switches [`EnvelopeExporter::live_metrics`] on or off. Defaults to the variable `AZMON_LIVE_METRICS`, and then to
    /// on where the connection string has a live endpoint.
    #[doc(hidden)]
    #[must_use]
    pub fn live_metrics(mut self, enabled: bool) -> Self {
        self.choices.live_metrics = Some(enabled);
        self
    }

    /// Sends all live metrics to the resource of this key, whatever keys the envelopes have.
    #[doc(hidden)]
    #[must_use]
    pub fn live_metrics_key(mut self, instrumentation_key: impl Into<String>) -> Self {
        self.live_metrics_key = Some(instrumentation_key.into());
        self
    }

    /// Starts the worker thread.
    ///
    /// # Errors
    ///
    /// Fails if the connection string is missing or invalid, or if the worker thread, its event loop or TLS cannot be
    /// initialised.
    pub fn build(self) -> Result<EnvelopeExporter, BuildError> {
        let settings = Settings::resolve(self.choices, &self.environment)?;
        let connection = settings
            .connection_string
            .ok_or(BuildErrorKind::NoConnectionString)?;
        let key = connection.instrumentation_key().to_owned();
        let has_live_metrics = settings.live.is_some();
        let streams = has_live_metrics.then(|| StreamClients::new(&key, self.live_metrics_key));
        let live_metrics = streams.as_ref().map(StreamClients::streams);
        // No mapping takes place: envelopes are complete.
        let nothing = Resource::builder_empty().build();
        let builder = WorkerBuilder {
            connection: &connection,
            transport: None,
            network: settings.network,
            storage: settings.storage,
            max_export_delay: settings.max_export_delay,
            limits: QueueLimits {
                items: self.queue_items,
                bytes: self.queue_bytes,
                batch: BATCH,
            },
            mapper: Arc::new(Mapper::new(&key, &nothing, MappingOptions::default())),
            processors: TelemetryProcessors::default(),
        };
        let (producer, handle) = builder.start_with(WorkerExtensions {
            streams,
            ..WorkerExtensions::default()
        })?;
        Ok(EnvelopeExporter {
            instrumentation_key: key,
            producer,
            handle,
            live_metrics,
            room: Mutex::new(()),
        })
    }
}

impl fmt::Debug for EnvelopeExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeExporter")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EnvelopeExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeExporterBuilder")
            .field("queue_items", &self.queue_items)
            .field("queue_bytes", &self.queue_bytes)
            .finish_non_exhaustive()
    }
}
