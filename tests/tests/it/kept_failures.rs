//! Sampling across signals: a failed request is kept whole, with its children and its logs.

use azmon::envelope::{Data, Envelope};
use azmon::sampling::{SamplingOverride, TelemetryType};
use azmon::testing::InMemoryDestination;
use azmon::{DropReason, Telemetry, TelemetryBuilder};
use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use tracing_subscriber::layer::SubscriberExt;

struct Bench {
    telemetry: Telemetry,
    destination: InMemoryDestination,
}

impl Bench {
    fn new(configure: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Self {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder()
            .destination(&destination)
            .install_globally(false);
        Self {
            telemetry: configure(builder).build().unwrap(),
            destination,
        }
    }

    /// A request with a child and two log records, with the response code `status`.
    fn request(&self, status: i64) {
        let tracer = self.telemetry.tracer_provider().tracer("it");
        let request = tracer
            .span_builder("GET /")
            .with_kind(SpanKind::Server)
            .start(&tracer);
        let context = Context::new().with_span(request);
        let subscriber = tracing_subscriber::registry().with(self.telemetry.tracing_layer());
        tracing::subscriber::with_default(subscriber, || {
            let _attached = context.clone().attach();
            tracer.start("child").end();
            tracing::info!(detail = true, "a detail");
            tracing::error!("a problem");
        });
        context
            .span()
            .set_attribute(KeyValue::new("http.response.status_code", status));
        context.span().end();
    }

    fn arrived(&self) -> Vec<(String, Option<f64>)> {
        self.telemetry.force_flush().unwrap();
        let mut arrived: Vec<_> = self.destination.envelopes().iter().map(shown).collect();
        arrived.sort_by(|one, other| one.0.cmp(&other.0));
        arrived
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        let dropped = self.telemetry.dropped_items().into_iter();
        dropped
            .filter(|dropped| dropped.reason == reason)
            .map(|dropped| dropped.count)
            .sum()
    }
}

fn shown(envelope: &Envelope<'_>) -> (String, Option<f64>) {
    let name = match &envelope.data {
        Data::Request(data) => &data.name,
        Data::RemoteDependency(data) => &data.name,
        Data::Message(data) => &data.message,
        other => panic!("{other:?}"),
    };
    (
        name.to_string(),
        envelope.sample_rate.filter(|rate| *rate < 100.0),
    )
}

fn all(rate: Option<f64>) -> Vec<(String, Option<f64>)> {
    [
        ("GET /", rate),
        ("a detail", rate),
        ("a problem", None),
        ("child", rate),
    ]
    .map(|(name, rate)| (name.to_owned(), rate))
    .into()
}

#[test]
fn a_failed_request_is_kept_with_its_children_and_logs_and_counts_once() {
    let bench = Bench::new(|builder| builder.sampling_ratio(0.0).keep_failures());
    bench.request(500);
    assert_eq!(bench.arrived(), all(None));
    assert_eq!(bench.dropped(DropReason::Unsampled), 0);
}

#[test]
fn of_a_request_that_succeeds_and_is_not_sampled_only_errors_are_kept() {
    let bench = Bench::new(|builder| builder.sampling_ratio(0.0).keep_failures());
    bench.request(200);
    assert_eq!(bench.arrived(), [("a problem".to_owned(), None)]);
    assert_eq!(bench.dropped(DropReason::Unsampled), 1);
}

#[test]
fn overrides_for_log_records_decide_about_them_alone() {
    let bench = Bench::new(|builder| {
        let details = SamplingOverride::new(0.0)
            .telemetry_type(TelemetryType::Trace)
            .attribute("detail", "true");
        builder.sampling_override(details)
    });
    bench.request(200);
    let arrived: Vec<_> = bench.arrived().into_iter().map(|(name, _)| name).collect();
    assert_eq!(arrived, ["GET /", "a problem", "child"]);
    assert_eq!(bench.dropped(DropReason::Unsampled), 1);
}

#[test]
fn logs_carry_the_rate_of_their_request() {
    let bench = Bench::new(|builder| builder.sampling_ratio(0.5));
    // One of two traces is kept, so the chance of keeping none of this many is negligible.
    for _ in 0..64 {
        bench.request(200);
    }
    let arrived = bench.arrived();
    let kept = arrived.iter().filter(|(name, _)| name == "GET /").count();
    assert!(kept > 0);
    for (name, rate) in arrived {
        let expected = (name != "a problem").then_some(50.0);
        assert_eq!(rate, expected, "{name}");
    }
}
