use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Histogram};

/// A histogram of instruments `I`, bound to attributes that recur.
///
/// It is bound when the first value is recorded, because a bound series without values would be exported, and to the
/// first instruments; values for others are recorded without.
pub struct Recurring<I>(OnceLock<(Weak<I>, BoundHistogram<f64>)>);

impl<I> Default for Recurring<I> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<I> Recurring<I> {
    /// Records a value. Histogram and attributes are the same at each call with the same instruments.
    pub fn record(
        &self,
        instruments: &Arc<I>,
        histogram: impl FnOnce(&I) -> &Histogram<f64>,
        attributes: &[KeyValue],
        value: f64,
    ) {
        let histogram = histogram(instruments);
        let (owner, bound) = self
            .0
            .get_or_init(|| (Arc::downgrade(instruments), histogram.bind(attributes)));
        if owner.as_ptr() == Arc::as_ptr(instruments) {
            bound.record(value);
        } else {
            histogram.record(value, attributes);
        }
    }
}

impl<I> fmt::Debug for Recurring<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recurring")
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    use super::*;

    struct Backend {
        exporter: InMemoryMetricExporter,
        provider: SdkMeterProvider,
        instruments: Arc<Histogram<f64>>,
    }

    impl Backend {
        fn new() -> Self {
            let exporter = InMemoryMetricExporter::default();
            let provider = SdkMeterProvider::builder()
                .with_periodic_exporter(exporter.clone())
                .build();
            let histogram = provider.meter("test").f64_histogram("duration").build();
            Self {
                exporter,
                provider,
                instruments: Arc::new(histogram),
            }
        }

        /// Count and sum of each series, with its first attribute.
        fn series(&self) -> Vec<(KeyValue, u64, f64)> {
            self.provider.force_flush().unwrap();
            let exported = self.exporter.get_finished_metrics().unwrap();
            let metrics = exported.iter().flat_map(|one| one.scope_metrics());
            let mut series = Vec::new();
            for metric in metrics.flat_map(|scope| scope.metrics()) {
                let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
                    continue;
                };
                series.extend(histogram.data_points().map(|point| {
                    let attribute = point.attributes().next().unwrap().clone();
                    (attribute, point.count(), point.sum())
                }));
            }
            series
        }
    }

    fn record(recurring: &Recurring<Histogram<f64>>, to: &Backend, value: f64) {
        let attributes = [KeyValue::new("query", "SELECT")];
        recurring.record(&to.instruments, |histogram| histogram, &attributes, value);
    }

    #[test]
    fn values_belong_to_the_series_of_the_attributes() {
        let (recurring, backend) = (Recurring::default(), Backend::new());
        record(&recurring, &backend, 1.0);
        record(&recurring, &backend, 2.5);
        let unbound = [KeyValue::new("query", "SELECT")];
        backend.instruments.record(4.0, &unbound);
        let expected = (KeyValue::new("query", "SELECT"), 3, 7.5);
        assert_eq!(backend.series(), [expected]);
    }

    #[test]
    fn values_go_to_the_instruments_that_are_given() {
        let (recurring, first, second) = (Recurring::default(), Backend::new(), Backend::new());
        record(&recurring, &first, 1.0);
        record(&recurring, &second, 2.0);
        record(&recurring, &first, 3.0);
        let expected = |count, sum| [(KeyValue::new("query", "SELECT"), count, sum)];
        assert_eq!(first.series(), expected(2, 4.0));
        assert_eq!(second.series(), expected(1, 2.0));
    }
}
