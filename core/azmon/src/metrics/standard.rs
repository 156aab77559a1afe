use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::otel_error;

use crate::envelope::{Envelope, Properties, tags};
use crate::instrument::SpanRecord;
use crate::item::SpanView;
use crate::mapping::{Arena, Mapper, RequestDimensions, StandardDimensions};
use crate::metrics::aggregate::Aggregate;
use crate::metrics::counted_request::CountedRequest;
use crate::metrics::series::Series;
use crate::shards::Shards;

pub(super) const REQUESTS: &str = "requests/duration";
pub(super) const DEPENDENCIES: &str = "dependencies/duration";

/// Durations of requests and dependencies, pre-aggregated by the dimensions that Azure Monitor charts.
#[derive(Debug)]
pub(super) struct StandardMetrics {
    mapper: Arc<Mapper>,
    shards: Shards<Series>,
}

impl StandardMetrics {
    pub(super) fn new(mapper: Arc<Mapper>) -> Self {
        Self {
            mapper,
            shards: Shards::new(),
        }
    }

    /// Counts an ended span.
    ///
    /// It runs on the thread that ends the span, and therefore catches a panic of the mapping.
    pub(super) fn record(&self, span: SpanView<'_>) {
        if catch_unwind(AssertUnwindSafe(|| self.add(span))).is_err() {
            otel_error!(name: "StandardMetrics.Panicked");
        }
    }

    /// Counts a span that has ended, if it is a usual request or call: none of its attributes is made for that.
    pub(super) fn record_plain(&self, span: &SpanRecord) -> bool {
        match catch_unwind(AssertUnwindSafe(|| self.add_plain(span))) {
            Ok(added) => added.is_some(),
            Err(_) => {
                otel_error!(name: "StandardMetrics.Panicked");
                true
            }
        }
    }

    /// Counts a request that has ended and has no record.
    pub(super) fn record_request(&self, request: &CountedRequest) {
        if let Some(dimensions) = request.dimensions(self.mapper.options()) {
            self.count_request(dimensions, request.span());
        } else {
            let attributes = request.attributes();
            self.record(SpanView {
                attributes: &attributes,
                ..request.span()
            });
        }
    }

    /// Takes what was counted since the last call, an item for each series.
    pub(super) fn collect(&self, time: SystemTime, emit: &mut impl FnMut(Envelope<'static>)) {
        let mut all = Series::default();
        for (dimensions, value) in self.shards.drain().flat_map(Series::into_values) {
            all.add(dimensions, value);
        }
        for (dimensions, value) in all.into_values() {
            emit(self.envelope(time, dimensions, value));
        }
    }

    fn add(&self, span: SpanView<'_>) {
        with_arena(|arena| self.count(self.mapper.standard_dimensions(span, arena), span));
    }

    fn add_plain(&self, span: &SpanRecord) -> Option<()> {
        let options = self.mapper.options();
        if let Some(dimensions) = RequestDimensions::of_record(span, options) {
            self.count_request(dimensions, span.data().into());
        } else {
            let mut code = itoa::Buffer::new();
            let dimensions = StandardDimensions::of_call(span, options, &mut code)?;
            self.count(dimensions, span.data().into());
        }
        Some(())
    }

    fn count(&self, dimensions: StandardDimensions<'_>, span: SpanView<'_>) {
        let value = duration(span);
        self.shards.update(|series| series.add(dimensions, value));
    }

    fn count_request(&self, dimensions: RequestDimensions, span: SpanView<'_>) {
        let value = duration(span);
        self.shards
            .update(|series| series.add_request(dimensions, value));
    }

    fn envelope(
        &self,
        time: SystemTime,
        dimensions: StandardDimensions<'static>,
        value: Aggregate,
    ) -> Envelope<'static> {
        let name = match dimensions.dependency {
            Some(_) => DEPENDENCIES,
            None => REQUESTS,
        };
        let properties = self.properties(name, dimensions);
        self.mapper.metric(time, value.into_point(name), properties)
    }

