use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::StringValue;
use opentelemetry::metrics::Meter;

use super::bound::{Bound, Group};
use super::instruments::{Instruments, Measured};
use super::labels::{EndLabels, Labels};
use crate::semconv::{Side, attribute};

/// The instruments of the [conventions](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/):
/// for a server `http.server.…`, for a client `http.client.…`.
///
/// | Instrument | Kind | Unit |
/// |---|---|---|
/// | `request.duration` | histogram | s |
/// | `active_requests` | up-down counter | {request} |
/// | `request.body.size` | histogram | By |
/// | `response.body.size` | histogram | By |
#[derive(Debug)]
pub struct HttpMetrics {
    instruments: Instruments,
    bound: Bound,
}

/// An active exchange.
#[derive(Debug)]
pub(super) struct Measuring {
    metrics: Arc<HttpMetrics>,
    group: Group,
}

impl HttpMetrics {
    /// Makes the instruments of one side. `duration_boundaries` are in seconds; `None` means the boundaries of the
    /// conventions.
    #[must_use]
    pub fn new(meter: &Meter, side: Side, duration_boundaries: Option<&[f64]>) -> Self {
        let instruments = Instruments::new(meter, side, duration_boundaries);
        Self {
            instruments,
            bound: Bound::default(),
        }
    }

    /// Counts an exchange as active, until it [ends](Measuring::end).
    pub(super) fn start(self: &Arc<Self>, labels: Labels<'_>) -> Measuring {
        let group = self.bound.group(&self.instruments, labels);
        group.change_active(&self.instruments, 1);
        Measuring {
            metrics: Arc::clone(self),
            group,
        }
    }
}

impl Measuring {
    /// Sets a route that became known after the start.
    pub(super) fn set_route(&mut self, route: StringValue) {
        let HttpMetrics { instruments, bound } = &*self.metrics;
        let known = self.group.labels();
        let labels = Labels {
            method: known.method,
            scheme: known.scheme,
            authority: known.authority.as_deref().map(Cow::Borrowed),
            route: Some((attribute::HTTP_ROUTE, route)),
        };
        self.group = bound.group(instruments, labels);
    }

    /// Records the end of the exchange, which is no longer active.
    pub(super) fn end(self, ended: EndLabels<'_>, measured: Measured) {
        let instruments = &self.metrics.instruments;
        self.group.change_active(instruments, -1);
        self.group.record(instruments, ended, measured);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

    use super::*;

    fn labels(host: u32) -> Labels<'static> {
        Labels {
            method: "GET",
            scheme: "http",
            authority: Some(format!("host-{host}:80").into()),
            route: None,
        }
    }

    const OK: EndLabels<'_> = EndLabels {
        version: Some("1.1"),
        status: Some(StatusCode::OK),
        error_type: None,
    };

    const MEASURED: Measured = Measured {
        elapsed: Duration::from_millis(1),
        request_size: None,
        response_size: None,
    };

    fn metrics(side: Side) -> (Arc<HttpMetrics>, impl Fn() -> Vec<ResourceMetrics>) {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_reader(PeriodicReader::builder(exporter.clone()).build())
            .build();
        let metrics = HttpMetrics::new(&provider.meter("test"), side, None);
        let finished = move || {
            provider.force_flush().unwrap();
            exporter.get_finished_metrics().unwrap()
        };
        (Arc::new(metrics), finished)
    }

    /// The number of series of an instrument, and the sum of their counts, or values.
    fn totals(resources: &[ResourceMetrics], instrument: &str) -> (usize, u64) {
        let metrics = resources
            .iter()
            .flat_map(ResourceMetrics::scope_metrics)
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == instrument);
        let values = metrics.flat_map(|metric| -> Vec<u64> {
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(data)) => {
                    data.data_points().map(|point| point.count()).collect()
                }
                AggregatedMetrics::U64(MetricData::Histogram(data)) => {
                    data.data_points().map(|point| point.count()).collect()
                }
                AggregatedMetrics::I64(MetricData::Sum(data)) => data
                    .data_points()
                    .map(|point| point.value().try_into().unwrap())
                    .collect(),
                other => panic!("{other:?}"),
            }
        });
        values.fold((0, 0), |(series, sum), value| (series + 1, sum + value))
    }

    /// More sets of labels than the table binds.
    const HOSTS: u32 = 1_100;

    #[test]
    fn every_exchange_is_measured_however_many_labels_there_are() {
        let (metrics, finished) = metrics(Side::Client);
        for round in 0..2 {
            for host in 0..HOSTS {
                let exchange = metrics.start(labels(host));
                if round > 0 {
                    let measured = Measured {
                        response_size: (host < 10).then_some(5),
                        ..MEASURED
                    };
                    exchange.end(OK, measured);
                }
            }
        }
        let resources = finished();
        let totals = |instrument| totals(&resources, &format!("http.client.{instrument}"));
        let (hosts, all) = (HOSTS as usize, u64::from(HOSTS));
        assert_eq!(totals("request.duration"), (hosts, all));
        assert_eq!(totals("response.body.size"), (10, 10));
        assert_eq!(totals("request.body.size"), (0, 0));
        assert_eq!(totals("active_requests"), (hosts, all));
    }

    #[test]
    fn every_exchange_is_measured_however_many_outcomes_there_are() {
        let (metrics, finished) = metrics(Side::Server);
        for status in (200..400).chain(200..400) {
            let ended = EndLabels {
                status: StatusCode::from_u16(status).ok(),
                ..OK
            };
            metrics.start(labels(1)).end(ended, MEASURED);
        }
        let resources = finished();
        let totals = |instrument| totals(&resources, instrument);
        assert_eq!(totals("http.server.request.duration"), (200, 400));
        assert_eq!(totals("http.server.active_requests"), (1, 0));
    }

    #[test]
    fn a_route_that_becomes_known_late_is_one_of_the_measurement() {
        let (metrics, finished) = metrics(Side::Server);
        for route in ["/a", "/b", "/a"] {
            let mut exchange = metrics.start(labels(1));
            exchange.set_route(route.into());
            exchange.end(OK, MEASURED);
        }
        let resources = finished();
        let totals = |instrument| totals(&resources, instrument);
        assert_eq!(totals("http.server.request.duration"), (2, 3));
        assert_eq!(totals("http.server.active_requests"), (1, 0));
    }

    #[test]
    fn labels_that_differ_in_one_are_different_series() {
        let (metrics, finished) = metrics(Side::Client);
        let error = StringValue::from("timeout");
        let base = labels(1);
        let others = [
            Labels {
                method: "PUT",
                ..base.clone()
            },
            Labels {
                scheme: "https",
                ..base.clone()
            },
            Labels {
                authority: None,
                ..base.clone()
            },
            Labels {
                route: Some(("url.template", "/a".into())),
                ..base.clone()
            },
            Labels {
                route: Some(("url.template", "/b".into())),
                ..base.clone()
            },
        ];
        let endings = [
            OK,
            EndLabels {
                version: Some("2"),
                ..OK
            },
            EndLabels { status: None, ..OK },
            EndLabels {
                error_type: Some(&error),
                ..OK
            },
        ];
        let mut all: Vec<_> = endings.map(|ended| (base.clone(), ended)).into();
        all.extend(others.map(|labels| (labels, OK)));
        for (labels, ended) in all.iter().chain(&all) {
            metrics.start(labels.clone()).end(*ended, MEASURED);
        }
        let resources = finished();
        let totals = totals(&resources, "http.client.request.duration");
        assert_eq!(totals, (all.len(), 2 * all.len() as u64));
    }
}
