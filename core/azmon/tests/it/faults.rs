//! Endpoints that break the protocol, over real sockets: no item is lost, and held items are sent after a repair.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use azmon::{ItemDecision, SignalReport, Storage, Telemetry, Token};

use crate::endpoint::{Endpoint, Script, connection_string};
use crate::support::{builder, span, telemetry};

/// The treatment of a connection after its request was read.
type Fault = fn(TcpStream);

/// A listener that answers every connection with a fault until it is stopped.
struct Broken {
    address: SocketAddr,
    listener: Option<TcpListener>,
    stopped: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Broken {
    fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let (accepting, is_stopped) = (listener.try_clone().unwrap(), stopped.clone());
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                if is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                fault(stream);
            }
        });
        Self {
            address,
            listener: Some(listener),
            stopped,
            thread: Some(thread),
        }
    }

    /// Stops the faults; an endpoint continues at the same address.
    fn mend(mut self) -> Endpoint {
        self.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address).unwrap());
        self.thread.take().unwrap().join().unwrap();
        let listener = self.listener.take().unwrap();
        Endpoint::continue_on(listener, vec![Script::Accept; 100])
    }
}

fn read_head(stream: &mut TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
}

fn answer(mut stream: TcpStream, bytes: &[u8]) {
    read_head(&mut stream);
    let _ = stream.write_all(bytes);
}

/// Whether the other side closes the connection, within a time if there is a limit.
fn has_hung_up(stream: &mut TcpStream, within: Option<Duration>) -> bool {
    stream.set_read_timeout(within).unwrap();
    let mut rest = [0; 4_096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return true,
            // The rest of the request.
            Ok(_) => {}
            Err(error) => {
                let kind = error.kind();
                return !matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
            }
        }
    }
}

const FAULTS: [(&str, Fault); 7] = [
    ("hangs up at once", |stream| drop(stream)),
    ("hangs up after a part of the request", |mut stream| {
        let _ = stream.read(&mut [0; 10]);
    }),
    ("hangs up before the answer", |stream| answer(stream, b"")),
    ("hangs up within the answer's head", |stream| {
        answer(stream, b"HTTP/1.1 200 OK\r\nconte");
    }),
    ("hangs up within the answer's body", |stream| {
        answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    }),
    ("answers garbage", |stream| answer(stream, &[0xff; 2_000])),
    ("answers with an endless head", |stream| {
        answer(stream, &b"HTTP/1.1 200 OK\r\nx: y\r\n".repeat(20_000));
    }),
];

#[test]
fn a_broken_endpoint_costs_nothing_once_it_is_mended() {
    for (what, fault) in FAULTS {
        let broken = Broken::start(fault);
        let telemetry = telemetry(connection_string(broken.address));
        for name in ["a", "b", "c"] {
            span(&telemetry, name);
        }
        let error = telemetry.force_flush().unwrap_err();
        assert!(error.is_held(), "{what}: {error}");
        let endpoint = broken.mend();
        telemetry.force_flush().unwrap();
        let received = endpoint.received();
        let names: Vec<_> = received
            .iter()
            .flat_map(|received| received.names())
            .collect();
        assert_eq!(names, ["a", "b", "c"], "{what}");
        assert_eq!(report(&telemetry), [3, 0, 0], "{what}");
    }
}

/// The numbers of sent, stored and dropped spans.
fn report(telemetry: &Telemetry) -> [u64; 3] {
    let SignalReport {
        sent,
        stored,
        dropped,
        ..
    } = telemetry.statistics().traces;
    [sent, stored, dropped]
}

#[test]
fn a_shutdown_keeps_its_time_whatever_the_endpoint_does() {
    let slow: Fault = |mut stream| {
        std::thread::spawn(move || {
            read_head(&mut stream);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            for byte in answer {
                if stream.write_all(&[*byte]).is_err()
                    || has_hung_up(&mut stream, Some(Duration::from_millis(200)))
                {
                    return;
                }
            }
        });
    };
    let silent: Fault = |mut stream| {
        std::thread::spawn(move || has_hung_up(&mut stream, None));
    };
    for (what, fault) in [("one byte at a time", slow), ("never answers", silent)] {
        let broken = Broken::start(fault);
        let telemetry = telemetry(connection_string(broken.address));
        span(&telemetry, "lost");
        let start = Instant::now();
        let error = telemetry.shutdown(Duration::from_secs(1)).unwrap_err();
        assert!(start.elapsed() < Duration::from_millis(1_500), "{what}");
        let traces = error.report().unwrap().traces;
        assert_eq!(
            (traces.sent, traces.stored, traces.dropped),
            (0, 0, 1),
            "{what}"
        );
    }
}