    /// The dimensions, by Azure Monitor's names; an empty value is left out.
    fn properties(
        &self,
        name: &'static str,
        dimensions: StandardDimensions<'static>,
    ) -> Properties<'static> {
        let role = |tag| Cow::Owned(self.mapper.tag(tag).unwrap_or_default().to_owned());
        let success = word(dimensions.success);
        let specific = match dimensions.dependency {
            Some(dependency) => vec![
                ("Dependency.Success", success),
                ("Dependency.Type", dependency.dependency_type),
                ("dependency/target", dependency.target),
                ("dependency/resultCode", dimensions.result_code),
            ],
            None => vec![
                ("Request.Success", success),
                ("request/resultCode", dimensions.result_code),
            ],
        };
        let common = [
            ("_MS.MetricId", Cow::Borrowed(name)),
            ("_MS.IsAutocollected", word(true)),
            ("operation/synthetic", word(dimensions.synthetic)),
            ("cloud/roleName", role(tags::CLOUD_ROLE)),
            ("cloud/roleInstance", role(tags::CLOUD_ROLE_INSTANCE)),
        ];
        common
            .into_iter()
            .chain(specific)
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (Cow::Borrowed(key), value))
            .collect()
    }
}

/// The duration of a span in milliseconds.
fn duration(span: SpanView<'_>) -> Aggregate {
    let duration = span.end_time.duration_since(span.start_time);
    Aggregate::of(duration.unwrap_or_default().as_secs_f64() * 1_000.0)
}

fn word(is: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is { "True" } else { "False" })
}

