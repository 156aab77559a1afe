//! `tracing` and `log` through the layer.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use azmon::envelope::{Data, Envelope, SeverityLevel, tags};
use azmon::testing::InMemoryDestination;
use azmon::tracing_targets;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tracing::{Level, Subscriber, debug, error, event, info, info_span, trace, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::child;
use crate::support::{
    builder, exception, flushed, in_memory, in_memory_builder, name, property, request, tag,
};

/// The received items of `work` under a subscriber with the layer.
pub(crate) fn traced(work: impl FnOnce(&azmon::Telemetry)) -> Vec<Envelope<'static>> {
    traced_by(|builder| builder, work)
}

pub(crate) fn traced_by(
    configure: impl FnOnce(azmon::TelemetryBuilder) -> azmon::TelemetryBuilder,
    work: impl FnOnce(&azmon::Telemetry),
) -> Vec<Envelope<'static>> {
    let destination = InMemoryDestination::new();
    let telemetry = configure(in_memory_builder(&destination)).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    tracing::subscriber::with_default(subscriber, || work(&telemetry));
    flushed(&telemetry, &destination)
}

pub(crate) fn named<'a>(envelopes: &'a [Envelope<'static>], text: &str) -> &'a Envelope<'static> {
    let found = envelopes.iter().find(|item| name(item) == text);
    found.unwrap_or_else(|| panic!("no {text} in {envelopes:#?}"))
}

