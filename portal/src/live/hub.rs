//! All servers, their configuration, and the readers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use azmon::live_metrics::{
    Collector, Configuration, ConfigurationInfo, DocumentGroupInfo, FilterGroupInfo, FilterInfo,
    LiveTelemetryType, StreamInfo,
};
use azmon_envelope::{Envelope, tags};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::live::point::Point;
use crate::live::server::{Server, Source};

/// The maximum number of shown servers.
const MAX_SERVERS: usize = 100;
/// The maximum number of stored samples.
const MAX_SAMPLES: usize = 500;
/// Older telemetry is not live.
const MAX_AGE: Duration = Duration::from_secs(60);

/// The state of Live Metrics.
#[derive(Debug)]
pub(crate) struct Hub {
    readers: AtomicUsize,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    start: Instant,
    start_time: SystemTime,
}

/// The servers, the samples and the configuration.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) servers: Vec<Server>,
    pub(crate) samples: VecDeque<Sample>,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) info: ConfigurationInfo,
    /// The number of servers beyond the limit.
    pub(crate) refused: u64,
    changes: Changes,
    next_server: u64,
    next_sample: u64,
}

/// The number of changes of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changes(pub(crate) u64);

/// One item that matched.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) number: u64,
    pub(crate) server: u64,
    /// The time of arrival, in milliseconds.
    pub(crate) time: i64,
    pub(crate) document: Value,
}

/// A reader; clients post as long as one exists.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Hub>);

