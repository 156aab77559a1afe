//! Spans that end as fast as possible, or at a steady rate, with a distant endpoint.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::fixtures::{
    Backend, Durations, Endpoint, Pipeline, Stock, peak_memory, request_attributes,
};
use crate::{Area, Bound, Case, Figure, Method, Quantity, Target, Workload};

/// The round-trip time of the endpoint.
pub const ROUND_TRIP: Duration = Duration::from_millis(100);

/// Spans per second of the steady cases. The run takes ten seconds.
const STEADY: f64 = 200_000.0;

const DROPPED: &str = "dropped, %";
const MEMORY: &str = "peak memory, MB";

/// The area without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "pipeline",
        title: "Pipeline: spans that end, to an endpoint 100 ms away",
        unit: "span",
        about: "Two million spans with 12 attributes, ended as fast as one or two threads can, or at 200,000 a second \
                for ten seconds. A span is kept if it arrives at the endpoint before the final flush returns; kept \
                per second refers to the time in which the spans ended. Each `end()` is timed: the columns show its \
                median and its 99.99th percentile. Memory is the peak of the whole process, including the endpoint.",
        method: Method::Once {
            operations: 10 * STEADY as u64,
        },
        cases: cases(),
        targets: vec![
            Target::new(AZMON[2], Quantity::Figure(DROPPED), Bound::AtMost(0.0)),
            Target::new(AZMON[2], Quantity::Figure(MEMORY), Bound::AtMost(200.0)),
        ],
        notes: None,
    }
}

/// A load of spans.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The label in the table.
    pub label: &'static str,
    /// The number of threads that end spans.
    pub threads: u32,
    /// The spans per second of all threads; `None` for the maximum.
    pub rate: Option<f64>,
}

/// The loads. azmon and every peer have a case for each.
pub const LOADS: [Load; 3] = [
    Load {
        label: "one thread, flat out",
        threads: 1,
        rate: None,
    },
    Load {
        label: "two threads, flat out",
        threads: 2,
        rate: None,
    },
    Load {
        label: "two threads, 200,000 a second",
        threads: 2,
        rate: Some(STEADY),
    },
];

const AZMON: [&str; 3] = [
    "pipeline/azmon/one",
    "pipeline/azmon/two",
    "pipeline/azmon/steady",
];

const BATCH_PROCESSOR: [&str; 3] = [
    "pipeline/batch-processor/one",
    "pipeline/batch-processor/two",
    "pipeline/batch-processor/steady",
];

fn cases() -> Vec<Case> {
    let azmon = LOADS.into_iter().zip(AZMON);
    let batch_processor = LOADS.into_iter().zip(BATCH_PROCESSOR);
    azmon
        .map(|(load, id)| self::azmon(id, load))
        .chain(batch_processor.map(|(load, id)| self::batch_processor(id, load)))
        .collect()
}

fn azmon(id: &'static str, load: Load) -> Case {
    Case::azmon(id, format!("azmon, {}", load.label), move || {
        let pipeline = Pipeline::to(Endpoint::after(ROUND_TRIP), |builder| builder);
        let tracers = pipeline.telemetry().tracer_provider().clone();
        Ends::new(load, tracers, pipeline)
    })
    .group(load.label)
    .remark("the whole of azmon, over HTTP")
}

fn batch_processor(id: &'static str, load: Load) -> Case {
    let label = format!("the SDK's batch processor, {}", load.label);
    Case::peer(id, label, move || {
        let stock = Stock::far(ROUND_TRIP);
        let tracers = stock.tracers().clone();
        Ends::new(load, tracers, stock)
    })
    .group(load.label)
    .remark("its exporter only waits")
}

/// Threads that end spans.
pub struct Ends<B> {
    load: Load,
    tracers: SdkTracerProvider,
    backend: B,
    ended: u64,
    took: Duration,
    durations: Durations,
}

impl<B> Ends<B> {
    /// Starts spans of `tracers`, which sends to `backend`.
    pub fn new(load: Load, tracers: SdkTracerProvider, backend: B) -> Self {
        Self {
            load,
            tracers,
            backend,
            ended: 0,
            took: Duration::ZERO,
            durations: Durations::new(),
        }
    }
}

impl<B: Backend> Workload for Ends<B> {
    fn run(&mut self, operations: u64) {
        let share = operations / u64::from(self.load.threads);
        let rate = self
            .load
            .rate
            .map(|rate| rate / f64::from(self.load.threads));
        let durations = Mutex::new(&mut self.durations);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..self.load.threads {
                scope.spawn(|| {
                    let ended = end(&self.tracers, share, rate);
                    let mut durations = durations.lock().unwrap_or_else(PoisonError::into_inner);
                    durations.add(&ended);
                });
            }
        });
        self.took += start.elapsed();
        self.ended += share * u64::from(self.load.threads);
    }

    fn settle(&mut self) {
        self.backend.flush();
    }

    fn figures(&mut self) -> Vec<Figure> {
        let seconds = self.took.as_secs_f64();
        let kept = self.backend.delivered().unwrap_or_default();
        let lost = self.ended.saturating_sub(kept);
        let microseconds = |share| self.durations.quantile(share).as_nanos() as f64 / 1e3;
        let mut figures = vec![
            Figure::new("ended per second", self.ended as f64 / seconds),
            Figure::new("kept per second", kept as f64 / seconds),
            Figure::new(DROPPED, 100.0 * lost as f64 / self.ended as f64),
            Figure::new("end(), µs", microseconds(0.5)),
            Figure::new("99.99th percentile, µs", microseconds(0.9999)),
        ];
        if let Some(bytes) = peak_memory() {
            figures.push(Figure::new(MEMORY, bytes as f64 / 1e6));
        }
        figures
    }
}

impl<B> fmt::Debug for Ends<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends")
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

/// Ends spans, at `rate` if given, and returns the duration of each end.
fn end(tracers: &SdkTracerProvider, spans: u64, rate: Option<f64>) -> Durations {
    let tracer = tracers.tracer("benches");
    let mut durations = Durations::new();
    let (start, mut ended) = (Instant::now(), 0);
    while ended < spans {
        let due = rate.map_or(spans, |rate| (start.elapsed().as_secs_f64() * rate) as u64);
        for number in ended..due.min(spans) {
            let mut span = tracer
                .span_builder("GET /users/{id}")
                .with_kind(SpanKind::Server)
                .with_attributes(request_attributes(number))
                .start(&tracer);
            let before = Instant::now();
            span.end();
            durations.record(before.elapsed());
        }
        ended = due.min(spans);
        if rate.is_some() {
            thread::sleep(PAUSE);
        }
    }
    durations
}

/// The interval of checking the number of due spans. The due spans of one interval end at once.
const PAUSE: Duration = Duration::from_micros(200);
