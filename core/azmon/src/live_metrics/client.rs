//! The loop that pings and posts.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::{otel_debug, otel_error, otel_warn};

use crate::live_metrics::answer::{self, Answer};
use crate::live_metrics::configuration::Configuration;
use crate::live_metrics::documents::rfc3339;
use crate::live_metrics::live::Live;
use crate::live_metrics::machine::{Call, Change, Machine, Outcome};
use crate::live_metrics::process::Process;
use crate::live_metrics::wire::{DataPoint, INVARIANT_VERSION, MetricValue};

/// Most points that are kept while posts fail.
const MAX_KEPT: usize = 10;
/// .NET's ticks at the beginning of 1970.
const UNIX_EPOCH_TICKS: u128 = 621_355_968_000_000_000;

/// The identity of a client.
#[derive(Clone, Default)]
pub(crate) struct Identity {
    pub(crate) instrumentation_key: String,
    pub(crate) version: String,
    pub(crate) instance: String,
    pub(crate) role_name: String,
    pub(crate) machine_name: String,
    pub(crate) is_web_app: bool,
}

/// One call of the live endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) address: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

pub(crate) type Calling = Pin<Box<dyn Future<Output = Result<Answer, String>> + Send>>;

/// Carries a call to the live endpoint.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// Calls once, with a token if one is needed, and bounds its own time.
    fn call(&self, request: Request) -> Calling;

    /// The endpoint that a redirect leads to, if it may be followed.
    fn redirect(&self, from: &str, to: &str) -> Option<String>;
}

/// Pings, and posts while a reader is subscribed.
#[derive(Debug)]
pub(crate) struct Client {
    live: Arc<Live>,
    transport: Arc<dyn Transport>,
    identity: Identity,
    stream_id: String,
    configured: String,
    redirected: Option<String>,
    configuration: Arc<Configuration>,
    echo: Vec<(&'static str, String)>,
    kept: VecDeque<DataPoint>,
    machine: Machine,
    /// `None` if the client is about another process than this one.
    process: Option<Process>,
    /// Whether the last failure was already logged.
    is_failing: bool,
}

impl Client {
    /// Makes a client of `endpoint`, a scheme and a host, whose first ping is due at once.
    pub(crate) fn new(
        live: Arc<Live>,
        transport: Arc<dyn Transport>,
        endpoint: &str,
        identity: Identity,
    ) -> Self {
        Self {
            machine: Machine::new(live.now()),
            live,
            transport,
            identity,
            stream_id: format!("{:032x}", fastrand::u128(..)),
            configured: endpoint.to_owned(),
            redirected: None,
            configuration: Arc::default(),
            echo: Vec::new(),
            kept: VecDeque::new(),
            process: Some(Process::default()),
            is_failing: false,
        }
    }

    /// Measures neither processor nor memory, since the client is about another process.
    pub(crate) fn of_another_process(mut self) -> Self {
        self.process = None;
        self
    }

