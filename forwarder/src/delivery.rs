//! The forwarder's own sink: a pipeline, and the destinations that it leads to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use azmon::config::environment::APPLICATIONINSIGHTS_AUTHENTICATION_STRING;
use azmon::envelope::Envelope;
use azmon::{BuildError, DroppedItems, EnvelopeExporter, Storage};

use crate::config::{Destination, ForwarderConfig};
use crate::processing::{Pipeline, Processed};
use crate::sink::{Acceptance, Delivering, Delivery, Refusal, Sink};

/// When a client comes back that found no room.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often, and after which pauses, items look for room that they had a moment ago.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// The value of [`Destination::authentication`] for a destination that takes telemetry without a token.
const NO_TOKEN: &str = "none";

/// Most items that are queued at once, so that a message larger than a queue's rest still finds room.
const CHUNK: usize = 8_192;

/// A destination at work.
#[derive(Debug)]
pub(crate) struct RunningDestination {
    destination: Destination,
    storage: Storage,
    exporter: EnvelopeExporter,
    accepted: AtomicU64,
    no_room: AtomicU64,
}

/// A destination could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the destination {name:?} could not be started: {error}")]
pub struct DestinationError {
    name: String,
    error: BuildError,
}

impl DestinationError {
    /// The destination's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What one destination has done since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationCounts {
    /// Its name.
    pub name: String,
    /// Items that it has taken.
    pub accepted: u64,
    /// Items that wait in its queue.
    pub waiting: usize,
    /// Items that were lost, by reason.
    pub dropped: BTreeMap<String, u64>,
}

impl RunningDestination {
    fn start(destination: &Destination, storage: &Storage) -> Result<Self, BuildError> {
        let authentication = destination.authentication.clone();
        let environment = move |name: &str| match &authentication {
            Some(text) if name == APPLICATIONINSIGHTS_AUTHENTICATION_STRING => {
                Some(text.clone()).filter(|text| text != NO_TOKEN)
            }
            _ => std::env::var(name).ok(),
        };
        let exporter = EnvelopeExporter::builder()
            .connection_string(destination.connection_string.clone())
            .storage(storage.clone())
            .environment(environment)
            .build()?;
        Ok(Self {
            destination: destination.clone(),
            storage: storage.clone(),
            exporter,
            accepted: AtomicU64::new(0),
            no_room: AtomicU64::new(0),
        })
    }

    pub(crate) fn counts(&self) -> DestinationCounts {
        let mut dropped = BTreeMap::new();
        let lost = self.exporter.dropped_items();
        for DroppedItems { reason, count, .. } in lost {
            *dropped.entry(reason.as_str().to_owned()).or_default() += count;
        }
        let no_room = self.no_room.load(Ordering::Relaxed);
        if no_room > 0 {
            *dropped.entry("queue_full".to_owned()).or_default() += no_room;
        }
        DestinationCounts {
            name: self.destination.name.clone(),
            accepted: self.accepted.load(Ordering::Relaxed),
            waiting: self.exporter.waiting(),
            dropped,
        }
    }

    fn has_room(&self, items: usize) -> bool {
        self.exporter.has_room(items.min(CHUNK))
    }

    /// Queues items; false if there was no room for the first of them, and nothing was taken.
    async fn send(&self, mut items: Vec<Envelope<'static>>) -> bool {
        let mut is_first = true;
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(CHUNK));
            let refused = self.send_chunk(items).await;
            if refused > 0 && is_first {
                return false;
            }
            // The items before are on their way, so the client must not send all again.
            self.no_room.fetch_add(refused, Ordering::Relaxed);
            (items, is_first) = (rest, false);
        }
        true
    }

    /// Queues items, all or none; how many found no room after some attempts.
    async fn send_chunk(&self, mut items: Vec<Envelope<'static>>) -> u64 {
        let count = items.len() as u64;
        for attempt in 1..=ATTEMPTS {
            match self.exporter.try_send(items) {
                Ok(()) => {
                    self.accepted.fetch_add(count, Ordering::Relaxed);
                    return 0;
                }
                Err(full) => items = full.0,
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(PAUSE).await;
            }
        }
        count
    }

    /// Sends what waits until the timeout is over, and ends. Blocks the thread.
    pub(crate) fn shutdown(&self, timeout: Duration) {
        let name = &self.destination.name;
        match self.exporter.shutdown(timeout) {
            Ok(()) => tracing::info!(destination = name, "everything was sent"),
            Err(error) => tracing::warn!(destination = name, %error, "not everything was sent"),
        }
    }
}

