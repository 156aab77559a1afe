//! One server, and its seconds.

use std::collections::{BTreeMap, VecDeque};

use azmon::live_metrics::{Collected, Collector};

use crate::live::point::{Point, ReportedError};

/// The maximum numbers of stored seconds, of a server and of all servers.
const MAX_ROWS: usize = 3_600;
const MAX_ROWS_OF_ALL: usize = 72_000;
const SECOND: i64 = 1_000;
/// The time without a message after which a server is shown as stale, in milliseconds.
const STALE: i64 = 10_000;
/// The time without a message after which a server is removed.
const GONE: i64 = 60_000;
/// Below this value, a duration in milliseconds looks like one in seconds.
const LIKE_SECONDS: f64 = 10.0;

/// The source of a server's figures.
#[derive(Debug)]
pub(crate) enum Source {
    /// The server posts Live Metrics.
    Client { stream: String },
    /// The server sends only telemetry, which the portal counts.
    Telemetry(Box<Collector>),
}

/// A process that posts, or whose telemetry the portal counts.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: u64,
    pub(crate) app: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) machine: String,
    pub(crate) client: String,
    pub(crate) invariant_version: i64,
    pub(crate) source: Source,
    /// Milliseconds.
    pub(crate) last_seen: i64,
    pub(crate) measures_process: bool,
    pub(crate) errors: Vec<ReportedError>,
    pub(crate) is_quota_reached: bool,
    pub(crate) rows: VecDeque<Row>,
    pub(crate) looks_like_seconds: bool,
    last_timestamps: VecDeque<i64>,
    /// The end of the second in which the portal counts, in milliseconds.
    second_ends: i64,
}

/// The figures of one second. A rate is per second, a duration in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Seconds since 1970.
    pub(crate) second: i64,
    pub(crate) requests: f64,
    pub(crate) request_ms: f64,
    pub(crate) request_weight: f64,
    pub(crate) failed: f64,
    pub(crate) dependencies: f64,
    pub(crate) dependency_ms: f64,
    pub(crate) dependency_weight: f64,
    pub(crate) failed_dependencies: f64,
    pub(crate) exceptions: f64,
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<f64>,
    /// Value and weight by the id of a custom chart.
    pub(crate) charts: BTreeMap<String, (f64, f64)>,
}

impl Row {
    /// The figures of a client, under any of the names that clients use, and those of the custom `charts`. Names of an
    /// older configuration are ignored.
    fn new(second: i64, metrics: &BTreeMap<String, (f64, f64)>, charts: &[String]) -> Self {
        let mut row = Self {
            second,
            ..Self::default()
        };
        for (name, &(value, weight)) in metrics {
            match name.as_str() {
                r"\ApplicationInsights\Requests/Sec" => row.requests = value,
                r"\ApplicationInsights\Request Duration" => {
                    row.request_ms = value;
                    row.request_weight = weight;
                }
                r"\ApplicationInsights\Requests Failed/Sec" => row.failed = value,
                r"\ApplicationInsights\Dependency Calls/Sec" => row.dependencies = value,
                r"\ApplicationInsights\Dependency Call Duration" => {
                    row.dependency_ms = value;
                    row.dependency_weight = weight;
                }
                r"\ApplicationInsights\Dependency Calls Failed/Sec" => {
                    row.failed_dependencies = value;
                }
                r"\ApplicationInsights\Exceptions/Sec" => row.exceptions = value,
                r"\Memory\Committed Bytes" => {
                    row.memory.get_or_insert(value);
                }
                r"\Process\Physical Bytes" => row.memory = Some(value),
                r"\Processor(_Total)\% Processor Time" => {
                    row.cpu.get_or_insert(value);
                }
                r"\% Process\Processor Time Normalized" => row.cpu = Some(value),
                r"\ApplicationInsights\Requests Succeeded/Sec"
                | r"\ApplicationInsights\Dependency Calls Succeeded/Sec" => {}
                _ => {
                    if charts.contains(name) {
                        row.charts.insert(name.clone(), (value, weight));
                    }
                }
            }
        }
        // A client that does not send the number of calls has made some if it sends a duration.
        if row.requests < 1e-6 {
            row.request_weight = 0.0;
        }
        if row.dependencies < 1e-6 {
            row.dependency_weight = 0.0;
        }
        row
    }
}

impl Server {
    pub(crate) fn new(id: u64, app: &str, source: Source, now: i64) -> Self {
        Self {
            id,
            app: app.to_owned(),
            name: String::new(),
            role: String::new(),
            machine: String::new(),
            client: String::new(),
            invariant_version: 0,
            source,
            last_seen: now,
            measures_process: true,
            errors: Vec::new(),
            is_quota_reached: false,
            rows: VecDeque::new(),
            looks_like_seconds: false,
            last_timestamps: VecDeque::new(),
            second_ends: now + SECOND,
        }
    }

