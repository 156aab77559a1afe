use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::envelope::Envelope;
use crate::item::ItemCounters;
use crate::mapping::Mapper;
use crate::metrics::SpanMetrics;
use crate::metrics::performance::{PerformanceCounters, RequestRate};
use crate::metrics::standard::StandardMetrics;
use crate::metrics::statistics::Statistics;

/// The built-in metrics to collect, and their intervals.
#[derive(Debug, Clone)]
pub(crate) struct BuiltinOptions {
    pub(crate) standard_metrics: bool,
    pub(crate) performance_counters: bool,
    /// Interval of standard metrics and performance counters.
    pub(crate) interval: Duration,
    /// Interval of the SDK statistics; `None` disables them.
    pub(crate) statistics_interval: Option<Duration>,
    /// The host of the program, for the SDK statistics.
    pub(crate) compute_type: &'static str,
}

/// The metrics that the worker collects without an instrument of the application.
#[derive(Debug, Default)]
pub(crate) struct BuiltinMetrics {
    standard: Option<Arc<StandardMetrics>>,
    counters: Option<PerformanceCounters>,
    compute_type: &'static str,
    metrics_schedule: Option<Schedule>,
    statistics_schedule: Option<Schedule>,
}

impl BuiltinMetrics {
    /// Makes the collector, and the counter of spans for it.
    pub(crate) fn new(options: &BuiltinOptions, mapper: &Arc<Mapper>) -> (Self, SpanMetrics) {
        let standard = options
            .standard_metrics
            .then(|| Arc::new(StandardMetrics::new(mapper.clone())));
        let requests = options
            .performance_counters
            .then(|| Arc::new(RequestRate::new()));
        let is_needed = standard.is_some() || requests.is_some();
        let metrics = Self {
            standard: standard.clone(),
            counters: requests.clone().map(PerformanceCounters::new),
            compute_type: options.compute_type,
            metrics_schedule: is_needed.then(|| Schedule::every(options.interval)),
            statistics_schedule: options.statistics_interval.map(Schedule::every),
        };
        (metrics, SpanMetrics { standard, requests })
    }

    /// Makes the statistics that the worker fills.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics::new(self.compute_type)
    }

    /// Starts the intervals.
    pub(crate) fn start(&mut self, now: Instant) {
        let schedules = [&mut self.metrics_schedule, &mut self.statistics_schedule];
        schedules
            .into_iter()
            .flatten()
            .for_each(|schedule| schedule.start(now));
        if let Some(counters) = &mut self.counters {
            counters.start(now);
        }
    }

    /// The time of the next collection.
    pub(crate) fn next(&self) -> Option<Instant> {
        let schedules = [&self.metrics_schedule, &self.statistics_schedule];
        let next = schedules.into_iter().flatten();
        next.filter_map(|schedule| schedule.next).min()
    }

    /// Collects the metrics that are due.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        mapper: &Mapper,
        counters: &ItemCounters,
        statistics: &mut Statistics,
    ) -> Vec<Envelope<'static>> {
        let (time, mut envelopes) = (SystemTime::now(), Vec::new());
        if is_due(&mut self.metrics_schedule, now) {
            self.collect_standard(time, &mut envelopes);
            if let Some(performance) = &mut self.counters {
                performance.collect(now, time, mapper, &mut |envelope| envelopes.push(envelope));
            }
        }
        if is_due(&mut self.statistics_schedule, now) {
            let mut emit = |envelope| envelopes.push(envelope);
            statistics.collect(time, mapper, counters, &mut emit);
        }
        envelopes
    }

    /// Collects the standard metrics before their interval ends, because they would be lost with the process.
    pub(crate) fn flush(&self) -> Vec<Envelope<'static>> {
        let mut envelopes = Vec::new();
        self.collect_standard(SystemTime::now(), &mut envelopes);
        envelopes
    }

    /// Collects the last metrics at the shutdown.
    pub(crate) fn end(
        &self,
        mapper: &Mapper,
        counters: &ItemCounters,
        statistics: &mut Statistics,
    ) -> Vec<Envelope<'static>> {
        let mut envelopes = self.flush();
        if self.statistics_schedule.is_some() {
            let mut emit = |envelope| envelopes.push(envelope);
            statistics.collect(SystemTime::now(), mapper, counters, &mut emit);
        }
        envelopes
    }

    fn collect_standard(&self, time: SystemTime, envelopes: &mut Vec<Envelope<'static>>) {
        if let Some(standard) = &self.standard {
            standard.collect(time, &mut |envelope| envelopes.push(envelope));
        }
    }
}

/// A repeated event.
#[derive(Debug)]
struct Schedule {
    interval: Duration,
    next: Option<Instant>,
}

impl Schedule {
    fn every(interval: Duration) -> Self {
        Self {
            // A zero interval would never let the worker sleep.
            interval: interval.max(SHORTEST_INTERVAL),
            next: None,
        }
    }

    fn start(&mut self, now: Instant) {
        self.next = now.checked_add(self.interval);
    }
}

const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// Whether the event is due; if so, begins the next interval.
fn is_due(schedule: &mut Option<Schedule>, now: Instant) -> bool {
    let Some(schedule) = schedule else {
        return false;
    };
    let is_due = schedule.next.is_some_and(|next| next <= now);
    if is_due {
        schedule.start(now);
    }
    is_due
}
