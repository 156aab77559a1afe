//! The statistics of delivery as metrics.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::item::{Signal, SignalReport};
use crate::transmission::{CircuitState, TelemetryStatistics, WorkerHandle};

const SIGNAL: &str = "azmon.signal";
const ERROR_TYPE: &str = "error.type";
const CIRCUIT_STATE: &str = "azmon.circuit.state";

/// The states of a circuit, by their names.
const STATES: [(CircuitState, &str); 4] = [
    (CircuitState::Closed, "closed"),
    (CircuitState::Suspect, "suspect"),
    (CircuitState::Open, "open"),
    (CircuitState::Probing, "probing"),
];

/// Makes the instruments. Their callbacks read the statistics of the worker.
pub(super) fn register(meters: &SdkMeterProvider, handle: &WorkerHandle) {
    let meter = meters.meter("azmon");
    register_items(&meter, handle);
    register_levels(&meter, handle);
    register_endpoint(&meter, handle);
}

fn register_items(meter: &Meter, handle: &WorkerHandle) {
    let worker = handle.clone();
    meter
        .u64_observable_counter("azmon.items.sent")
        .with_unit("{item}")
        .with_description("Items that the service has.")
        .with_callback(move |observer| observe_by_signal(&worker, observer, |report| report.sent))
        .build();
    let worker = handle.clone();
    meter
        .u64_observable_gauge("azmon.items.stored")
        .with_unit("{item}")
        .with_description("Items on disk.")
        .with_callback(move |observer| observe_by_signal(&worker, observer, |report| report.stored))
        .build();
    let worker = handle.clone();
    meter
        .u64_observable_counter("azmon.items.dropped")
        .with_unit("{item}")
        .with_description("Items that are lost or were dropped on purpose.")
        .with_callback(move |observer| observe_drops(&worker, observer))
        .build();
    let worker = handle.clone();
    meter
        .u64_observable_counter("azmon.items.recovered")
        .with_unit("{item}")
        .with_description("Items of earlier processes that the service has.")
        .with_callback(move |observer| observer.observe(worker.statistics().recovered.sent, &[]))
        .build();
}

fn observe_by_signal(
    worker: &WorkerHandle,
    observer: &dyn AsyncInstrument<u64>,
    count: impl Fn(SignalReport) -> u64,
) {
    for signal in Signal::ALL {
        let report = worker.counters().report(signal);
        observer.observe(count(report), &[KeyValue::new(SIGNAL, signal.as_str())]);
    }
}

fn observe_drops(worker: &WorkerHandle, observer: &dyn AsyncInstrument<u64>) {
    let mut counts = BTreeMap::<_, u64>::new();
    for (reason, label, count) in worker.counters().by_label() {
        let key = (label.signal.as_str(), reason.as_str());
        *counts.entry(key).or_default() += count;
    }
    for ((signal, reason), count) in counts {
        let attributes = [
            KeyValue::new(SIGNAL, signal),
            KeyValue::new(ERROR_TYPE, reason),
        ];
        observer.observe(count, &attributes);
    }
}

fn register_levels(meter: &Meter, handle: &WorkerHandle) {
    let level = |name: &'static str,
                 unit: &'static str,
                 description: &'static str,
                 read: fn(&TelemetryStatistics) -> u64| {
        let worker = handle.clone();
        meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(move |observer| observer.observe(read(&worker.statistics()), &[]))
            .build();
    };
    level(
        "azmon.queue.items",
        "{item}",
        "Items that wait to be encoded.",
        |statistics| statistics.queue_items as u64,
    );
    level(
        "azmon.queue.memory",
        "By",
        "The memory of the items that wait to be encoded.",
        |statistics| statistics.queue_bytes as u64,
    );
    level(
        "azmon.batches.items",
        "{item}",
        "Encoded items in memory.",
        |statistics| statistics.open_items,
    );
    level(
        "azmon.batches.memory",
        "By",
        "The memory of encoded batches.",
        |statistics| statistics.memory_bytes as u64,
    );
    level(
        "azmon.storage.batches",
        "{batch}",
        "Files of this process.",
        |statistics| statistics.disk_batches as u64,
    );
    level(
        "azmon.storage.size",
        "By",
        "The bytes in the files of this process.",
        |statistics| statistics.disk_bytes,
    );
}

fn register_endpoint(meter: &Meter, handle: &WorkerHandle) {
    let worker = handle.clone();
    meter
        .u64_observable_gauge("azmon.circuit.state")
        .with_unit("1")
        .with_description("1 for the state of the circuit, 0 for the others.")
        .with_callback(move |observer| {
            let circuit = worker.statistics().circuit;
            for (state, name) in STATES {
                let is_it = u64::from(state == circuit);
                observer.observe(is_it, &[KeyValue::new(CIRCUIT_STATE, name)]);
            }
        })
        .build();
    let worker = handle.clone();
    meter
        .f64_observable_gauge("azmon.last_success.age")
        .with_unit("s")
        .with_description("Time since the service took a batch.")
        .with_callback(move |observer| {
            if let Some(time) = worker.statistics().last_success {
                // The clock may have been set back.
                let age = time.elapsed().unwrap_or_default();
                observer.observe(age.as_secs_f64(), &[]);
            }
        })
        .build();
}