    /// Goes on until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let (time, call) = self.machine.next();
            tokio::time::sleep_until(self.live.instant(time)).await;
            self.machine.begin(self.live.now());
            let prepared = catch_unwind(AssertUnwindSafe(|| self.request(call)));
            let Ok(request) = prepared else {
                self.recover();
                continue;
            };
            let answer = self.transport.call(request).await;
            let understood = catch_unwind(AssertUnwindSafe(|| self.understand(answer)));
            if understood.is_err() {
                self.recover();
            }
        }
    }

    /// After a defect: everything as at the beginning, a while later.
    fn recover(&mut self) {
        otel_error!(name: "LiveMetrics.Panicked");
        self.live.stop();
        self.kept.clear();
        self.machine = Machine::new(self.live.now());
        self.machine.pause(self.live.now());
    }

    fn request(&mut self, call: Call) -> Request {
        let now = SystemTime::now();
        let (path, body) = match call {
            Call::Ping => ("ping", serde_json::to_vec(&self.point(now))),
            Call::Post => {
                self.collect(now);
                for point in &mut self.kept {
                    point.transmission_time = rfc3339(now);
                }
                ("post", serde_json::to_vec(&self.kept))
            }
        };
        let endpoint = self.redirected.as_deref().unwrap_or(&self.configured);
        let key = &self.identity.instrumentation_key;
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        Request {
            address: format!(
                "{endpoint}/QuickPulseService.svc/{path}?api-version=2024-04-01-preview&ikey={key}"
            ),
            headers: self.headers(call, now),
            // The structures have texts as keys and finite numbers: they are always written.
            body: body.unwrap_or_default(),
        }
    }

    fn headers(&self, call: Call, now: SystemTime) -> Vec<(&'static str, String)> {
        let time = now.duration_since(SystemTime::UNIX_EPOCH);
        let ticks = UNIX_EPOCH_TICKS + time.unwrap_or_default().as_nanos() / 100;
        let mut headers = vec![
            ("x-ms-qps-transmission-time", ticks.to_string()),
            (
                "x-ms-qps-configuration-etag",
                self.configuration.etag().to_owned(),
            ),
        ];
        if call == Call::Ping {
            let Identity {
                instance,
                role_name,
                machine_name,
                ..
            } = &self.identity;
            headers.extend([
                ("x-ms-qps-machine-name", machine_name.clone()),
                ("x-ms-qps-instance-name", instance.clone()),
                ("x-ms-qps-role-name", role_name.clone()),
                ("x-ms-qps-stream-id", self.stream_id.clone()),
                ("x-ms-qps-invariant-version", INVARIANT_VERSION.to_string()),
            ]);
        }
        headers.extend(self.echo.iter().cloned());
        headers
    }

    fn point(&self, now: SystemTime) -> DataPoint {
        let Identity {
            version,
            instance,
            role_name,
            machine_name,
            is_web_app,
            ..
        } = self.identity.clone();
        DataPoint {
            version,
            invariant_version: INVARIANT_VERSION,
            instance,
            role_name,
            machine_name,
            stream_id: self.stream_id.clone(),
            is_web_app,
            performance_collection_supported: self.process.is_some() && Process::is_supported(),
            timestamp: rfc3339(now),
            transmission_time: rfc3339(now),
            ..DataPoint::default()
        }
    }

    /// Adds a point of the interval that ends now to those that wait.
    fn collect(&mut self, now: SystemTime) {
        let Some(collected) = self.live.take() else {
            return;
        };
        let mut point = DataPoint {
            metrics: collected.metrics,
            documents: collected.documents,
            collection_configuration_errors: collected.errors,
            global_document_quota_reached: collected.is_quota_reached,
            ..self.point(now)
        };
        if let Some(process) = &mut self.process {
            let usage = process.usage(self.live.now()).into_iter();
            let values = usage.map(|(name, value)| MetricValue::new(name, value, 1));
            point.metrics.extend(values);
        }
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(point);
    }

    fn understand(&mut self, answer: Result<Answer, String>) {
        let known = self.configuration.clone();
        let meaning = match &answer {
            Ok(answer) => answer::read(answer, known.etag()).map(|meaning| (answer, meaning)),
            Err(error) => Err(error.clone()),
        };
        let outcome = match meaning {
            Ok((answer, meaning)) => {
                self.is_failing = false;
                self.kept.clear();
                meaning
                    .hint
                    .into_iter()
                    .for_each(|hint| self.machine.hint(hint));
                if !meaning.echo.is_empty() {
                    let owned = meaning.echo.iter();
                    self.echo = owned
                        .map(|(name, value)| (*name, (*value).to_owned()))
                        .collect();
                }
                if let Some(to) = meaning.redirect {
                    self.follow(to);
                }
                if let Some(etag) = meaning.new_etag {
                    self.apply(Configuration::read(etag, &answer.body));
                }
                meaning.outcome()
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    otel_warn!(name: "LiveMetrics.CallFailed", error = error.as_str());
                }
                Outcome::Failed
            }
        };
        let change = self.machine.end(outcome, self.live.now());
        match change {
            Change::None => {}
            Change::Start => {
                if let Some(process) = &mut self.process {
                    process.usage(self.live.now());
                }
                self.live.start(self.configuration.clone());
            }
            Change::Stop => {
                self.live.stop();
                self.kept.clear();
            }
        }
        if outcome == Outcome::Failed && self.machine.is_silent() {
            // Another host may be to blame.
            self.redirected = None;
        }
    }

    fn apply(&mut self, configuration: Configuration) {
        for error in configuration.errors() {
            otel_warn!(
                name: "LiveMetrics.ConfigurationRefused",
                part = error.collection_configuration_error_type,
                reason = error.message.as_str()
            );
        }
        self.configuration = Arc::new(configuration);
        self.live.configure(self.configuration.clone());
    }

    fn follow(&mut self, to: &str) {
        let from = self.redirected.as_deref().unwrap_or(&self.configured);
        match self.transport.redirect(from, to) {
            Some(endpoint) => {
                otel_debug!(name: "LiveMetrics.Redirected", endpoint = endpoint.as_str());
                self.redirected = Some(endpoint);
            }
            None => {
                otel_warn!(name: "LiveMetrics.RedirectRefused", endpoint = to);
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.live.stop();
    }
}

/// It hides the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("role_name", &self.role_name)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
