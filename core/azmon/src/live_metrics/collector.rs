//! Counts and samples of the time between two posts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::envelope::{Data, Envelope};
use crate::live_metrics::configuration::Configuration;
use crate::live_metrics::derived::Accumulator;
use crate::live_metrics::documents;
use crate::live_metrics::filter::any_matches;
use crate::live_metrics::quota::Quota;
use crate::live_metrics::subject::{LiveTelemetryType, Subject};
use crate::live_metrics::wire::{ConfigurationError, Document, MetricValue};

/// Most samples of one interval, whatever the quotas of a configuration are.
const MAX_DOCUMENTS: usize = 1_000;

/// Counts and samples items by a configuration. Times are monotonic, since any moment.
#[derive(Debug)]
pub struct Collector {
    configuration: Arc<Configuration>,
    counts: Counts,
    derived: Vec<Accumulator>,
    quotas: Quotas,
    documents: Vec<Document>,
    is_quota_reached: bool,
    since: Duration,
}

/// The counts of an interval.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Requests.
    pub requests: Calls,
    /// Dependencies, those inside the process, too.
    pub dependencies: Calls,
    /// Exceptions.
    pub exceptions: u64,
}

/// Requests or dependencies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calls {
    /// How many.
    pub all: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How long they took together, in milliseconds.
    pub milliseconds: f64,
}

impl Calls {
    /// Adds `weight` calls that took `duration` each.
    pub fn add(&mut self, duration: Duration, success: bool, weight: u64) {
        self.all += weight;
        self.failed += if success { 0 } else { weight };
        self.milliseconds += duration.as_secs_f64() * 1_000.0 * weight as f64;
    }
}

/// The result of an interval.
#[derive(Debug)]
pub struct Collected {
    /// The metrics, under the names of the protocol.
    pub metrics: Vec<MetricValue>,
    /// The samples, oldest first.
    pub documents: Vec<Document>,
    /// The parts of the configuration that could not be understood.
    pub errors: Vec<ConfigurationError>,
    /// Whether samples were left out since too many matched.
    pub is_quota_reached: bool,
}

#[derive(Debug)]
struct Quotas {
    all: Quota,
    /// By stream and type.
    streams: HashMap<(String, usize), Quota>,
}

impl Collector {
    /// Begins to count at `now`.
    #[must_use]
    pub fn new(configuration: Arc<Configuration>, now: Duration) -> Self {
        Self {
            counts: Counts::default(),
            derived: vec![Accumulator::default(); configuration.metrics.len()],
            quotas: Quotas::new(&configuration, None, now),
            configuration,
            documents: Vec::new(),
            is_quota_reached: false,
            since: now,
        }
    }

    /// The configuration that holds.
    #[must_use]
    pub fn configuration(&self) -> &Arc<Configuration> {
        &self.configuration
    }

    /// Counts by another configuration from now on, between two intervals. Streams keep the quota that they have.
    pub fn configure(&mut self, configuration: Arc<Configuration>, now: Duration) {
        self.quotas = Quotas::new(&configuration, Some(&self.quotas), now);
        self.derived = vec![Accumulator::default(); configuration.metrics.len()];
        self.configuration = configuration;
    }

    /// Counts an item that stands for `weight` of them, and samples it if a stream wants it.
    pub fn observe(&mut self, envelope: &Envelope<'_>, weight: u64, now: Duration) {
        let Some(of) = LiveTelemetryType::of(&envelope.data) else {
            return;
        };
        match &envelope.data {
            Data::Request(data) => self
                .counts
                .requests
                .add(data.duration.0, data.success, weight),
            Data::RemoteDependency(data) => {
                self.counts
                    .dependencies
                    .add(data.duration.0, data.success, weight);
            }
            Data::Exception(_) => self.counts.exceptions += weight,
            _ => {}
        }
        let subject = Subject::new(envelope);
        for (metric, accumulator) in self.configuration.metrics.iter().zip(&mut self.derived) {
            if let Some(number) = metric.number(of, subject) {
                accumulator.add(number, weight);
            }
        }
        if self.configuration.samples(of) {
            self.sample(of, envelope, now);
        }
    }