#[test]
fn a_shutdown_keeps_its_time_whatever_processors_do_and_counts_what_they_hold() {
    let endpoint = Endpoint::start(vec![Script::Accept; 1_000]);
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let telemetry = builder(endpoint.connection_string())
        .telemetry_processor(move |_| {
            // A millisecond per item, until the test is over.
            let _ = is_over.recv_timeout(Duration::from_millis(1));
            ItemDecision::Keep
        })
        .build()
        .unwrap();
    for number in 0..2_000 {
        span(&telemetry, number.to_string());
    }
    let start = Instant::now();
    let error = telemetry.shutdown(Duration::from_secs(1)).unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(1_500));
    drop(over);
    let traces = error.report().unwrap().traces;
    assert_eq!(traces.sent + traces.dropped, 2_000);
    assert!(traces.sent > 0, "{traces:?}");
    let arrived: usize = endpoint
        .received()
        .iter()
        .map(|received| received.envelopes.len())
        .sum();
    // Uploads that ran at the end may have arrived without an answer.
    assert!(
        arrived as u64 >= traces.sent && arrived <= 2_000,
        "{arrived} {traces:?}"
    );
}

#[test]
fn a_processor_that_never_returns_is_left_behind_and_what_it_holds_is_counted() {
    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let telemetry = builder(endpoint.connection_string())
        .telemetry_processor(move |_| {
            let _ = held.lock().unwrap().recv();
            ItemDecision::Keep
        })
        .build()
        .unwrap();
    for number in 0..10 {
        span(&telemetry, number.to_string());
    }
    let start = Instant::now();
    let error = telemetry.shutdown(Duration::from_millis(300)).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.report().unwrap().traces.dropped, 10);
}

#[test]
fn a_name_that_cannot_be_resolved_and_a_server_without_tls_hold_telemetry() {
    let plain = Endpoint::start(vec![Script::Accept; 10]);
    for endpoint in [
        "http://azmon.invalid".to_owned(),
        format!("https://{}", plain.address()),
    ] {
        let telemetry = telemetry(format!(
            "InstrumentationKey=key;IngestionEndpoint={endpoint}"
        ));
        span(&telemetry, "held");
        assert!(telemetry.force_flush().unwrap_err().is_held(), "{endpoint}");
        let (_, error) = telemetry.statistics().last_error.unwrap();
        assert!(!error.is_empty());
        let _ = telemetry.shutdown(Duration::from_millis(100));
        assert_eq!(report(&telemetry), [0, 0, 1], "{endpoint}");
    }
}

#[test]
fn one_signal_ends_and_the_others_go_on() {
    use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};

    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "span");
    telemetry.tracer_provider().shutdown().unwrap();
    span(&telemetry, "late span");
    let logger = telemetry.logger_provider().logger("it");
    let mut record = logger.create_log_record();
    record.set_body("log".into());
    logger.emit(record);
    let report = telemetry.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.logs.sent), (1, 1));
    let received = endpoint.received();
    let names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["span", "log"]);
}

#[test]
fn a_second_log_processor_is_flushed_too() {
    #[derive(Debug, Clone, Default)]
    struct Flushed(Arc<AtomicBool>);

    impl opentelemetry_sdk::logs::LogProcessor for Flushed {
        fn emit(
            &self,
            _: &mut opentelemetry_sdk::logs::SdkLogRecord,
            _: &opentelemetry::InstrumentationScope,
        ) {
        }

        fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
            self.0.store(true, Ordering::Relaxed);
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
            Ok(())
        }
    }

    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let flushed = Flushed::default();
    let telemetry = builder(endpoint.connection_string())
        .log_processor(flushed.clone())
        .build()
        .unwrap();
    telemetry.force_flush().unwrap();
    assert!(flushed.0.load(Ordering::Relaxed));
}

#[test]
fn a_token_is_sent_and_a_refused_one_is_asked_for_again() {
    let refused = Script::Status(401, None);
    let endpoint = Endpoint::start([refused, Script::Accept, Script::Accept]);
    let number = Arc::new(Mutex::new(0));
    let telemetry = builder(endpoint.connection_string())
        .token_provider(move |scope: &str| {
            assert_eq!(scope, "https://monitor.azure.com//.default");
            let mut number = number.lock().unwrap();
            *number += 1;
            let expires_on = std::time::SystemTime::now() + Duration::from_secs(3_600);
            let token = Token::new(format!("token-{number}"), expires_on);
            async move { Ok(token) }
        })
        .build()
        .unwrap();
    for name in ["first", "second"] {
        span(&telemetry, name);
        telemetry.force_flush().unwrap();
    }
    let received = endpoint.received();
    let tokens: Vec<_> = received
        .iter()
        .map(|one| &one.headers["authorization"])
        .collect();
    assert_eq!(
        tokens,
        ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    );
    assert_eq!(report(&telemetry), [2, 0, 0]);
}

