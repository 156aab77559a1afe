use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;

use crate::config::{Choices, Settings, environment};
use crate::envelope::Envelope;
use crate::error::{BuildError, BuildErrorKind, DeliveryError};
use crate::item::{DropReason, DroppedItems, Item, Producer, QueueLimits};
use crate::mapping::{Mapper, MappingOptions};
use crate::pipeline::WorkerBuilder;
use crate::storage::Storage;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Transport, WorkerHandle};

/// Most items that wait: seconds of a busy sender.
const QUEUE_ITEMS: usize = 65_536;
/// Most bytes of items that wait.
const QUEUE_BYTES: usize = 64 << 20;
/// How many waiting items wake the worker.
const BATCH: usize = 512;

/// Sends [envelopes](crate::envelope) that are made already, such as those that were received from another
/// program.
///
/// Items wait in a bounded queue, of which [`try_send`](Self::try_send) tells when it is full. They are
/// limited, batched, compressed, sent, and sent again exactly as azmon's own are. An envelope without an
/// instrumentation key gets that of the connection string.
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
    /// Lets one sender at a time see whether there is room, and use it.
    room: Mutex<()>,
}

/// Settings of an [`EnvelopeExporter`]: code beats environment beats default.
pub struct EnvelopeExporterBuilder {
    choices: Choices,
    queue_items: usize,
    queue_bytes: usize,
    environment: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
    transport: Option<Arc<dyn Transport>>,
}

/// The queue has no room for so many envelopes: here they are again.
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
            environment: Box::new(environment::of_process),
            transport: None,
        }
    }

    /// Queues envelopes, all or none. Never blocks.
    ///
    /// # Errors
    ///
    /// When more would wait than the limits allow, or after a shutdown.
    pub fn try_send(&self, envelopes: Vec<Envelope<'static>>) -> Result<(), QueueFullError> {
        let items: Vec<_> = envelopes.into_iter().map(|one| self.to_item(one)).collect();
        let bytes = items.iter().map(Item::size).sum();
        let _one_at_a_time = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if self.handle.is_shut_down() || !self.producer.has_room(items.len(), bytes) {
            return Err(QueueFullError(items.into_iter().filter_map(made).collect()));
        }
        for item in items {
            if let Err(item) = self.producer.push(item) {
                // There was room, so the worker has ended in between.
                let counters = self.handle.counters();
                counters.count(DropReason::Shutdown, item.label(), 1);
            }
        }
        Ok(())
    }

    /// Whether there is room for so many envelopes more, as far as their number says.
    #[must_use]
    pub fn has_room(&self, envelopes: usize) -> bool {
        !self.handle.is_shut_down() && self.producer.has_room(envelopes, 0)
    }

    /// How many envelopes wait in the queue.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.producer.waiting()
    }

    /// Sends everything that waits, and waits for the answers of the service. Blocks the thread.
    ///
    /// # Errors
    ///
    /// When not everything was delivered within `timeout`.
    pub fn force_flush(&self, timeout: Duration) -> Result<(), DeliveryError> {
        Ok(self.handle.flush(timeout)?)
    }

    /// Takes nothing more, sends what can be sent and stores the rest until `timeout`, and ends the worker. Blocks the
    /// thread.
    ///
    /// # Errors
    ///
    /// When not everything was delivered.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), DeliveryError> {
        Ok(self.handle.shutdown(timeout)?)
    }

    /// What was dropped since the start, by reason and type.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.handle.counters().dropped().collect()
    }

    fn to_item(&self, mut envelope: Envelope<'static>) -> Item {
        if envelope.i_key.is_empty() {
            envelope.i_key = Cow::Owned(self.instrumentation_key.clone());
        }
        Item::from(envelope)
    }
}

/// The envelope that an item was made of.
fn made(item: Item) -> Option<Envelope<'static>> {
    match item {
        Item::Envelope(envelope) => Some(*envelope),
        Item::Span(_) | Item::Log(_) => None,
    }
}

impl EnvelopeExporterBuilder {
    /// Sets the connection string. Defaults to the variable `APPLICATIONINSIGHTS_CONNECTION_STRING`.
    #[must_use]
    pub fn connection_string(mut self, connection_string: impl Into<String>) -> Self {
        self.choices.connection_string = Some(connection_string.into());
        self
    }

    /// Sets how many envelopes may wait. Defaults to 65,536.
    #[must_use]
    pub fn max_queue_items(mut self, items: usize) -> Self {
        self.queue_items = items;
        self
    }

    /// Sets how many bytes the envelopes that wait may hold. Defaults to 64 MiB.
    #[must_use]
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets where environment variables are looked up. Defaults to the process's environment.
    #[must_use]
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    /// Sets where envelopes wait that cannot be sent: see
    /// [`TelemetryBuilder::storage`](crate::TelemetryBuilder::storage).
    #[must_use]
    pub fn storage(mut self, storage: Storage) -> Self {
        self.choices.storage = Some(storage);
        self
    }

    /// Starts the worker thread.
    ///
    /// # Errors
    ///
    /// When there is no connection string or it cannot be read, or when the system gives no thread, no
    /// event queue or no TLS.
    pub fn build(self) -> Result<EnvelopeExporter, BuildError> {
        let settings = Settings::resolve(self.choices, &self.environment)?;
        let connection = settings
            .connection_string
            .ok_or(BuildErrorKind::NoConnectionString)?;
        let key = connection.instrumentation_key().to_owned();
        // Nothing is mapped: envelopes say all by themselves.
        let nothing = Resource::builder_empty().build();
        let builder = WorkerBuilder {
            connection: &connection,
            transport: self.transport,
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
        let (producer, handle) = builder.start()?;
        Ok(EnvelopeExporter {
            instrumentation_key: key,
            producer,
            handle,
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
