//! The forwarder's own sink: a processing pipeline and its destinations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use azmon::config::environment::APPLICATIONINSIGHTS_AUTHENTICATION_STRING;
use azmon::envelope::Envelope;
use azmon::{BuildError, DroppedItems, EnvelopeExporter, Storage};
use tokio::sync::Mutex;

use crate::config::{Destination, ForwarderConfig};
use crate::processing::{Pipeline, Processed};
use crate::sink::{Acceptance, Delivering, Delivery, Refusal, Sink};

/// The delay after which a refused client may retry.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The number of attempts, and the pauses between them, to queue items that had room a moment ago.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// The value of [`Destination::authentication`] for a destination that needs no token.
const NO_TOKEN: &str = "none";

/// How long a message waits for the disk before it is accepted in memory.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of items queued at once, so that a message may exceed the free part of a queue.
const CHUNK: usize = 8_192;

/// A running destination.
#[derive(Debug)]
pub(crate) struct RunningDestination {
    destination: Destination,
    storage: Storage,
    live_metrics: Option<bool>,
    exporter: EnvelopeExporter,
    accepted: AtomicU64,
    no_room: AtomicU64,
    writes: Writes,
}

/// Writes to disk, each for all messages that wait for one.
#[derive(Debug, Default)]
struct Writes {
    requested: AtomicU64,
    done: AtomicU64,
    one_at_a_time: Mutex<()>,
}

/// An error of starting a destination.
#[derive(Debug, thiserror::Error)]
#[error("the destination {name:?} could not be started: {error}")]
pub struct DestinationError {
    name: String,
    error: BuildError,
}

impl DestinationError {
    /// The name of the destination.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The counters of one destination since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationCounts {
    /// The name of the destination.
    pub name: String,
    /// The number of accepted items.
    pub accepted: u64,
    /// The number of queued items.
    pub waiting: usize,
    /// The number of lost items by reason.
    pub dropped: BTreeMap<String, u64>,
    /// The counters of Live Metrics; `None` if the destination has none.
    pub live_metrics: Option<LiveMetricsCounts>,
}

/// The counters of a destination's Live Metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveMetricsCounts {
    /// The number of role instances that are shown.
    pub servers: usize,
    /// The number of items that are not shown, because there were too many role instances. They are sent like others.
    pub left_out: u64,
}

impl RunningDestination {
    fn start(destination: &Destination, config: &ForwarderConfig) -> Result<Self, BuildError> {
        let authentication = destination.authentication.clone();
        let environment = move |name: &str| match &authentication {
            Some(text) if name == APPLICATIONINSIGHTS_AUTHENTICATION_STRING => {
                Some(text.clone()).filter(|text| text != NO_TOKEN)
            }
            _ => std::env::var(name).ok(),
        };
        let mut exporter = EnvelopeExporter::builder()
            .connection_string(destination.connection_string.clone())
            .storage(config.storage.clone())
            .environment(environment);
        if let Some(enabled) = config.live_metrics {
            exporter = exporter.live_metrics(enabled);
        }
        if let Some(key) = &destination.live_metrics_key {
            exporter = exporter.live_metrics_key(key.clone());
        }
        Ok(Self {
            destination: destination.clone(),
            storage: config.storage.clone(),
            live_metrics: config.live_metrics,
            exporter: exporter.build()?,
            accepted: AtomicU64::new(0),
            no_room: AtomicU64::new(0),
            writes: Writes::default(),
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
            live_metrics: self.exporter.live_metrics().map(|live| LiveMetricsCounts {
                servers: live.len(),
                left_out: live.left_out(),
            }),
        }
    }

    /// Whether the destination is as `config` describes it.
    fn is_as(&self, destination: &Destination, config: &ForwarderConfig) -> bool {
        self.destination == *destination
            && self.storage == config.storage
            && self.live_metrics == config.live_metrics
    }

    fn has_room(&self, items: usize) -> bool {
        self.exporter.has_room(items.min(CHUNK))
    }

    /// Queues items. Returns false if the first chunk found no room, in which case no item was queued.
    async fn send(&self, mut items: Vec<Envelope<'static>>) -> bool {
        let mut is_first = true;
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(CHUNK));
            let refused = self.send_chunk(items).await;
            if refused > 0 && is_first {
                return false;
            }
            // The items before were queued, so the client must not send the message again.
            self.no_room.fetch_add(refused, Ordering::Relaxed);
            (items, is_first) = (rest, false);
        }
        true
    }

    /// Queues all of the items or none, with some retries. Returns the number of items that found no room.
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

    /// Waits until everything that was queued is on disk, or delivered. Messages that arrive meanwhile share the next
    /// write. A disk that is full or cannot be written leaves the items in memory.
    async fn written(self: &Arc<Self>) {
        let Writes {
            requested,
            done,
            one_at_a_time,
        } = &self.writes;
        let own = requested.fetch_add(1, Ordering::AcqRel) + 1;
        let _turn = one_at_a_time.lock().await;
        if done.load(Ordering::Acquire) >= own {
            return;
        }
        let waiting = requested.load(Ordering::Acquire);
        let destination = self.clone();
        let write = move || destination.exporter.force_flush(WRITE_TIMEOUT);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            let name = &self.destination.name;
            tracing::debug!(destination = name, %error, "accepted items are not on disk yet");
        }
        done.store(waiting, Ordering::Release);
    }

    /// Sends queued items until the timeout, and ends. Blocks the thread.
    pub(crate) fn shutdown(&self, timeout: Duration) {
        let name = &self.destination.name;
        match self.exporter.shutdown(timeout) {
            Ok(()) => tracing::info!(destination = name, "everything was sent"),
            Err(error) => tracing::warn!(destination = name, %error, "not everything was sent"),
        }
    }
}