/// Types and messages of an exception and its causes.
fn chain(envelope: &Envelope<'static>) -> Vec<(String, String)> {
    let exceptions = exception(envelope).exceptions.iter();
    exceptions
        .map(|e| {
            (
                e.type_name.clone().unwrap().into_owned(),
                e.message.to_string(),
            )
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

const ROOT: (&str, &str) = ("ParseIntError", "invalid digit found in string");

fn parse_error() -> std::num::ParseIntError {
    "x".parse::<u32>().unwrap_err()
}

#[test]
fn an_event_inside_a_span_belongs_to_it_and_one_outside_to_nothing() {
    let envelopes = traced(|_| {
        info_span!("stocktaking", shelf = 3).in_scope(|| warn!(article = 7, "out of stock"));
        info!("outside");
    });
    assert_eq!(envelopes.len(), 3, "{envelopes:#?}");
    let span = named(&envelopes, "stocktaking");
    let Data::RemoteDependency(data) = &span.data else {
        panic!("{span:?}")
    };
    assert_eq!(property(span, "shelf"), Some("3"));
    let inside = named(&envelopes, "out of stock");
    assert_eq!(
        tag(inside, tags::OPERATION_ID),
        tag(span, tags::OPERATION_ID)
    );
    assert_eq!(tag(inside, tags::OPERATION_PARENT_ID), Some(&*data.id));
    assert_eq!(property(inside, "article"), Some("7"));
    assert_eq!(property(inside, "logger_name"), Some(module_path!()));
    assert_eq!(property(inside, "event_name"), None);
    let Data::Message(message) = &inside.data else {
        panic!("{inside:?}")
    };
    assert_eq!(message.severity_level, Some(SeverityLevel::Warning));
    assert_eq!(tag(named(&envelopes, "outside"), tags::OPERATION_ID), None);
}

#[test]
fn spans_and_events_belong_to_the_request_whose_context_is_current() {
    let envelopes = traced(|telemetry| {
        let context = request(telemetry, "GET /orders/{id}");
        let span = context.span().span_context().clone();
        let _guard = context.attach();
        info!("direct");
        info_span!("inner").in_scope(|| info!("nested"));
        drop(span);
    });
    let request = named(&envelopes, "GET /orders/{id}");
    let Data::Request(data) = &request.data else {
        panic!("{request:?}")
    };
    for text in ["direct", "inner", "nested"] {
        let item = named(&envelopes, text);
        assert_eq!(
            tag(item, tags::OPERATION_ID),
            tag(request, tags::OPERATION_ID)
        );
        assert_eq!(
            tag(item, tags::OPERATION_NAME),
            Some("GET /orders/{id}"),
            "{text}"
        );
    }
    for text in ["direct", "inner"] {
        let parent = tag(named(&envelopes, text), tags::OPERATION_PARENT_ID);
        assert_eq!(parent, Some(&*data.id));
    }
}

#[test]
fn an_event_may_name_its_parent_or_have_none() {
    let envelopes = traced(|_| {
        let other = info_span!("other");
        info_span!("current").in_scope(|| {
            info!(parent: &other, "of another");
            info!(parent: None, "of none");
        });
    });
    let other = named(&envelopes, "other");
    let of_another = named(&envelopes, "of another");
    assert_eq!(
        tag(of_another, tags::OPERATION_ID),
        tag(other, tags::OPERATION_ID)
    );
    let Data::RemoteDependency(data) = &other.data else {
        panic!("{other:?}")
    };
    assert_eq!(tag(of_another, tags::OPERATION_PARENT_ID), Some(&*data.id));
    assert_eq!(tag(named(&envelopes, "of none"), tags::OPERATION_ID), None);
}

#[test]
fn an_error_is_an_exception_with_the_chain_of_its_sources() {
    let with_context = anyhow::Error::new(parse_error()).context("the order is lost");
    let report = eyre::Report::new(parse_error()).wrap_err("the order is lost");
    let envelopes = traced(|_| {
        error!(error = &parse_error() as &dyn Error, order = 7, "plain");
        error!(
            error = with_context.as_ref() as &(dyn Error + Send + Sync),
            "anyhow"
        );
        error!(
            error = report.as_ref() as &(dyn Error + Send + Sync),
            "eyre"
        );
        error!(error = ?with_context, "debug of anyhow");
        error!(err = ?report, "debug of eyre");
        error!(error = %with_context, "display");
        info!(cause = &parse_error() as &dyn Error, "any field, any level");
    });
    let lost = ("Error", "the order is lost");
    let untyped = ("Error", ROOT.1);
    let expected: [(&str, &[(&str, &str)]); 7] = [
        ("plain", &[ROOT]),
        ("anyhow", &[lost, ROOT]),
        ("eyre", &[lost, ROOT]),
        ("debug of anyhow", &[lost, untyped]),
        ("debug of eyre", &[lost, untyped]),
        ("display", &[lost]),
        ("any field, any level", &[ROOT]),
    ];
    assert_eq!(envelopes.len(), expected.len());
    for (envelope, (text, links)) in envelopes.iter().zip(expected) {
        assert_eq!(property(envelope, "message"), Some(text));
        assert_eq!(chain(envelope), pairs(links), "{text}");
        assert!(
            property(envelope, "code.file.path")
                .unwrap()
                .ends_with("tracing_layer.rs")
        );
        for key in ["error", "err", "cause"] {
            assert_eq!(property(envelope, key), None);
        }
    }
    let first = exception(&envelopes[0]);
    assert_eq!(property(&envelopes[0], "order"), Some("7"));
    assert_eq!(first.severity_level, Some(SeverityLevel::Error));
    assert_eq!(
        (first.exceptions[0].id, first.exceptions[0].outer_id),
        (None, None)
    );
    let second = &exception(&envelopes[1]).exceptions;
    assert_eq!((second[0].id, second[0].outer_id), (Some(1), None));
    assert_eq!((second[1].id, second[1].outer_id), (Some(2), Some(1)));
    let last = exception(&envelopes[6]);
    assert_eq!(last.severity_level, Some(SeverityLevel::Information));
}

#[test]
fn fields_named_exception_make_one_and_win_over_an_error() {
    let envelopes = traced(|_| {
        error!(
            exception.type = "Lost",
            exception.message = "gone",
            exception.stacktrace = "   0: shop::order\n             at src/order.rs:7:3\n",
            error = "not this",
            "text"
        );
    });
    assert_eq!(chain(&envelopes[0]), pairs(&[("Lost", "gone")]));
    assert_eq!(property(&envelopes[0], "error"), Some("not this"));
    let frame = &exception(&envelopes[0]).exceptions[0].parsed_stack[0];
    assert_eq!(
        (frame.method.as_ref(), frame.line),
        ("shop::order", Some(7))
    );
    assert_eq!(frame.assembly.as_deref(), Some("shop"));
}

#[test]
fn a_text_is_no_error_in_an_event_that_is_no_warning() {
    let envelopes = traced(|_| info!(error = "none", "fine"));
    let fine = named(&envelopes, "fine");
    assert!(matches!(fine.data, Data::Message(_)));
    assert_eq!(property(fine, "error"), Some("none"));
}

#[test]
fn fields_of_every_kind_are_kept() {
    let envelopes = traced(|_| {
        event!(
            name: "order.placed",
            Level::INFO,
            text = "a",
            yes = true,
            half = 0.5,
            big = u64::MAX,
            bigger = u128::MAX,
            negative = -1_i128,
            debug = ?Some(1),
            bytes = &[0_u8, 255][..],
            "placed"
        );
    });
    let placed = named(&envelopes, "placed");
    for (key, value) in [
        ("text", "a"),
        ("yes", "true"),
        ("half", "0.5"),
        ("big", "18446744073709551615"),
        ("bigger", "340282366920938463463374607431768211455"),
        ("negative", "-1"),
        ("debug", "Some(1)"),
        ("bytes", "AP8="),
        ("event_name", "order.placed"),
    ] {
        assert_eq!(property(placed, key), Some(value), "{key}");
    }
}

#[test]
fn a_field_makes_a_custom_event() {
    let envelopes = traced(|_| {
        info!(
            microsoft.custom_event.name = "checkout",
            basket = 3,
            "placed"
        )
    });
    let Data::Event(data) = &envelopes[0].data else {
        panic!("{envelopes:?}")
    };
    assert_eq!(data.name, "checkout");
    assert_eq!(property(&envelopes[0], "basket"), Some("3"));
    assert_eq!(property(&envelopes[0], "message"), Some("placed"));
}

#[test]
fn records_of_the_log_crate_have_their_own_target_and_level() {
    // Another test may have installed it first.
    let _ = tracing_log::LogTracer::init();
    let envelopes = traced(|_| {
        log::warn!(target: "shop::stock", "low: {}", 3);
        log::debug!("not wanted");
        log::error!(target: "hyper::client", "not wanted");
        log::error!(target: "azmon", "not wanted");
    });
    assert_eq!(envelopes.len(), 1, "{envelopes:#?}");
    let low = named(&envelopes, "low: 3");
    assert_eq!(property(low, "logger_name"), Some("shop::stock"));
    assert_eq!(low.data.properties().len(), 1);
    let Data::Message(data) = &low.data else {
        panic!("{low:?}")
    };
    assert_eq!(data.severity_level, Some(SeverityLevel::Warning));
}

#[test]
fn only_the_targets_that_are_asked_for_pass_and_never_ones_own() {
    let (telemetry, destination) = in_memory();
    let targets = tracing_targets(LevelFilter::INFO).with_target("shop", LevelFilter::TRACE);
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer_with(targets));
    tracing::subscriber::with_default(subscriber, || {
        trace!(target: "shop::a", "kept");
        debug!("below the level");
        error!(target: "h2::codec", "noise");
        error!(target: "azmon", "own");
        error!(target: "opentelemetry_sdk", "own");
        let _span = info_span!(target: "hyper::proto", "noise").entered();
        let _span = info_span!(target: "azmon::worker", "own").entered();
    });
    let envelopes = flushed(&telemetry, &destination);
    assert_eq!(envelopes.iter().map(name).collect::<Vec<_>>(), ["kept"]);
}

#[test]
fn disabled_levels_cost_nothing() {
    let (telemetry, _destination) = in_memory();
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    assert_eq!(subscriber.max_level_hint(), Some(LevelFilter::INFO));
}

#[test]
fn nothing_is_recorded_where_telemetry_is_suppressed() {
    let envelopes = traced(|_| {
        let _guard = opentelemetry::Context::enter_telemetry_suppressed_scope();
        info_span!("span").in_scope(|| info!("event"));
        info!(parent: None, "of none");
    });
    assert_eq!(envelopes, []);
}

#[test]
fn the_layer_of_disabled_telemetry_does_nothing() {
    let telemetry = azmon::Telemetry::builder()
        .environment(|_| None)
        .disabled_without_connection_string()
        .install_globally(false)
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("span").in_scope(|| info!("event"));
    });
    telemetry.event("nowhere").send();
    telemetry.force_flush().unwrap();
}

