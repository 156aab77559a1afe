//! The code that runs inside the context.

use azmon_instrument::exclude::records_no_spans;
use azmon_tower::ResponseMode;
use futures_util::stream::BoxStream;

use super::*;

#[tokio::test]
async fn everything_runs_and_is_dropped_inside_of_the_context() {
    let telemetry = TestTelemetry::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = seen.clone();
    let service = service_fn(move |_: Request<()>| {
        see.lock().unwrap().push(has_span());
        let see = see.clone();
        async move {
            see.lock().unwrap().push(has_span());
            tokio::task::yield_now().await;
            see.lock().unwrap().push(has_span());
            let mut script = Script::data(&["a"]);
            script.seen = see.clone();
            script.stays_open = true;
            Ok::<_, Infallible>(Response::new(script))
        }
    });
    let response = telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await
        .unwrap();
    assert!(!has_span());
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(futures_util::poll!(body.frame()).is_pending());
    drop(body);
    assert!(!has_span());
    assert_eq!(*seen.lock().unwrap(), [true; 6]);
}

#[tokio::test]
async fn a_body_is_dropped_inside_of_the_context_with_its_last_frame() {
    let telemetry = TestTelemetry::new();
    let mut script = Script::data(&["a"]);
    script.is_known_to_end = true;
    let seen = script.seen.clone();
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    body.frame().await.unwrap().unwrap();
    telemetry.span().await;
    // It was polled and dropped.
    assert_eq!(*seen.lock().unwrap(), [true; 2]);
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
    drop(body);
    assert_eq!(*seen.lock().unwrap(), [true; 2]);
}

type Streamed = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// The context in which a body is sent that the layer does not record.
async fn context_of_a_body<E>(layer: ServerLayer<E>) -> Context
where
    E: ResponseMode<Streamed, Body: Body<Error: std::fmt::Debug>>,
{
    let (sender, seen) = std::sync::mpsc::channel();
    let service = service_fn(move |_: Request<()>| {
        let sender = sender.clone();
        let frames = stream::once(async move {
            sender.send(Context::current()).unwrap();
            Ok::<_, Infallible>(Frame::data(Bytes::new()))
        });
        let body: Streamed = StreamBody::new(frames.boxed());
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let request = Request::get("/x").header("traceparent", caller);
    let response = layer.layer(service).oneshot(request.body(()).unwrap());
    response.await.unwrap().into_body().collect().await.unwrap();
    seen.try_recv().unwrap()
}

#[tokio::test]
async fn what_is_not_recorded_is_sent_in_its_context_too() {
    let telemetry = TestTelemetry::new();
    let excluded = telemetry.server().exclude_paths(["/x"]);
    let context = context_of_a_body(excluded.clone()).await;
    assert!(records_no_spans(&context));
    let context = context_of_a_body(excluded.clone().axum_body()).await;
    assert!(records_no_spans(&context));
    let context = context_of_a_body(excluded.exclude_children(false)).await;
    assert!(!records_no_spans(&context));
    let unsampled = ServerLayer::with_environment(|_| None).tracer_provider(&telemetry.tracers);
    let context = context_of_a_body(unsampled.metrics(false)).await;
    let span = context.span().span_context().clone();
    assert!(span.is_valid() && !span.is_sampled());
    assert_eq!(telemetry.ended().len(), 0);
}

#[tokio::test]
async fn a_future_is_dropped_inside_of_the_context() {
    struct OnDrop(Rc<RefCell<Option<bool>>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            *self.0.borrow_mut() = Some(has_span());
        }
    }
    let telemetry = TestTelemetry::new();
    let seen = Rc::new(RefCell::new(None));
    let held = seen.clone();
    let service = service_fn(move |_: Request<()>| {
        let held = OnDrop(held.clone());
        async move {
            let _held = held;
            std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>().await
        }
    });
    drop(telemetry.server().layer(service).call(Request::new(())));
    assert_eq!(*seen.borrow(), Some(true));
}

#[tokio::test]
async fn a_task_that_keeps_the_context_does_not_keep_the_span_open() {
    let telemetry = TestTelemetry::new();
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let service = service_fn(move |_: Request<()>| {
        *keep.lock().unwrap() = Some(Context::current());
        async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await
        .unwrap();
    telemetry.span().await;
    *kept.lock().unwrap() = None;
    telemetry.span().await;
}