/// The running parts of a configuration.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pipeline: Pipeline,
    /// The destinations, in the order of the configuration.
    pub(crate) destinations: Vec<Arc<RunningDestination>>,
}

impl State {
    /// Starts the parts that `config` needs, and reuses the destinations of `before` that are unchanged.
    pub(crate) fn start(
        config: &ForwarderConfig,
        before: Option<&Self>,
    ) -> Result<Self, DestinationError> {
        let known = |destination: &Destination| {
            let is_same = |running: &&Arc<RunningDestination>| running.is_as(destination, config);
            before?.destinations.iter().find(is_same).cloned()
        };
        let destinations = config.destinations.iter().map(|destination| {
            known(destination).map_or_else(
                || {
                    let started = RunningDestination::start(destination, config);
                    started.map(Arc::new).map_err(|error| DestinationError {
                        name: destination.name.clone(),
                        error,
                    })
                },
                Ok,
            )
        });
        let destinations: Vec<_> = destinations.collect::<Result<_, _>>()?;
        let live_metrics = destinations.iter().map(|one| one.exporter.live_metrics());
        Ok(Self {
            pipeline: Pipeline::new(config, live_metrics.collect(), Instant::now()),
            destinations,
        })
    }

    /// Sends the standard metrics since the last call.
    pub(crate) async fn send_metrics(&self) {
        self.send(self.pipeline.metrics(SystemTime::now())).await;
    }

    /// Sends items to their destinations. Returns false if no destination accepted any of them. If only some
    /// destinations have room, the others lose the items and count them.
    async fn send(&self, processed: Processed) -> bool {
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        let mut is_taken = processed.is_empty();
        for (place, items) in processed {
            let Some(destination) = self.destinations.get(place) else {
                continue;
            };
            let count = items.len() as u64;
            if destination.send(items).await {
                is_taken = true;
                taken.push(destination);
            } else {
                refused.push((destination, count));
            }
        }
        if is_taken {
            for (destination, count) in refused {
                destination.no_room.fetch_add(count, Ordering::Relaxed);
            }
        }
        for destination in taken {
            if destination.storage.is_durable() {
                destination.written().await;
            }
        }
        is_taken
    }

    /// Whether none of the delivery's destinations has room for it.
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

/// The sink of a forwarder. Its configuration can change while it runs.
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
            if state.send(processed).await {
                Ok(Acceptance::default())
            } else {
                Err(Refusal::Busy {
                    retry_after: RETRY_AFTER,
                })
            }
        })
    }
}