#[test]
fn a_token_provider_that_fails_at_first_loses_and_doubles_nothing() {
    fn token(secret: &str, life: Duration) -> Token {
        Token::new(secret, std::time::SystemTime::now() + life)
    }
    type First = fn() -> Result<Token, azmon::TokenError>;
    let panics: First = || panic!("on purpose");
    let expired: First = || Ok(token("stale", Duration::ZERO));
    let not_a_header: First = || Ok(token("a\nb", Duration::from_secs(3_600)));
    for (what, first, is_held) in [
        ("refuses", (|| Err("refused".into())) as First, true),
        ("panics", panics, true),
        ("gives no header's text", not_a_header, true),
        // The service refuses the token, and the provider is called again at once.
        ("gives an expired one", expired, false),
    ] {
        let refused = (!is_held).then_some(Script::Status(401, None));
        let endpoint = Endpoint::start(refused.into_iter().chain([Script::Accept]));
        let questions = Arc::new(AtomicUsize::new(0));
        let asked = questions.clone();
        let telemetry = builder(endpoint.connection_string())
            .token_provider(move |_: &str| {
                let given = match asked.fetch_add(1, Ordering::Relaxed) {
                    0 => first(),
                    _ => Ok(token("good", Duration::from_secs(3_600))),
                };
                async move { given }
            })
            .build()
            .unwrap();
        span(&telemetry, "kept");
        if is_held {
            let error = telemetry.force_flush().unwrap_err();
            assert!(error.is_held(), "{what}: {error}");
            assert_eq!(report(&telemetry), [0, 0, 0], "{what}");
            let (_, error) = telemetry.statistics().last_error.unwrap();
            assert!(
                error.starts_with("no token of Entra ID: "),
                "{what}: {error}"
            );
        } else {
            telemetry.force_flush().unwrap();
        }
        telemetry.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!(report(&telemetry), [1, 0, 0], "{what}");
        let received = endpoint.received();
        let last = received.last().unwrap();
        assert_eq!(last.headers["authorization"], "Bearer good", "{what}");
        assert_eq!(questions.load(Ordering::Relaxed), 2, "{what}");
    }
}

#[test]
fn without_a_token_nothing_is_sent_and_nothing_is_lost() {
    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let directory = Directory::new("token");
    let telemetry = builder(endpoint.connection_string())
        .storage(Storage::at(directory.path()))
        .token_provider(|_: &str| async { Err("refused".into()) })
        .build()
        .unwrap();
    span(&telemetry, "kept");
    telemetry.force_flush().unwrap();
    let report = telemetry.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.traces.stored), (0, 1));
    assert!(endpoint.received().is_empty());
}

#[test]
fn what_is_left_on_a_real_disk_is_sent_by_the_next_telemetry() {
    let directory = Directory::new("restart");
    let storage = || Storage::at(directory.path());
    let reserved = crate::endpoint::Reserved::new();
    let first = builder(connection_string(reserved.address()))
        .storage(storage())
        .build()
        .unwrap();
    for name in ["a", "b"] {
        span(&first, name);
    }
    let report = first.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.traces.stored), (0, 2));
    assert_private(&directory.path());
    let endpoint = reserved.start(vec![Script::Accept; 10]);
    let second = builder(endpoint.connection_string())
        .storage(storage())
        .build()
        .unwrap();
    endpoint.wait_for(1);
    second.shutdown(Duration::from_secs(5)).unwrap();
    let received = endpoint.received();
    let names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(second.statistics().recovered.sent, 2);
}

#[test]
fn a_directory_that_is_removed_while_running_costs_what_was_in_it_and_no_more() {
    let directory = Directory::new("removed");
    let reserved = crate::endpoint::Reserved::new();
    let telemetry = builder(connection_string(reserved.address()))
        .storage(Storage::at(directory.path()))
        .build()
        .unwrap();
    for number in 0..3 {
        span(&telemetry, format!("stored {number}"));
    }
    telemetry.force_flush().unwrap();
    assert_eq!(report(&telemetry), [0, 3, 0]);
    std::fs::remove_dir_all(directory.path()).unwrap();
    for number in 0..2 {
        span(&telemetry, format!("after {number}"));
    }
    assert!(telemetry.force_flush().unwrap_err().is_held());
    let endpoint = reserved.start(vec![Script::Accept; 10]);
    telemetry.shutdown(Duration::from_secs(10)).unwrap();
    let received = endpoint.received();
    let mut names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    names.sort();
    assert_eq!(names, ["after 0", "after 1"]);
    assert_eq!(report(&telemetry), [2, 0, 3]);
    let dropped = telemetry.dropped_items();
    assert_eq!(dropped[0].reason, azmon::DropReason::StorageDamaged);
}

#[cfg(unix)]
fn assert_private(root: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;

    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let (path, metadata) = (entry.path(), entry.metadata().unwrap());
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_dir() {
            assert_eq!(mode, 0o700, "{path:?}");
            assert_private(&path);
        } else {
            assert_eq!(mode, 0o600, "{path:?}");
        }
    }
}

#[cfg(not(unix))]
fn assert_private(_root: &std::path::Path) {}

/// A directory that is removed with everything in it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!(
            "azmon-it-{name}-{}-{:x}",
            std::process::id(),
            fastrand::u64(..)
        );
        Self(std::env::temp_dir().join(unique))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