/// Runs `work` with the arena of this thread, which keeps its memory.
fn with_arena(work: impl Fn(&Arena)) {
    thread_local! {
        static ARENA: RefCell<Arena> = RefCell::new(Arena::new());
    }
    let done = ARENA.try_with(|arena| {
        let mut arena = arena.try_borrow_mut().ok()?;
        work(&arena);
        arena.reset();
        Some(())
    });
    // The thread is ending, and its arena may be destroyed already.
    if !matches!(done, Ok(Some(()))) {
        work(&Arena::new());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::time::Duration;

    use opentelemetry::KeyValue;
    use opentelemetry::trace::{SpanKind, Status};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SpanData;

    use super::*;
    use crate::envelope::Data;
    use crate::fixtures::span;
    use crate::mapping::MappingOptions;
    use crate::metrics::series::{MOST_TARGETS, OVERFLOW};

    fn metrics() -> StandardMetrics {
        let resource = Resource::builder_empty().with_service_name("shop").build();
        let options = MappingOptions::default().role_instance("one");
        StandardMetrics::new(Arc::new(Mapper::new("key", &resource, options)))
    }

    fn ended(kind: SpanKind, milliseconds: u64, attributes: &[KeyValue]) -> SpanData {
        let span = span("x");
        SpanData {
            span_kind: kind,
            end_time: span.start_time + Duration::from_millis(milliseconds),
            attributes: attributes.to_vec(),
            ..span
        }
    }

    fn collected(metrics: &StandardMetrics) -> Vec<Envelope<'static>> {
        let mut envelopes = Vec::new();
        metrics.collect(SystemTime::UNIX_EPOCH, &mut |envelope| {
            envelopes.push(envelope)
        });
        envelopes
    }

    fn properties<'a>(envelope: &'a Envelope<'_>) -> BTreeMap<&'a str, &'a str> {
        let properties = envelope.data.properties().iter();
        properties.map(|(key, value)| (key, &**value)).collect()
    }

    fn count(envelope: &Envelope<'_>) -> i64 {
        match &envelope.data {
            Data::Metric(data) => data.metrics[0].count.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_are_aggregated_in_milliseconds_with_their_dimensions() {
        let metrics = metrics();
        let attributes = [
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.response.status_code", 404),
            KeyValue::new("user_agent.synthetic.type", "bot"),
        ];
        for milliseconds in [100, 300] {
            metrics.record((&ended(SpanKind::Server, milliseconds, &attributes)).into());
        }
        let [envelope] = &collected(&metrics)[..] else {
            panic!("one series")
        };
        let Data::Metric(data) = &envelope.data else {
            panic!("{envelope:?}")
        };
        let point = &data.metrics[0];
        assert_eq!(
            (&*point.name, point.value, point.count),
            (REQUESTS, 400.0, Some(2))
        );
        assert_eq!(
            (point.min, point.max, point.std_dev),
            (Some(100.0), Some(300.0), Some(100.0))
        );
        let expected = [
            ("Request.Success", "False"),
            ("_MS.IsAutocollected", "True"),
            ("_MS.MetricId", "requests/duration"),
            ("cloud/roleInstance", "one"),
            ("cloud/roleName", "shop"),
            ("operation/synthetic", "True"),
            ("request/resultCode", "404"),
        ];
        assert_eq!(properties(envelope), BTreeMap::from(expected));
        assert!(collected(&metrics).is_empty());
    }

    #[test]
    fn dependencies_have_the_type_target_and_code_of_their_items() {
        let metrics = metrics();
        let attributes = [
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.namespace", "orders"),
            KeyValue::new("server.address", "db"),
            KeyValue::new("server.port", 6543),
        ];
        let call = SpanData {
            status: Status::error("gone"),
            ..ended(SpanKind::Client, 5, &attributes)
        };
        metrics.record((&call).into());
        let item = {
            let arena = Arena::new();
            let mut item = None;
            metrics.mapper.map_span(&call, None, &arena, |envelope| {
                let Data::RemoteDependency(data) = envelope.data else {
                    panic!("a dependency")
                };
                item = Some(
                    [data.dependency_type, data.target, data.result_code]
                        .map(|text| text.unwrap().into_owned()),
                );
            });
            item.unwrap()
        };
        assert_eq!(item, ["postgresql", "db:6543|orders", "0"]);
        let envelopes = collected(&metrics);
        let properties = properties(&envelopes[0]);
        assert_eq!(properties["Dependency.Type"], item[0]);
        assert_eq!(properties["dependency/target"], item[1]);
        assert_eq!(properties["dependency/resultCode"], item[2]);
        assert_eq!(properties["Dependency.Success"], "False");
        assert_eq!(properties["_MS.MetricId"], "dependencies/duration");
        assert_eq!(properties["operation/synthetic"], "False");
    }

    #[test]
    fn a_dimension_with_too_many_values_overflows_and_nothing_is_lost() {
        let metrics = metrics();
        let call = |number: u32| {
            let host = KeyValue::new("server.address", format!("host-{number}"));
            ended(SpanKind::Client, 1, &[host])
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope
                    .spawn(|| (0..1_000).for_each(|number| metrics.record((&call(number)).into())));
            }
        });
        let envelopes = collected(&metrics);
        let targets: HashSet<_> = envelopes
            .iter()
            .map(|envelope| properties(envelope)["dependency/target"])
            .collect();
        assert_eq!(envelopes.len(), targets.len());
        assert_eq!(targets.len(), MOST_TARGETS + 1);
        assert!(targets.contains(OVERFLOW));
        assert_eq!(envelopes.iter().map(count).sum::<i64>(), 4_000);
    }

    #[test]
    fn spans_that_end_before_they_start_take_no_time() {
        let metrics = metrics();
        let mut backwards = ended(SpanKind::Server, 0, &[]);
        backwards.end_time -= Duration::from_secs(1);
        metrics.record((&backwards).into());
        let Data::Metric(data) = &collected(&metrics)[0].data else {
            panic!("a metric")
        };
        assert_eq!(data.metrics[0].value, 0.0);
    }
}
