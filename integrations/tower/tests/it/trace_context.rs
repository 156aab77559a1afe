//! The rules of W3C Trace Context, through the layers and over real HTTP: a service that calls another, and the
//! headers of that call.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use http::HeaderMap;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_sdk::trace::Sampler;
use tower::{Layer, ServiceExt};

use crate::fixture::{self, TestTelemetry, serve};

type Sender = azmon_tower::client::ClientTrace<
    Client<HttpConnector, axum::body::Body>,
    azmon_tower::WrapBody,
>;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A service that calls another one, and returns the headers of that call.
struct Services {
    telemetry: TestTelemetry,
    front: SocketAddr,
}

impl Services {
    async fn start(telemetry: TestTelemetry) -> Self {
        Self::start_with(telemetry, |layer| layer).await
    }

    async fn start_with(
        telemetry: TestTelemetry,
        change: impl FnOnce(azmon_tower::ServerLayer) -> azmon_tower::ServerLayer,
    ) -> Self {
        let back = serve(Router::new().fallback(say_headers)).await;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let client: Sender = telemetry.client().layer(client);
        let front = Router::new()
            .route("/", get(ask))
            .with_state((client, back))
            .layer(change(telemetry.server()));
        Self {
            front: serve(front).await,
            telemetry,
        }
    }

    /// Sends a request with these header lines, and returns the headers that the other service received.
    async fn pass_on(&self, headers: &[&str]) -> HeaderMap {
        let response = fixture::get(self.front, "/", headers).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let mut sent = HeaderMap::new();
        for line in body.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name = http::HeaderName::try_from(name).unwrap();
            sent.append(name, value.parse().unwrap());
        }
        sent
    }
}

async fn say_headers(request: Request) -> String {
    let lines = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    lines.collect()
}

async fn ask(State((client, back)): State<(Sender, SocketAddr)>) -> String {
    let request = http::Request::get(format!("http://{back}/"))
        .header("traceparent", "to be overwritten")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = client.oneshot(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().unwrap());
    assert!(values.next().is_none(), "{name} was sent twice");
    value
}

async fn traceparent_after(headers: &[&str]) -> String {
    let services = Services::start(TestTelemetry::new()).await;
    let sent = services.pass_on(headers).await;
    let parent = one(&sent, "traceparent").unwrap().to_owned();
    assert_eq!(parent.len(), 55);
    parent
}

async fn tracestate_after(lines: &[&str]) -> Option<String> {
    let services = Services::start(TestTelemetry::new()).await;
    let parent = format!("traceparent: {PARENT}");
    let mut headers = vec![parent.as_str()];
    headers.extend(lines);
    let sent = services.pass_on(&headers).await;
    assert!(one(&sent, "traceparent").unwrap().contains(TRACE));
    one(&sent, "tracestate").map(str::to_owned)
}

async fn assert_continues(header: &str) {
    let sent = traceparent_after(&[header]).await;
    assert!(
        sent.starts_with(&format!("00-{TRACE}-")),
        "{header} gave {sent}"
    );
    assert!(!sent.contains(CALLER));
}

async fn assert_begins(headers: &[&str]) {
    let sent = traceparent_after(headers).await;
    assert!(!sent.contains(TRACE), "{headers:?} gave {sent}");
    assert!(sent.starts_with("00-") && sent.ends_with("-03"), "{sent}");
}

#[tokio::test]
async fn spans_of_server_and_client_are_a_chain() {
    let services = Services::start(TestTelemetry::new()).await;
    let sent = services.pass_on(&[&format!("traceparent: {PARENT}")]).await;
    let spans = services.telemetry.spans(2).await;
    let (server, client) = (
        fixture::named(&spans, "GET /"),
        fixture::named(&spans, "GET"),
    );
    assert_eq!(server.parent_span_id.to_string(), CALLER);
    assert!(server.parent_span_is_remote);
    assert_eq!(client.parent_span_id, server.span_context.span_id());
    let expected = format!("00-{TRACE}-{}-01", client.span_context.span_id());
    assert_eq!(one(&sent, "traceparent").unwrap(), expected);
}

#[tokio::test]
async fn a_valid_parent_in_any_version_is_continued_in_version_00() {
    assert_continues(&format!("traceparent: {PARENT}")).await;
    assert_continues(&format!("TraceParent: {PARENT}")).await;
    assert_continues(&format!("traceparent: \t {PARENT} \t")).await;
    assert_continues(&format!("traceparent: cc{}", &PARENT[2..])).await;
    assert_continues(&format!("traceparent: cc{}-more", &PARENT[2..])).await;
}

#[tokio::test]
async fn an_invalid_parent_begins_a_trace() {
    for parent in [
        format!("ff{}", &PARENT[2..]),
        format!("{PARENT}-01"),
        format!("cc{}.more", &PARENT[2..]),
        PARENT.to_uppercase(),
        PARENT.replace(TRACE, &"0".repeat(32)),
        PARENT.replace(CALLER, &"0".repeat(16)),
        PARENT[..54].to_owned(),
        PARENT.replace("-00f0", "-x0f0"),
        "garbage".to_owned(),
        String::new(),
    ] {
        assert_begins(&[&format!("traceparent: {parent}")]).await;
    }
}

#[tokio::test]
async fn a_repeated_parent_begins_a_trace() {
    let parent = format!("traceparent: {PARENT}");
    assert_begins(&[&parent, &parent]).await;
}

#[tokio::test]
async fn a_request_without_a_parent_begins_a_random_trace() {
    assert_begins(&[]).await;
}