#[test]
fn opentelemetrys_own_appender_works_with_the_logger_provider() {
    let destination = azmon::testing::InMemoryDestination::new();
    let telemetry = in_memory_builder(&destination).build().unwrap();
    let appender = OpenTelemetryTracingBridge::new(telemetry.logger_provider());
    let subscriber = tracing_subscriber::registry().with(appender);
    tracing::subscriber::with_default(subscriber, || {
        warn!(article = 7, "out of stock");
        error!(error = &parse_error() as &dyn Error, "lost");
    });
    let envelopes = flushed(&telemetry, &destination);
    let warning = &envelopes[0];
    assert_eq!(name(warning), "out of stock");
    assert_eq!(property(warning, "event_name"), None);
    assert_eq!(property(warning, "logger_name"), Some(module_path!()));
    assert_eq!(chain(&envelopes[1]), pairs(&[("Exception", ROOT.1)]));
}

/// Enough for three times a second of a busy service.
const LINES: usize = 1_000;

#[test]
fn a_thousand_lines_a_second_do_not_feed_themselves() {
    let (envelopes, output) = child::run("tracing_layer::thousands_of_lines", "", "0");
    assert!(output.status.success(), "{output:?}");
    let lines = envelopes.iter().filter(|item| name(item) == "a line");
    assert_eq!(lines.count(), 3 * LINES);
    assert_eq!(envelopes.len(), 3 * LINES);
}

#[test]
#[ignore = "other tests run it in a child process"]
fn thousands_of_lines() {
    let (_, connection_string) = child::told();
    let telemetry = builder(connection_string).build().unwrap();
    let everything = Targets::new().with_default(LevelFilter::TRACE);
    let of_worker = CountOfWorker::default();
    let subscriber = tracing_subscriber::registry()
        .with(of_worker.clone())
        .with(telemetry.tracing_layer_with(everything));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing_log::LogTracer::init().unwrap();
    for _ in 0..3 {
        for number in 0..LINES {
            info!(number, "a line");
        }
        telemetry.force_flush().unwrap();
    }
    for _ in 0..20 {
        telemetry.force_flush().unwrap();
    }
    // The worker has emitted events; without any, the test would prove nothing.
    assert!(of_worker.0.load(Ordering::Relaxed) > 0);
}

/// Counts the events of the sending thread.
#[derive(Clone, Default)]
struct CountOfWorker(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for CountOfWorker {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        if std::thread::current().name() == Some("azmon-worker") {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
