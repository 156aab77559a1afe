use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};

use super::labels::Labels;
use crate::semconv::Side;

/// The boundaries that the conventions advise, in seconds.
const DURATION_BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Boundaries in bytes, from 128 B to 64 MiB. The conventions advise none.
const SIZE_BOUNDARIES: [f64; 11] = [
    128.0,
    512.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// The instruments of one side.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) active_requests: UpDownCounter<i64>,
    pub(super) duration: Histogram<f64>,
    pub(super) request_size: Histogram<u64>,
    pub(super) response_size: Histogram<u64>,
}

/// The measurements of an exchange at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) elapsed: Duration,
    /// In bytes, if known.
    pub(super) request_size: Option<u64>,
    /// In bytes, if known.
    pub(super) response_size: Option<u64>,
}

impl Instruments {
    /// Makes the instruments of one side.
    pub(super) fn new(meter: &Meter, side: Side, duration_boundaries: Option<&[f64]>) -> Self {
        let duration_boundaries = duration_boundaries.unwrap_or(&DURATION_BOUNDARIES);
        let name = |instrument: &str| match side {
            Side::Client => format!("http.client.{instrument}"),
            Side::Server => format!("http.server.{instrument}"),
        };
        let size = |instrument: &str, description: &'static str| {
            meter
                .u64_histogram(name(instrument))
                .with_unit("By")
                .with_description(description)
                .with_boundaries(SIZE_BOUNDARIES.to_vec())
                .build()
        };
        Self {
            active_requests: meter
                .i64_up_down_counter(name("active_requests"))
                .with_unit("{request}")
                .with_description("Number of requests in flight.")
                .build(),
            duration: meter
                .f64_histogram(name("request.duration"))
                .with_unit("s")
                .with_description("Duration of requests, to the end of the response.")
                .with_boundaries(duration_boundaries.to_vec())
                .build(),
            request_size: size("request.body.size", "Size of request bodies."),
            response_size: size("response.body.size", "Size of response bodies."),
        }
    }

    /// Adds `by` to the number of active exchanges.
    pub(super) fn change_active(&self, labels: &Labels<'_>, by: i64) {
        self.active_requests.add(by, &labels.constant());
    }

    /// Records the measurements of an exchange that ended.
    pub(super) fn record(&self, labels: &[KeyValue], measured: Measured) {
        self.duration.record(measured.elapsed.as_secs_f64(), labels);
        if let Some(size) = measured.request_size {
            self.request_size.record(size, labels);
        }
        if let Some(size) = measured.response_size {
            self.response_size.record(size, labels);
        }
    }
}
