//! The ways in which a call ends.

use super::*;

async fn error_of<S>(telemetry: &TestTelemetry, client: S, url: String) -> String
where
    S: Service<http::Request<Body>, Response: std::fmt::Debug, Error: std::fmt::Debug>,
{
    client.oneshot(request(Method::GET, url)).await.unwrap_err();
    let span = telemetry.span().await;
    assert!(is_error(&span));
    assert_eq!(number(&span, "http.response.status_code"), None);
    telemetry.idle("http.client.active_requests").await;
    text(&span, "error.type").unwrap()
}

#[tokio::test]
async fn a_refused_connection() {
    let telemetry = TestTelemetry::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "connection_refused");
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    #[derive(Clone)]
    struct NoNames;
    impl Service<hyper_util::client::legacy::connect::dns::Name> for NoNames {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: hyper_util::client::legacy::connect::dns::Name) -> Self::Future {
            std::future::ready(Err(std::io::Error::other("Name or service not known")))
        }
    }
    let telemetry = TestTelemetry::new();
    let connector = HttpConnector::new_with_resolver(NoNames);
    let client = Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let client = telemetry.client().layer(client);
    let error = error_of(&telemetry, client, "http://nowhere.invalid/".to_owned()).await;
    assert_eq!(error, "dns");
}

/// Accepts a connection, reads the request, sends `answer`, and closes the connection unless it `stays`.
async fn rude_server(answer: &'static [u8], stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1_024];
        let _ = stream.read(&mut head).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
            .await
            .unwrap();
        if stays {
            std::future::pending::<()>().await;
        }
    });
    address
}

#[tokio::test]
async fn a_timeout() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"", true).await;
    let client = ServiceBuilder::new()
        .layer(telemetry.client())
        .timeout(Duration::from_millis(5))
        .service(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "timeout");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"", false).await;
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert!(
        ["connection_closed", "connection_reset"].contains(&error.as_str()),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_speak_http() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"\x16\x03\x01\x00\x01\x01 no HTTP\r\n\r\n", true).await;
    let client = telemetry.client().layer(hyper_client());
    let error = error_of(&telemetry, client, format!("http://{address}/")).await;
    assert_eq!(error, "protocol");
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
    let client = telemetry.client().layer(hyper_client());
    let url = format!("http://{address}/");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    assert!(telemetry.ended().is_empty());
    response.into_body().collect().await.unwrap_err();
    let span = telemetry.span().await;
    assert!(is_error(&span));
    assert_eq!(number(&span, "http.response.status_code"), Some(200));
    assert_eq!(text(&span, "error.type").unwrap(), "connection_closed");
}

#[tokio::test]
async fn a_body_that_is_not_read() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .await
        .unwrap();
    drop(response);
    let span = telemetry.span().await;
    assert_eq!(attribute(&span, "azmon.cancelled"), None);
    assert!(!is_error(&span));
    telemetry.idle("http.client.active_requests").await;
}

#[tokio::test]
async fn the_headers_are_the_end_if_asked() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    let client = telemetry.client().end_at_headers().layer(hyper_client());
    let url = format!("http://{address}/");
    let response: Response<hyper::body::Incoming> =
        client.oneshot(request(Method::GET, url)).await.unwrap();
    let span = telemetry.span().await;
    assert_eq!(number(&span, "http.response.body.size"), Some(10));
    drop(response);
}

#[tokio::test]
async fn a_request_that_is_given_up() {
    let telemetry = TestTelemetry::new();
    let address = rude_server(b"", true).await;
    let asked = Arc::new(AtomicU32::new(0));
    let client = telemetry.client().layer(hyper_client());
    let count = asked.clone();
    let task = tokio::spawn(async move {
        count.fetch_add(1, Ordering::SeqCst);
        client
            .oneshot(request(Method::GET, format!("http://{address}/")))
            .await
            .map(drop)
    });
    until(|| {
        let points = telemetry.points("http.client.active_requests");
        points.iter().any(|point| point.sum == 1.0)
    })
    .await;
    task.abort();
    let span = telemetry.span().await;
    assert_eq!(text(&span, "azmon.cancelled").unwrap(), "before_headers");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    telemetry.idle("http.client.active_requests").await;
}
