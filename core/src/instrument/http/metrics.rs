use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};

use super::outcome::Side;

/// The boundaries that the conventions advise, in seconds.
const DURATION_BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// The conventions advise none. From 128 B to 64 MiB, in bytes.
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

/// The instruments of the [conventions](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/):
/// for a server `http.server.…`, for a client `http.client.…`.
///
/// | Instrument | Kind | Unit |
/// |---|---|---|
/// | `request.duration` | histogram | s |
/// | `active_requests` | up-down counter | {request} |
/// | `request.body.size` | histogram | By |
/// | `response.body.size` | histogram | By |
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    pub(super) active_requests: UpDownCounter<i64>,
    pub(super) duration: Histogram<f64>,
    pub(super) request_size: Histogram<u64>,
    pub(super) response_size: Histogram<u64>,
}

impl HttpMetrics {
    /// Makes the instruments of one side.
    #[must_use]
    pub fn new(meter: &Meter, side: Side) -> Self {
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
                .with_boundaries(DURATION_BOUNDARIES.to_vec())
                .build(),
            request_size: size("request.body.size", "Size of request bodies."),
            response_size: size("response.body.size", "Size of response bodies."),
        }
    }
}
