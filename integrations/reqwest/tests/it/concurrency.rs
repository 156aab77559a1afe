//! Concurrent calls keep their own parents.

use std::collections::{HashMap, HashSet};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use opentelemetry::trace::{FutureExt, Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};

use crate::fixture::{Recorder, attribute, is_call, serve};

const CALLS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_have_the_right_parents() {
    let recorder = Recorder::new();
    let echo = |Path(number): Path<String>| async move { number };
    let url = serve(Router::new().route("/{number}", get(echo))).await;
    let client = recorder.client();
    let tracer = recorder.provider.tracer("test");
    let calls = (0..CALLS).map(|number| {
        let url = format!("{url}/{number}");
        let mut span = tracer.start("parent");
        span.set_attribute(KeyValue::new("called", url.clone()));
        let context = Context::new().with_span(span);
        let request = client.get(&url);
        let call = async move {
            let text = request.send().await.unwrap().text().await.unwrap();
            assert_eq!(text, number.to_string());
            let current = Context::current();
            // The span of the call has ended.
            let is_own = current.span().is_recording();
            current.span().end();
            is_own
        };
        tokio::spawn(call.with_context(context))
    });
    for call in futures_util::future::join_all(calls).await {
        assert!(call.unwrap(), "a call left its context behind");
    }
    let spans = recorder.all_spans();
    let (calls, parents): (Vec<_>, Vec<_>) = spans.iter().partition(|span| is_call(span));
    assert_eq!((calls.len(), parents.len()), (CALLS, CALLS));
    let parents: HashMap<_, _> = parents
        .iter()
        .map(|span| (span.span_context.span_id(), *span))
        .collect();
    let mut traces = HashSet::new();
    for call in calls {
        let parent = parents[&call.parent_span_id];
        assert_eq!(attribute(call, "url.full"), attribute(parent, "called"));
        assert_eq!(call.span_context.trace_id(), parent.span_context.trace_id());
        traces.insert(call.span_context.trace_id());
    }
    assert_eq!(traces.len(), CALLS);
}
