//! Live metrics: the endpoints that receive pings by default, and those that never do.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use azmon::testing::InMemoryDestination;
use azmon::{Telemetry, TelemetryBuilder, Token};

const PATIENCE: Duration = Duration::from_secs(20);

fn builder(listener: &TcpListener) -> TelemetryBuilder {
    let address = listener.local_addr().unwrap();
    Telemetry::builder()
        .connection_string(format!(
            "InstrumentationKey=key;IngestionEndpoint=http://{address};LiveEndpoint=http://{address}"
        ))
        .environment(|_| None)
        .install_globally(false)
}

/// Nothing but Live Metrics is sent.
fn without_items(builder: TelemetryBuilder) -> TelemetryBuilder {
    builder
        .standard_metrics(false)
        .performance_counters(false)
        .sdk_statistics(false)
}

/// Answers the call that comes, and returns its request line and headers.
fn answer(listener: &TcpListener, status: &str, headers: &[&str]) -> String {
    let (stream, _): (TcpStream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(&stream);
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") {
        let start = text.len();
        let read = reader.read_line(&mut text).unwrap();
        assert!(read > 0, "{text}");
        if let Some(value) = text[start..].strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    // A connection with unread bytes would be reset.
    reader.read_exact(&mut vec![0; length]).unwrap();
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let answer =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n");
    (&stream).write_all(answer.as_bytes()).unwrap();
    text
}

#[test]
fn telemetry_pings_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let telemetry = builder(&listener).service_name("shop").build().unwrap();
    let call = answer(&listener, "500 no", &[]);
    let line = "POST /QuickPulseService.svc/ping?api-version=2024-04-01-preview&ikey=key HTTP/1.1";
    assert!(call.starts_with(line), "{call}");
    assert!(call.contains("x-ms-qps-role-name: shop"), "{call}");
    drop(listener);
    drop(telemetry);
}

#[test]
fn it_never_pings_where_it_is_off_or_telemetry_stays_in_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let destination = InMemoryDestination::new();
    for telemetry in [
        builder(&listener).live_metrics(false),
        builder(&listener)
            .environment(|name| (name == "AZMON_LIVE_METRICS").then(|| "false".into())),
        builder(&listener).destination(&destination),
    ] {
        // Without items, nothing else would call either.
        let telemetry = without_items(telemetry).build().unwrap();
        telemetry.force_flush().unwrap();
        telemetry.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn pings_and_posts_have_a_token_and_a_refused_one_is_replaced() {
    const SUBSCRIBED: &[&str] = &["x-ms-qps-subscribed: true"];
    const NOT_SUBSCRIBED: &[&str] = &[
        "x-ms-qps-subscribed: false",
        "x-ms-qps-service-polling-interval-hint: 1000",
    ];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let asked = AtomicUsize::new(0);
    let telemetry = without_items(builder(&listener))
        .token_provider(move |scope: &str| {
            assert_eq!(scope, "https://monitor.azure.com//.default");
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let end = SystemTime::now() + Duration::from_secs(3_600);
            async move { Ok(Token::new(format!("token-{number}"), end)) }
        })
        .build()
        .unwrap();
    for (path, token, status, headers) in [
        ("ping", "token-0", "200 yes", NOT_SUBSCRIBED),
        ("ping", "token-0", "401 no", &[][..]),
        ("ping", "token-1", "200 yes", SUBSCRIBED),
        ("post", "token-1", "401 no", &[]),
        ("post", "token-2", "403 no", &[]),
        ("post", "token-2", "200 yes", NOT_SUBSCRIBED),
        ("ping", "token-2", "200 yes", NOT_SUBSCRIBED),
    ] {
        let call = answer(&listener, status, headers);
        let line = format!("POST /QuickPulseService.svc/{path}?");
        assert!(call.starts_with(&line), "{call}");
        let bearer = format!("\r\nauthorization: Bearer {token}\r\n");
        assert!(call.contains(&bearer), "{call}");
    }
    drop(listener);
    drop(telemetry);
}