    /// Counts what was not seen as an item.
    pub fn add(&mut self, counts: &Counts) {
        let add = |to: &mut Calls, more: &Calls| {
            to.all += more.all;
            to.failed += more.failed;
            to.milliseconds += more.milliseconds;
        };
        add(&mut self.counts.requests, &counts.requests);
        add(&mut self.counts.dependencies, &counts.dependencies);
        self.counts.exceptions += counts.exceptions;
    }

    /// Ends an interval. `None`, and nothing is lost, if no time has passed.
    pub fn take(&mut self, now: Duration) -> Option<Collected> {
        let interval = now.checked_sub(self.since)?;
        if interval.is_zero() {
            return None;
        }
        self.since = now;
        let counts = std::mem::take(&mut self.counts);
        let mut metrics = standard(&counts, interval.as_secs_f64());
        for (metric, accumulator) in self.configuration.metrics.iter().zip(&mut self.derived) {
            let (value, weight) = std::mem::take(accumulator).value(metric.aggregation);
            metrics.push(MetricValue::new(metric.id.as_str(), value, weight));
        }
        Some(Collected {
            metrics,
            documents: std::mem::take(&mut self.documents),
            errors: self.configuration.errors.clone(),
            is_quota_reached: std::mem::take(&mut self.is_quota_reached),
        })
    }

    /// A document costs one of each stream that it is for, and one of all.
    fn sample(&mut self, of: LiveTelemetryType, envelope: &Envelope<'_>, now: Duration) {
        let subject = Subject::new(envelope);
        let info = self.configuration.quota.as_ref();
        let mut ids = Vec::new();
        for stream in &self.configuration.streams {
            let groups = stream.groups_of(of);
            if groups.is_empty() || !any_matches(groups, subject) {
                continue;
            }
            let key = (stream.id.clone(), of as usize);
            let quota = self.quotas.streams.entry(key);
            let quota = quota.or_insert_with(|| Quota::of_stream(info, None, now));
            if quota.has_one(now) {
                ids.push(stream.id.clone());
            }
        }
        if ids.is_empty() {
            return;
        }
        if self.documents.len() >= MAX_DOCUMENTS || !self.quotas.all.take(now) {
            self.is_quota_reached = true;
            return;
        }
        for id in &ids {
            if let Some(quota) = self.quotas.streams.get_mut(&(id.clone(), of as usize)) {
                quota.take(now);
            }
        }
        self.documents.push(documents::document(envelope, ids));
    }
}

impl Quotas {
    fn new(configuration: &Configuration, before: Option<&Self>, now: Duration) -> Self {
        let info = configuration.quota.as_ref();
        let mut streams = HashMap::new();
        for stream in &configuration.streams {
            for of in LiveTelemetryType::ALL {
                let key = (stream.id.clone(), of as usize);
                let known = before.and_then(|before| before.streams.get(&key)).copied();
                streams.insert(key, Quota::of_stream(info, known, now));
            }
        }
        Self {
            all: Quota::of_all(info, before.map(|before| before.all), now),
            streams,
        }
    }
}

fn standard(counts: &Counts, seconds: f64) -> Vec<MetricValue> {
    let rate = |name, count: u64| MetricValue::new(name, count as f64 / seconds, 1);
    let mean = |name, calls: &Calls| {
        let value = calls.milliseconds / calls.all.max(1) as f64;
        MetricValue::new(name, value, calls.all)
    };
    let Counts {
        requests,
        dependencies,
        exceptions,
    } = counts;
    vec![
        rate(r"\ApplicationInsights\Requests/Sec", requests.all),
        mean(r"\ApplicationInsights\Request Duration", requests),
        rate(r"\ApplicationInsights\Requests Failed/Sec", requests.failed),
        rate(
            r"\ApplicationInsights\Requests Succeeded/Sec",
            requests.all - requests.failed,
        ),
        rate(
            r"\ApplicationInsights\Dependency Calls/Sec",
            dependencies.all,
        ),
        mean(
            r"\ApplicationInsights\Dependency Call Duration",
            dependencies,
        ),
        rate(
            r"\ApplicationInsights\Dependency Calls Failed/Sec",
            dependencies.failed,
        ),
        rate(
            r"\ApplicationInsights\Dependency Calls Succeeded/Sec",
            dependencies.all - dependencies.failed,
        ),
        rate(r"\ApplicationInsights\Exceptions/Sec", *exceptions),
    ]
}
