use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::envelope::{Envelope, MetricKind, MetricPoint, Properties};
use crate::mapping::Mapper;
use crate::metrics::performance::requests::{RequestRate, Requests};
use crate::metrics::performance::system;

const PROCESS_CPU: &str = r"\Process(??APP_WIN32_PROC??)\% Processor Time";
const PROCESS_CPU_NORMALIZED: &str = r"\Process(??APP_WIN32_PROC??)\% Processor Time Normalized";
const PRIVATE_BYTES: &str = r"\Process(??APP_WIN32_PROC??)\Private Bytes";
const IO_RATE: &str = r"\Process(??APP_WIN32_PROC??)\IO Data Bytes/sec";
const TOTAL_CPU: &str = r"\Processor(_Total)\% Processor Time";
const AVAILABLE_BYTES: &str = r"\Memory\Available Bytes";
const REQUEST_RATE: &str = r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Requests/Sec";
const REQUEST_TIME: &str = r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Request Execution Time";

/// The values that the system reports at one time; `None` if it does not report a value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sample {
    /// Processor time of this process, since its start.
    pub(super) process_cpu: Option<Duration>,
    /// Busy ticks and total ticks of all processors, since the start of the machine.
    pub(super) machine_cpu: Option<(u64, u64)>,
    pub(super) private_bytes: Option<u64>,
    pub(super) available_bytes: Option<u64>,
    /// Bytes read and written, since the start of the process.
    pub(super) io_bytes: Option<u64>,
}

/// Reads the counters at the end of each interval.
#[derive(Debug)]
pub(in crate::metrics) struct PerformanceCounters {
    requests: Arc<RequestRate>,
    processors: f64,
    last: Option<(Instant, Sample)>,
}

impl PerformanceCounters {
    pub(in crate::metrics) fn new(requests: Arc<RequestRate>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            requests,
            processors: processors as f64,
            last: None,
        }
    }

    /// Begins the first interval.
    pub(in crate::metrics) fn start(&mut self, now: Instant) {
        self.last = Some((now, system::sample()));
    }

    /// Makes an item for each counter, and begins the next interval.
    pub(in crate::metrics) fn collect(
        &mut self,
        now: Instant,
        time: SystemTime,
        mapper: &Mapper,
        emit: &mut impl FnMut(Envelope<'static>),
    ) {
        let (since, before) = self.last.unwrap_or_else(|| (now, Sample::default()));
        let interval = Interval {
            before,
            after: system::sample(),
            requests: self.requests.take(),
            duration: now - since,
            processors: self.processors,
        };
        self.last = Some((now, interval.after));
        for (name, value) in interval.counters() {
            emit(mapper.metric(time, point(name, value), Properties::new()));
        }
    }
}

/// The difference between two samples.
struct Interval {
    before: Sample,
    after: Sample,
    requests: Requests,
    duration: Duration,
    processors: f64,
}

impl Interval {
    /// The known counters. A rate needs a non-empty interval.
    fn counters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let Self { before, after, .. } = self;
        let process_cpu = self.rate(difference(
            before.process_cpu,
            after.process_cpu,
            |from, to| Some(to.checked_sub(from)?.as_secs_f64() * 100.0),
        ));
        let machine_cpu = difference(before.machine_cpu, after.machine_cpu, |from, to| {
            let (busy, all) = (to.0.checked_sub(from.0)?, to.1.checked_sub(from.1)?);
            (all > 0).then(|| busy as f64 / all as f64 * 100.0)
        });
        let io = difference(before.io_bytes, after.io_bytes, |from, to| {
            Some(to.checked_sub(from)? as f64)
        });
        let Requests { count, duration } = self.requests;
        let request_time = duration.as_secs_f64() * 1_000.0 / f64::from(count.max(1));
        [
            (PROCESS_CPU, process_cpu),
            (
                PROCESS_CPU_NORMALIZED,
                process_cpu.map(|percent| percent / self.processors),
            ),
            (PRIVATE_BYTES, after.private_bytes.map(|bytes| bytes as f64)),
            (IO_RATE, self.rate(io)),
            (TOTAL_CPU, machine_cpu),
            (
                AVAILABLE_BYTES,
                after.available_bytes.map(|bytes| bytes as f64),
            ),
            (REQUEST_RATE, self.rate(Some(f64::from(count)))),
            (REQUEST_TIME, Some(request_time)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    fn rate(&self, amount: Option<f64>) -> Option<f64> {
        let seconds = self.duration.as_secs_f64();
        amount
            .filter(|_| seconds > 0.0)
            .map(|amount| amount / seconds)
    }
}

fn difference<T>(
    before: Option<T>,
    after: Option<T>,
    of: impl FnOnce(T, T) -> Option<f64>,
) -> Option<f64> {
    of(before?, after?)
}

fn point(name: &'static str, value: f64) -> MetricPoint<'static> {
    MetricPoint {
        namespace: None,
        name: Cow::Borrowed(name),
        kind: Some(MetricKind::Measurement),
        value,
        count: Some(1),
        min: None,
        max: None,
        std_dev: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Sample = Sample {
        process_cpu: Some(Duration::from_secs(10)),
        machine_cpu: Some((1_000, 10_000)),
        private_bytes: Some(1),
        available_bytes: Some(2),
        io_bytes: Some(1_000),
    };

    fn counters(before: Sample, after: Sample, requests: Requests) -> Vec<(&'static str, f64)> {
        let interval = Interval {
            before,
            after,
            requests,
            duration: Duration::from_secs(60),
            processors: 4.0,
        };
        interval.counters().collect()
    }

    #[test]
    fn counters_are_of_the_interval() {
        let after = Sample {
            process_cpu: Some(Duration::from_secs(100)),
            machine_cpu: Some((7_000, 34_000)),
            private_bytes: Some(5_000_000),
            available_bytes: Some(8_000_000),
            io_bytes: Some(121_000),
        };
        let requests = Requests {
            count: 120,
            duration: Duration::from_secs(30),
        };
        assert_eq!(
            counters(BEFORE, after, requests),
            [
                (r"\Process(??APP_WIN32_PROC??)\% Processor Time", 150.0),
                (
                    r"\Process(??APP_WIN32_PROC??)\% Processor Time Normalized",
                    37.5
                ),
                (r"\Process(??APP_WIN32_PROC??)\Private Bytes", 5_000_000.0),
                (r"\Process(??APP_WIN32_PROC??)\IO Data Bytes/sec", 2_000.0),
                (r"\Processor(_Total)\% Processor Time", 25.0),
                (r"\Memory\Available Bytes", 8_000_000.0),
                (
                    r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Requests/Sec",
                    2.0
                ),
                (
                    r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Request Execution Time",
                    250.0
                ),
            ]
        );
    }

    #[test]
    fn what_the_system_does_not_tell_is_left_out() {
        let names: Vec<_> = counters(Sample::default(), Sample::default(), Requests::default())
            .into_iter()
            .map(|(name, value)| (name, value.is_finite()))
            .collect();
        assert_eq!(names, [(REQUEST_RATE, true), (REQUEST_TIME, true)]);
    }

    #[test]
    fn a_counter_that_went_backwards_is_left_out() {
        let after = Sample {
            machine_cpu: Some((1_001, 10_000)),
            process_cpu: Some(Duration::from_secs(9)),
            io_bytes: Some(0),
            ..BEFORE
        };
        let known: Vec<_> = counters(BEFORE, after, Requests::default())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            known,
            [PRIVATE_BYTES, AVAILABLE_BYTES, REQUEST_RATE, REQUEST_TIME]
        );
    }
}