impl Drop for Reader {
    fn drop(&mut self) {
        if self.0.readers.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Figures from telemetry are collected only for readers.
            let is_client = |server: &Server| matches!(server.source, Source::Client { .. });
            self.0.lock().servers.retain(is_client);
        }
    }
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        let info = default_configuration();
        Arc::new(Self {
            readers: AtomicUsize::new(0),
            state: Mutex::new(State {
                servers: Vec::new(),
                samples: VecDeque::new(),
                configuration: Arc::new(Configuration::new(&info)),
                info,
                refused: 0,
                changes: Changes::default(),
                next_server: 1,
                next_sample: 1,
            }),
            changed: watch::channel(0).0,
            start: Instant::now(),
            start_time: SystemTime::now(),
        })
    }

    /// Registers a reader: clients post until it is dropped.
    pub(crate) fn read(self: &Arc<Self>) -> Reader {
        self.readers.fetch_add(1, Ordering::Relaxed);
        Reader(Arc::clone(self))
    }

    pub(crate) fn is_read(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 0
    }

    /// Notifies of arrivals.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Milliseconds since 1970, monotonic.
    pub(crate) fn now(&self) -> i64 {
        let start = self.start_time.duration_since(SystemTime::UNIX_EPOCH);
        let now = start.unwrap_or_default() + self.monotonic();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }

    /// Completes the elapsed seconds, and then reads the state.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let mut state = self.lock();
        self.settle(&mut state);
        look(&state)
    }

    /// Records the ping of a client, and returns whether the client is to post.
    pub(crate) fn ping(&self, app: &str, point: &Point) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let Some(server) = state.client(app, &point.stream, now) else {
            return false;
        };
        server.identify(point);
        server.last_seen = now;
        self.is_read()
    }

    /// Stores the points of a post, and returns whether the client is to continue.
    pub(crate) fn post(&self, app: &str, points: Vec<Point>) -> bool {
        let Some(stream) = points.first().map(|point| point.stream.clone()) else {
            return self.is_read();
        };
        let now = self.now();
        let mut state = self.lock();
        let (charts, servers) = (state.charts(), state.servers.len() + 1);
        let Some(server) = state.client(app, &stream, now) else {
            return false;
        };
        server.last_seen = now;
        let documents = server.take(points, &charts, now);
        server.shrink(servers);
        let (id, role, name) = (server.id, server.role.clone(), server.name.clone());
        // The server now posts its figures itself.
        state.servers.retain(|other| {
            let is_same = other.app == app && other.role == role && other.name == name;
            other.id == id || !(is_same && matches!(other.source, Source::Telemetry(_)))
        });
        state.add_samples(id, documents, now);
        drop(state);
        self.tell();
        self.is_read()
    }

    /// Counts telemetry of roles that do not post, if a reader is connected. `weight` is the number of items that it
    /// represents.
    pub(crate) fn observe(&self, envelope: &Envelope<'_>, role: &str, weight: u64) {
        if !self.is_read() || LiveTelemetryType::of(&envelope.data).is_none() || !is_fresh(envelope)
        {
            return;
        }
        let (now, monotonic) = (self.now(), self.monotonic());
        let tag = |tag| envelope.tags.get(tag).map_or("", AsRef::as_ref);
        let name = tag(tags::CLOUD_ROLE_INSTANCE);
        let mut state = self.lock();
        let posts = |server: &Server| {
            let is_client = matches!(server.source, Source::Client { .. });
            is_client
                && server.app == envelope.i_key
                && server.role == role
                && server.name == name
                && !server.rows.is_empty()
                && !server.is_stale(now)
        };
        if state.servers.iter().any(posts) {
            return;
        }
        let configuration = Arc::clone(&state.configuration);
        let at = (now, monotonic);
        let Some(server) = state.of_telemetry(&envelope.i_key, role, name, at) else {
            return;
        };
        if server.client.is_empty() {
            tag(tags::INTERNAL_SDK_VERSION).clone_into(&mut server.client);
        }
        server.last_seen = now;
        if let Source::Telemetry(collector) = &mut server.source {
            if !Arc::ptr_eq(collector.configuration(), &configuration) {
                collector.configure(configuration, monotonic);
            }
            collector.observe(envelope, weight, monotonic);
        }
    }

    /// Replaces the configuration, under a new name.
    ///
    /// # Errors
    /// Fails with the first invalid part; nothing changes then.
    pub(crate) fn configure(&self, info: ConfigurationInfo) -> Result<(), String> {
        let mut state = self.lock();
        let changes = Changes(state.changes.0 + 1);
        let info = ConfigurationInfo {
            etag: format!("azmon-{:08x}-{}", fastrand::u32(..), changes.0),
            ..info
        };
        let configuration = Configuration::new(&info);
        if let Some(error) = configuration.errors().first() {
            let of = error.data.first().map_or("", |pair| &pair.value);
            return Err(format!(
                "{of:?}: {} ({})",
                error.message, error.collection_configuration_error_type
            ));
        }
        state.configuration = Arc::new(configuration);
        state.info = info;
        state.changes = changes;
        drop(state);
        self.tell();
        Ok(())
    }

    /// The name of the configuration, and the body for a client with another one.
    pub(crate) fn configuration(&self, known: &str) -> (String, Option<String>) {
        let state = self.lock();
        let etag = state.info.etag.clone();
        let body = (known != etag)
            .then(|| serde_json::to_string(&state.info).ok())
            .flatten();
        (etag, body)
    }

    /// Ends the current second of telemetry, and removes servers that no longer send.
    fn settle(&self, state: &mut State) {
        let (now, monotonic) = (self.now(), self.monotonic());
        state.servers.retain(|server| !server.is_gone(now));
        let mut samples = Vec::new();
        let (charts, servers) = (state.charts(), state.servers.len());
        for server in &mut state.servers {
            let is_due = server.is_second_over(now);
            if let Source::Telemetry(collector) = &mut server.source
                && is_due
                && let Some(collected) = collector.take(monotonic)
            {
                server.collected(&collected, &charts, now);
                server.shrink(servers);
                let documents = collected.documents.iter();
                let documents =
                    documents.filter_map(|document| serde_json::to_value(document).ok());
                let read = serde_json::json!({"Documents": documents.collect::<Vec<_>>()});
                samples.push((server.id, Point::read(&read).unwrap_or_default().documents));
            }
        }
        for (id, documents) in samples {
            state.add_samples(id, documents, now);
        }
    }

    fn tell(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) const fn changes(&self) -> Changes {
        self.changes
    }

    /// The ids of the custom charts.
    fn charts(&self) -> Vec<String> {
        let metrics = self.info.metrics.iter();
        metrics.map(|metric| metric.id.clone()).collect()
    }

    fn client(&mut self, app: &str, stream: &str, now: i64) -> Option<&mut Server> {
        let is_it = |server: &Server| {
            server.app == app
                && matches!(&server.source, Source::Client { stream: known } if known == stream)
        };
        let source = || Source::Client {
            stream: stream.to_owned(),
        };
        self.find(is_it, app, source, now)
    }

    fn of_telemetry(
        &mut self,
        app: &str,
        role: &str,
        name: &str,
        (now, monotonic): (i64, Duration),
    ) -> Option<&mut Server> {
        let is_it = |server: &Server| {
            server.app == app
                && server.role == role
                && server.name == name
                && matches!(server.source, Source::Telemetry(_))
        };
        let configuration = Arc::clone(&self.configuration);
        let source = || {
            let collector = Collector::new(configuration, monotonic);
            Source::Telemetry(Box::new(collector))
        };
        let server = self.find(is_it, app, source, now)?;
        if server.role.is_empty() && server.name.is_empty() {
            role.clone_into(&mut server.role);
            name.clone_into(&mut server.name);
            server.measures_process = false;
        }
        Some(server)
    }

    fn find(
        &mut self,
        is_it: impl Fn(&Server) -> bool,
        app: &str,
        source: impl FnOnce() -> Source,
        now: i64,
    ) -> Option<&mut Server> {
        let index = match self.servers.iter().position(is_it) {
            Some(index) => index,
            None => {
                self.servers.retain(|server| !server.is_gone(now));
                if self.servers.len() >= MAX_SERVERS {
                    self.refused += 1;
                    return None;
                }
                let id = self.next_server;
                self.next_server += 1;
                self.servers.push(Server::new(id, app, source(), now));
                self.servers.len() - 1
            }
        };
        self.servers.get_mut(index)
    }

    fn add_samples(&mut self, server: u64, documents: Vec<Value>, now: i64) {
        for document in documents {
            self.samples.push_back(Sample {
                number: self.next_sample,
                server,
                time: now,
                document,
            });
            self.next_sample += 1;
        }
        while self.samples.len() > MAX_SAMPLES {
            self.samples.pop_front();
        }
    }
}

