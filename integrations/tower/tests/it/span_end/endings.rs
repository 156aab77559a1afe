//! One test for each way in which a span ends.

use super::*;

#[tokio::test]
async fn an_error_of_the_service() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        Err::<Response<Empty<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    });
    let result = telemetry
        .server()
        .layer(service)
        .oneshot(Request::new(()))
        .await;
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "connection_refused");
    assert!(is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

#[tokio::test]
async fn a_body_that_ended_before_it_began() {
    let telemetry = TestTelemetry::new();
    let response = respond(&telemetry, Response::new(Empty::<Bytes>::new())).await;
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(0));
    drop(response);
    telemetry.span().await;
}

#[tokio::test]
async fn the_end_of_the_body() {
    let telemetry = TestTelemetry::new();
    let response = respond(&telemetry, Response::new(Script::data(&["ab", "c"]))).await;
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    assert!(telemetry.ended().is_empty());
    assert!(body.frame().await.is_none());
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    drop(body);
    telemetry.span().await;
}

#[tokio::test]
async fn the_last_frame_of_a_body_that_knows_it() {
    let telemetry = TestTelemetry::new();
    let mut script = Script::data(&["abc"]);
    script.is_known_to_end = true;
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    body.frame().await.unwrap().unwrap();
    telemetry.span().await;
}

#[tokio::test]
async fn the_last_byte_of_an_announced_size() {
    let telemetry = TestTelemetry::new();
    let mut response = Response::new(Script::data(&["ab", "c"]));
    response.headers_mut().insert("content-length", 3.into());
    let mut body = respond(&telemetry, response).await.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(telemetry.ended().is_empty());
    body.frame().await.unwrap().unwrap();
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
}

#[tokio::test]
async fn trailers() {
    let telemetry = TestTelemetry::new();
    let mut script = Script::data(&["abc"]);
    script
        .frames
        .insert(0, Ok(Frame::trailers(HeaderMap::new())));
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
}

#[tokio::test]
async fn an_error_of_the_body() {
    let telemetry = TestTelemetry::new();
    let mut script = Script::data(&["abc"]);
    script.frames.insert(0, Err(io::ErrorKind::TimedOut.into()));
    let body = respond(&telemetry, Response::new(script)).await.into_body();
    body.collect().await.unwrap_err();
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "timeout");
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert!(is_error(&span));
}

#[tokio::test]
async fn a_body_that_is_dropped() {
    for (is_an_error, error_type) in [(false, None), (true, Some("cancelled"))] {
        let telemetry = TestTelemetry::new();
        let service = service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Script::data(&["a", "b"])))
        });
        let layer = telemetry.server().cancellation_is_error(is_an_error);
        let response = layer
            .layer(service)
            .oneshot(Request::new(()))
            .await
            .unwrap();
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        let span = telemetry.span().await;
        assert_eq!(text(&span, "azmon.cancelled").unwrap(), "in_body");
        assert_eq!(text(&span, "error.type").as_deref(), error_type);
        assert_eq!(is_error(&span), is_an_error);
        assert_eq!(number(&span, "http.response.body.size"), None);
        telemetry.idle("http.server.active_requests").await;
    }
}

#[tokio::test]
async fn a_future_that_is_dropped() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| {
        std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    });
    let mut service = telemetry.server().layer(service);
    let future = service.call(Request::new(()));
    assert!(futures_util::poll!(Box::pin(future)).is_pending());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert_eq!(number(&span, "http.response.status_code"), None);
    assert!(!is_error(&span));
    telemetry.idle("http.server.active_requests").await;
}

async fn panics<S>(service: S) -> TestTelemetry
where
    S: Service<Request<()>, Response = Response<Script>, Error = Infallible, Future: Send>
        + Send
        + 'static,
{
    let telemetry = TestTelemetry::new();
    let service = telemetry.server().layer(service);
    let task = tokio::spawn(async move {
        let response = service.oneshot(Request::new(())).await.unwrap();
        response.into_body().collect().await.unwrap();
    });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
    assert!(is_error(&span));
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    telemetry.idle("http.server.active_requests").await;
    telemetry
}

#[tokio::test]
async fn a_panic_of_the_handler() {
    panics(service_fn(|_: Request<()>| async { panic!("on purpose") })).await;
}

#[tokio::test]
async fn a_panic_of_the_call_itself() {
    let call = |_: Request<()>| -> std::future::Ready<Result<Response<Script>, Infallible>> {
        panic!("on purpose")
    };
    panics(service_fn(call)).await;
}