/// What a configuration makes of the sink.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pipeline: Pipeline,
    /// In the order of the configuration.
    pub(crate) destinations: Vec<Arc<RunningDestination>>,
}

impl State {
    /// Starts what `config` needs, and keeps the destinations of `before` that stay.
    pub(crate) fn start(
        config: &ForwarderConfig,
        before: Option<&Self>,
    ) -> Result<Self, DestinationError> {
        let known = |destination: &Destination| {
            let is_same = |running: &&Arc<RunningDestination>| {
                running.destination == *destination && running.storage == config.storage
            };
            before?.destinations.iter().find(is_same).cloned()
        };
        let destinations = config.destinations.iter().map(|destination| {
            known(destination).map_or_else(
                || {
                    let started = RunningDestination::start(destination, &config.storage);
                    started.map(Arc::new).map_err(|error| DestinationError {
                        name: destination.name.clone(),
                        error,
                    })
                },
                Ok,
            )
        });
        Ok(Self {
            destinations: destinations.collect::<Result<_, _>>()?,
            pipeline: Pipeline::new(config, Instant::now()),
        })
    }

    /// Sends the standard metrics since the last call.
    pub(crate) async fn send_metrics(&self) {
        self.send(self.pipeline.metrics(SystemTime::now())).await;
    }

    /// Sends items on; false if no destination has taken any of them. What one has no room for, while another
    /// has, is lost for that one, and counted.
    async fn send(&self, processed: Processed) -> bool {
        let mut refused = Vec::new();
        let mut is_taken = processed.is_empty();
        for (place, items) in processed {
            let Some(destination) = self.destinations.get(place) else {
                continue;
            };
            let count = items.len() as u64;
            match destination.send(items).await {
                true => is_taken = true,
                false => refused.push((destination, count)),
            }
        }
        if is_taken {
            for (destination, count) in refused {
                destination.no_room.fetch_add(count, Ordering::Relaxed);
            }
        }
        is_taken
    }

    /// Whether none of the destinations of a delivery has room for it.
    fn is_full(&self, delivery: &Delivery) -> bool {
        let places = delivery.batches.iter();
        let places = places.flat_map(|batch| self.pipeline.destinations(batch));
        let mut destinations = places
            .filter_map(|place| self.destinations.get(place))
            .peekable();
        let items = delivery.len();
        destinations.peek().is_some() && destinations.all(|one| !one.has_room(items))
    }
}

/// The sink of a forwarder, whose configuration can change while it runs.
#[derive(Debug)]
pub(crate) struct ForwarderSink {
    pub(crate) state: ArcSwap<State>,
}

impl Sink for ForwarderSink {
    fn deliver(&self, delivery: Delivery) -> Delivering<'_> {
        Box::pin(async move {
            let state = self.state.load_full();
            if state.is_full(&delivery) {
                return Err(Refusal::Busy {
                    retry_after: RETRY_AFTER,
                });
            }
            let now = Instant::now();
            let mut processed = Processed::new();
            for batch in delivery.batches {
                state.pipeline.process(batch, now, &mut processed);
            }
            match state.send(processed).await {
                true => Ok(Acceptance::default()),
                false => Err(Refusal::Busy {
                    retry_after: RETRY_AFTER,
                }),
            }
        })
    }
}
