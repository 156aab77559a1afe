//! Live metrics: what is pinged by default, and what never is.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use azmon::testing::InMemoryDestination;
use azmon::{Telemetry, TelemetryBuilder};

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

/// The request line and headers of the call that comes.
fn call(listener: &TcpListener) -> String {
    let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = String::new();
    let mut bytes = [0; 4_096];
    while !text.contains("\r\n\r\n") {
        let read = stream.read(&mut bytes).unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    stream
        .write_all(b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    text
}

#[test]
fn telemetry_pings_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let telemetry = builder(&listener).service_name("shop").build().unwrap();
    let call = call(&listener);
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
        let telemetry = telemetry
            .standard_metrics(false)
            .performance_counters(false)
            .sdk_statistics(false)
            .build()
            .unwrap();
        telemetry.force_flush().unwrap();
        telemetry.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