#[tokio::test]
async fn a_panic_of_the_body() {
    let telemetry = TestTelemetry::new();
    let body = StreamBody::new(stream::poll_fn(
        |_| -> Poll<Option<Result<Frame<Bytes>, Infallible>>> { panic!("on purpose") },
    ));
    let response = respond(&telemetry, Response::new(body)).await;
    let task = tokio::spawn(async move { response.into_body().collect().await.map(drop) });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
}

#[tokio::test]
async fn the_headers_if_asked_and_the_body_stays_what_it_is() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        let mut response = Response::new(Script::data(&["abc"]));
        response.headers_mut().insert("content-length", 3.into());
        Ok::<_, Infallible>(response)
    });
    let service = telemetry.server().end_at_headers().layer(service);
    let response: Response<Script> = service.oneshot(Request::new(())).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
    drop(response);
}

#[tokio::test]
async fn the_body_says_of_itself_what_the_inner_one_does() {
    let telemetry = TestTelemetry::new();
    let body = respond(
        &telemetry,
        Response::new(Full::new(Bytes::from_static(b"hello"))),
    )
    .await
    .into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
    let body = respond(&telemetry, Response::new(Script::data(&[])))
        .await
        .into_body();
    assert_eq!(body.size_hint().exact(), Some(42));
    let body = respond(
        &telemetry,
        Response::new(Full::new(Bytes::from_static(b""))),
    )
    .await
    .into_body();
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_body_that_was_never_asked_for_was_not_given_up() {
    let telemetry = TestTelemetry::new();
    let layer = telemetry.client().cancellation_is_error(true);
    let service = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Script::data(&["a", "b"])))
    }));
    drop(service.oneshot(Request::new(())).await.unwrap());
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(number(&span, "http.response.body.size"), None);
    assert!(!is_error(&span));
}

#[tokio::test]
async fn the_head_if_it_announces_no_body() {
    let telemetry = TestTelemetry::new();
    let mut response = Response::new(Script::data(&[]));
    response.headers_mut().insert("content-length", 0.into());
    let response = respond(&telemetry, response).await;
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert_eq!(number(&span, "http.response.body.size"), Some(0));
    drop(response);
    telemetry.span().await;
}

#[tokio::test]
async fn the_last_byte_that_the_body_itself_announces() {
    let telemetry = TestTelemetry::new();
    let mut script = Script::data(&["ab", "c"]);
    script.announced = Some(3);
    let mut body = respond(&telemetry, Response::new(script)).await.into_body();
    assert_eq!(body.size_hint().exact(), Some(3));
    body.frame().await.unwrap().unwrap();
    assert!(telemetry.ended().is_empty());
    body.frame().await.unwrap().unwrap();
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert_eq!(number(&span, "http.response.body.size"), Some(3));
    drop(body);
    telemetry.span().await;
}

#[tokio::test]
async fn a_status_of_failure_counts_for_more_than_that_the_caller_went_away() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        let mut response = Response::new(Script::data(&["a", "b"]));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok::<_, Infallible>(response)
    });
    let layer = telemetry.server().cancellation_is_error(true);
    let response = layer
        .layer(service)
        .oneshot(Request::new(()))
        .await
        .unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "503");
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "in_body");
}

#[tokio::test]
async fn a_panic_of_a_hook() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Script::data(&["a"])))
    });
    let layer = telemetry.server().on_response(|_, _| panic!("on purpose"));
    let call = layer.layer(service).oneshot(Request::new(()));
    let task = tokio::spawn(async move { call.await.map(drop) });
    assert!(task.await.unwrap_err().is_panic());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    telemetry.idle("http.server.active_requests").await;
}

/// An error that is its own source, forever.
#[derive(Debug)]
struct Ring;

impl std::fmt::Display for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ring")
    }
}

impl std::error::Error for Ring {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&Self)
    }
}

#[tokio::test]
async fn an_error_that_is_its_own_source() {
    let telemetry = TestTelemetry::new();
    let service = service_fn(|_: Request<()>| async {
        let error: Box<dyn std::error::Error + Send + Sync> = Box::new(Ring);
        Err::<Response<Empty<Bytes>>, _>(error)
    });
    let result = telemetry.server().layer(service).oneshot(Request::new(()));
    assert!(result.await.is_err());
    let span = telemetry.span().await;
    assert_eq!(text(&span, "error.type").unwrap(), "_OTHER");
}