/// Telemetry from a disk or an import does not belong to the current second.
fn is_fresh(envelope: &Envelope<'_>) -> bool {
    match SystemTime::now().duration_since(envelope.time) {
        Ok(age) => age < MAX_AGE,
        Err(error) => error.duration() < MAX_AGE,
    }
}

/// The configuration of a new portal: samples of failures, exceptions, events and traces, as the service does by default.
pub(crate) fn default_configuration() -> ConfigurationInfo {
    let group = |of: LiveTelemetryType, filters| DocumentGroupInfo {
        telemetry_type: of.as_str().to_owned(),
        filters: FilterGroupInfo { filters },
    };
    let failed = FilterInfo {
        field_name: "Success".to_owned(),
        predicate: "Equal".to_owned(),
        comparand: Some("false".to_owned()),
    };
    let stream = |id: &str, groups| StreamInfo {
        id: id.to_owned(),
        document_filter_groups: groups,
    };
    ConfigurationInfo {
        etag: format!("azmon-{:08x}-0", fastrand::u32(..)),
        metrics: Vec::new(),
        document_streams: vec![
            stream(
                "failed requests",
                vec![group(LiveTelemetryType::Request, vec![failed.clone()])],
            ),
            stream(
                "failed calls",
                vec![group(LiveTelemetryType::Dependency, vec![failed])],
            ),
            stream(
                "exceptions",
                vec![group(LiveTelemetryType::Exception, vec![])],
            ),
            stream("events", vec![group(LiveTelemetryType::Event, vec![])]),
            stream("traces", vec![group(LiveTelemetryType::Trace, vec![])]),
        ],
        quota_info: None,
    }
}
