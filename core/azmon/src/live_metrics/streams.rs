//! Live Metrics of other programs, whose telemetry this one sends: a stream for each role instance.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use opentelemetry::otel_warn;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::envelope::{Envelope, tags};
use crate::live_metrics::client::{Client, Identity, Transport};
use crate::live_metrics::live::Live;

/// Most streams at once. Each pings every 5 s, so that fifty make ten calls a second, and fifty a second while a reader is
/// subscribed.
pub const MAX_STREAMS: usize = 50;
/// A stream without an item for so long ends. Metrics are exported once a minute by default, so that who lives is heard
/// more often.
const MAX_IDLE: Duration = Duration::from_secs(180);
/// How often idle streams are looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Counts and samples the items of other programs, for a reader of their role instance.
///
/// An instance has a stream from its first item on, and its figures from the moment on at which the endpoint says that a
/// reader is subscribed.
#[derive(Debug)]
pub struct LiveStreams {
    /// That of envelopes without one of their own.
    instrumentation_key: String,
    /// That of all envelopes.
    common_key: Option<String>,
    streams: RwLock<Vec<Stream>>,
    opened: UnboundedSender<Opened>,
    left_out: AtomicU64,
    /// Whether it was already said that there are too many.
    is_full: AtomicBool,
    start: Instant,
}

/// The telemetry of one role instance.
#[derive(Debug)]
struct Stream {
    instrumentation_key: String,
    role_name: String,
    /// Empty for items that name none.
    instance: String,
    live: Arc<Live>,
    /// When its last item came, in milliseconds since the start.
    last_item: AtomicU64,
    /// Its drop ends the client.
    _client: oneshot::Sender<()>,
}

/// The input of a client that starts.
#[derive(Debug)]
struct Opened {
    live: Arc<Live>,
    identity: Identity,
    ended: oneshot::Receiver<()>,
}

/// Runs the clients of streams.
#[derive(Debug)]
pub(crate) struct StreamClients {
    streams: Arc<LiveStreams>,
    opened: UnboundedReceiver<Opened>,
    endpoint: Option<Endpoint>,
}

/// Where clients send, and as which version of this program: filters and figures are its own, and not the sender's.
#[derive(Debug)]
struct Endpoint {
    transport: Arc<dyn Transport>,
    address: String,
    version: String,
}

impl LiveStreams {
    /// Shows an item, to which limits were [applied](Envelope::apply_limits), to the readers of its role instance. An
    /// item of one instance more than [`MAX_STREAMS`] is left out and counted.
    pub fn observe(&self, envelope: &Envelope<'_>) {
        let tag = |key| envelope.tags.get(key).map_or("", AsRef::as_ref);
        let key = match &self.common_key {
            Some(key) => key,
            None if envelope.i_key.is_empty() => self.instrumentation_key.as_str(),
            None => &envelope.i_key,
        };
        let (role, instance) = (tag(tags::CLOUD_ROLE), tag(tags::CLOUD_ROLE_INSTANCE));
        let is_its = |stream: &&Stream| stream.is_of(key, role, instance);
        let streams = self.read();
        if let Some(stream) = streams.iter().find(is_its) {
            stream.last_item.store(self.now(), Ordering::Relaxed);
            stream.live.observe(envelope);
            return;
        }
        if streams.len() >= MAX_STREAMS {
            self.leave_out(role, instance);
            return;
        }
        drop(streams);
        let mut streams = self.write();
        // Another thread may have been faster.
        if streams.len() < MAX_STREAMS && !streams.iter().any(|stream| is_its(&stream)) {
            streams.push(self.open(key, role, instance));
        }
    }