#[tokio::test]
async fn flags_are_passed_on_as_far_as_they_are_known() {
    for (received, sent) in [
        ("00", "00"),
        ("01", "01"),
        ("02", "02"),
        ("03", "03"),
        ("ff", "03"),
    ] {
        let parent = format!("traceparent: {}{received}", &PARENT[..53]);
        let outgoing = traceparent_after(&[&parent]).await;
        assert!(outgoing.contains(TRACE) && !outgoing.contains(CALLER));
        assert_eq!(&outgoing[53..], sent, "{received}");
    }
}

#[tokio::test]
async fn an_unsampled_trace_that_begins_here_is_passed_on_as_one() {
    let services = Services::start(TestTelemetry::sampled(Sampler::AlwaysOff)).await;
    let sent = services.pass_on(&[]).await;
    assert!(one(&sent, "traceparent").unwrap().ends_with("-02"));
    assert!(services.telemetry.ended().is_empty());
}

#[tokio::test]
async fn a_sampled_parent_that_is_dropped_here_is_passed_on_unsampled() {
    let services = Services::start(TestTelemetry::sampled(Sampler::AlwaysOff)).await;
    let sent = services.pass_on(&[&format!("traceparent: {PARENT}")]).await;
    let sent = one(&sent, "traceparent").unwrap();
    assert!(sent.contains(TRACE) && sent.ends_with("-00"), "{sent}");
}

#[tokio::test]
async fn a_state_is_one_list_in_order() {
    assert_eq!(
        tracestate_after(&["tracestate: foo=1,bar=2"])
            .await
            .unwrap(),
        "foo=1,bar=2"
    );
    let lines = [
        "tracestate: foo=1",
        "Tracestate: ",
        "TRACESTATE: bar=2,baz=3",
    ];
    assert_eq!(tracestate_after(&lines).await.unwrap(), "foo=1,bar=2,baz=3");
}

#[tokio::test]
async fn keys_of_level_2_are_passed_on() {
    for list in [
        "foo@@bar=1",
        "foo@=1,0a=2",
        "t@longer-than-fourteen-characters=1",
    ] {
        let sent = tracestate_after(&[&format!("tracestate: {list}")]).await;
        assert_eq!(sent.as_deref(), Some(list));
    }
}

#[tokio::test]
async fn repeated_keys_of_the_state_are_inherited() {
    for (received, sent) in [
        (&["tracestate: foo=1,foo=1"][..], "foo=1,foo=1"),
        (&["tracestate: foo=1", "tracestate: foo=2"], "foo=1,foo=2"),
    ] {
        assert_eq!(tracestate_after(received).await.as_deref(), Some(sent));
    }
}

#[tokio::test]
async fn an_invalid_state_is_dropped_and_the_parent_kept() {
    let many: Vec<_> = (0..33).map(|number| format!("k{number}=1")).collect();
    let long = format!("{}=1", "k".repeat(257));
    for list in [
        "foo",
        "foo=1=2",
        "Foo=1",
        "foo =1",
        "@foo=1",
        &many.join(","),
        &long,
    ] {
        assert_eq!(
            tracestate_after(&[&format!("tracestate: {list}")]).await,
            None,
            "{list}"
        );
    }
}

#[tokio::test]
async fn an_empty_state_is_not_sent() {
    assert_eq!(tracestate_after(&[]).await, None);
    assert_eq!(tracestate_after(&["tracestate: "]).await, None);
    assert_eq!(tracestate_after(&["tracestate: , ,"]).await, None);
}

#[tokio::test]
async fn empty_members_are_allowed() {
    let sent = tracestate_after(&["tracestate: foo=1 ,\t, bar=2,"])
        .await
        .unwrap();
    let members: Vec<_> = sent
        .split(',')
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .collect();
    assert_eq!(members, ["foo=1", "bar=2"]);
}

#[tokio::test]
async fn a_state_without_a_parent_is_dropped() {
    let services = Services::start(TestTelemetry::new()).await;
    let sent = services.pass_on(&["tracestate: foo=1"]).await;
    assert_eq!(one(&sent, "tracestate"), None);
}

#[tokio::test]
async fn baggage_is_passed_on() {
    let services = Services::start(TestTelemetry::new()).await;
    let sent = services.pass_on(&["baggage: user=alice"]).await;
    assert_eq!(one(&sent, "baggage"), Some("user=alice"));
}

#[tokio::test]
async fn a_caller_who_is_not_trusted_is_linked() {
    let services = Services::start_with(TestTelemetry::new(), |layer| {
        layer.trust_remote_parent(false)
    })
    .await;
    let headers = [
        &*format!("traceparent: {PARENT}"),
        "tracestate: foo=1",
        "baggage: user=alice",
    ];
    let sent = services.pass_on(&headers).await;
    let spans = services.telemetry.spans(2).await;
    let server = fixture::named(&spans, "GET /");
    assert_eq!(server.parent_span_id, opentelemetry::trace::SpanId::INVALID);
    assert_eq!(server.links.len(), 1);
    let link = &server.links.iter().next().unwrap().span_context;
    assert_eq!(
        (
            link.trace_id().to_string().as_str(),
            link.span_id().to_string().as_str()
        ),
        (TRACE, CALLER)
    );
    let outgoing = one(&sent, "traceparent").unwrap();
    assert!(
        !outgoing.contains(TRACE) && outgoing.ends_with("-03"),
        "{outgoing}"
    );
    assert_eq!(one(&sent, "tracestate"), None);
    assert_eq!(one(&sent, "baggage"), None);
}