    /// Stores the identity of the server, as far as the client sends it.
    pub(crate) fn identify(&mut self, point: &Point) {
        let set = |known: &mut String, told: &str| {
            if !told.is_empty() && known != told {
                told.clone_into(known);
            }
        };
        set(&mut self.name, &point.instance);
        set(&mut self.role, &point.role);
        set(&mut self.machine, &point.machine);
        set(&mut self.client, &point.version);
        if point.invariant_version > 0 {
            self.invariant_version = point.invariant_version;
        }
        if let Some(supported) = point.measures_process {
            self.measures_process = supported;
        }
    }

    /// Stores the points of a post, the last of which ends now. Returns the samples.
    pub(crate) fn take(
        &mut self,
        mut points: Vec<Point>,
        charts: &[String],
        now: i64,
    ) -> Vec<serde_json::Value> {
        // A stable sort keeps the order of points without a time.
        points.sort_by_key(|point| point.timestamp);
        points.retain(|point| {
            point
                .timestamp
                .is_none_or(|time| !self.last_timestamps.contains(&time))
        });
        let mut documents = Vec::new();
        let count = i64::try_from(points.len()).unwrap_or(0);
        for (index, point) in points.into_iter().enumerate() {
            self.identify(&point);
            let before = count - 1 - i64::try_from(index).unwrap_or(0);
            let row = Row::new(now.div_euclid(1_000) - before, &point.metrics, charts);
            self.note_unit(&row);
            self.push(row, now);
            if let Some(time) = point.timestamp {
                self.last_timestamps.push_back(time);
                while self.last_timestamps.len() > 16 {
                    self.last_timestamps.pop_front();
                }
            }
            self.errors = point.errors;
            self.is_quota_reached = point.is_quota_reached;
            documents.extend(point.documents);
        }
        documents
    }

    /// Stores a second that the portal counted.
    pub(crate) fn collected(&mut self, collected: &Collected, charts: &[String], now: i64) {
        let metrics = collected.metrics.iter();
        let metrics = metrics.map(|metric| {
            let weight = metric.weight as f64;
            (metric.name.clone(), (metric.value, weight))
        });
        let row = Row::new(now.div_euclid(1_000), &metrics.collect(), charts);
        self.is_quota_reached = collected.is_quota_reached;
        self.push(row, now);
    }

    /// Two posts within one second belong to two seconds: the later post counts for the next second.
    fn push(&mut self, mut row: Row, now: i64) {
        let last = self.rows.back().map_or(i64::MIN, |row| row.second);
        if row.second <= last {
            row.second = last + 1;
        }
        if row.second > now.div_euclid(1_000) + 2 {
            return;
        }
        self.rows.push_back(row);
    }

    /// The client for Python sends seconds under the name of milliseconds.
    fn note_unit(&mut self, row: &Row) {
        if !self.is_of("py") || row.request_weight <= 0.0 || row.request_ms <= 0.0 {
            return;
        }
        self.looks_like_seconds = row.request_ms < LIKE_SECONDS;
    }

    /// Whether a second of counting has ended; the next one begins then.
    pub(crate) fn is_second_over(&mut self, now: i64) -> bool {
        let is_over = now >= self.second_ends;
        if is_over {
            // A late check ends one second, not several.
            self.second_ends = (self.second_ends + SECOND).max(now + SECOND / 2);
        }
        is_over
    }

    /// Whether its client is of this language: `py3.11…`, `dotnet8…`; a prefix states how it was attached.
    pub(crate) fn is_of(&self, language: &str) -> bool {
        let version = match self.client.split_once('_') {
            Some((prefix, version)) if prefix.len() <= 4 => version,
            _ => &self.client,
        };
        version.starts_with(language)
    }

    /// Removes the oldest seconds, so that the number of all `servers` together is bounded.
    pub(crate) fn shrink(&mut self, servers: usize) {
        let most = (MAX_ROWS_OF_ALL / servers.max(1)).min(MAX_ROWS);
        while self.rows.len() > most {
            self.rows.pop_front();
        }
    }

    pub(crate) const fn is_stale(&self, now: i64) -> bool {
        now - self.last_seen >= STALE
    }

    pub(crate) const fn is_gone(&self, now: i64) -> bool {
        now - self.last_seen >= GONE
    }

    /// Whether the client applies the configuration's filters; otherwise the portal does.
    pub(crate) const fn applies_filters(&self) -> bool {
        match self.source {
            Source::Client { .. } => self.invariant_version >= 4,
            Source::Telemetry(_) => true,
        }
    }
}