    /// How many role instances have a stream.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether no role instance has a stream.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// How many items were left out, since there were too many role instances.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn leave_out(&self, role: &str, instance: &str) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
        if !self.is_full.swap(true, Ordering::Relaxed) {
            otel_warn!(
                name: "LiveMetrics.TooManyRoleInstances",
                limit = MAX_STREAMS as i64,
                role = role,
                instance = instance
            );
        }
    }

    fn open(&self, key: &str, role: &str, instance: &str) -> Stream {
        let (live, _) = Live::new(Arc::default());
        let (client, ended) = oneshot::channel();
        // The sender's host is not known, and its instance usually is the host's name.
        let machine = match instance {
            "" => gethostname::gethostname().to_string_lossy().into_owned(),
            _ => instance.to_owned(),
        };
        let identity = Identity {
            instrumentation_key: key.to_owned(),
            version: String::new(),
            instance: machine.clone(),
            role_name: role.to_owned(),
            machine_name: machine,
            is_web_app: false,
        };
        let opened = Opened {
            live: live.clone(),
            identity,
            ended,
        };
        // Without a receiver the worker has ended.
        let _ = self.opened.send(opened);
        Stream {
            instrumentation_key: key.to_owned(),
            role_name: role.to_owned(),
            instance: instance.to_owned(),
            live,
            last_item: AtomicU64::new(self.now()),
            _client: client,
        }
    }

    fn end_idle(&self) {
        let now = self.now();
        let max_idle = MAX_IDLE.as_millis() as u64;
        let mut streams = self.write();
        streams.retain(|stream| {
            let last = stream.last_item.load(Ordering::Relaxed);
            now.saturating_sub(last) < max_idle
        });
        if streams.len() < MAX_STREAMS {
            self.is_full.store(false, Ordering::Relaxed);
        }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        let passed = Instant::now().saturating_duration_since(self.start);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Stream>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Stream>> {
        self.streams.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    fn is_of(&self, key: &str, role: &str, instance: &str) -> bool {
        self.instance == instance && self.role_name == role && self.instrumentation_key == key
    }
}

impl StreamClients {
    /// Makes the streams of envelopes, and the clients that send them. `common_key` is the key of all streams; without
    /// it each has that of its envelopes, or `key` if they have none.
    pub(crate) fn new(key: &str, common_key: Option<String>) -> Self {
        let (sender, opened) = unbounded_channel();
        let streams = LiveStreams {
            instrumentation_key: key.to_owned(),
            common_key,
            streams: RwLock::default(),
            opened: sender,
            left_out: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            start: Instant::now(),
        };
        Self {
            streams: Arc::new(streams),
            opened,
            endpoint: None,
        }
    }

    pub(crate) fn streams(&self) -> Arc<LiveStreams> {
        self.streams.clone()
    }

    /// Lets the clients ask `address`, a scheme and a host, as this `version` of an SDK.
    pub(crate) fn connect(&mut self, transport: Arc<dyn Transport>, address: &str, version: &str) {
        self.endpoint = Some(Endpoint {
            transport,
            address: address.to_owned(),
            version: version.to_owned(),
        });
    }

    /// Goes on until it is dropped, and the clients with it.
    pub(crate) async fn run(mut self) {
        let Some(endpoint) = self.endpoint else {
            return;
        };
        let mut clients = JoinSet::new();
        let mut check = tokio::time::interval(CHECK_INTERVAL);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(opened) = self.opened.recv() => {
                    clients.spawn(endpoint.serve(opened));
                }
                Some(_) = clients.join_next() => {}
                _ = check.tick() => self.streams.end_idle(),
            }
        }
    }
}

impl Endpoint {
    /// Goes on until the stream has ended.
    fn serve(&self, opened: Opened) -> impl Future<Output = ()> + Send + use<> {
        let Opened {
            live,
            mut identity,
            ended,
        } = opened;
        identity.version.clone_from(&self.version);
        let client = Client::new(live, self.transport.clone(), &self.address, identity);
        let client = client.of_another_process();
        async {
            tokio::select! {
                () = client.run() => {}
                _ = ended => {}
            }
        }
    }
}
