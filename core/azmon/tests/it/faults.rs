//! Endpoints that break the protocol, over real sockets: no item is lost, and held items are sent after a repair.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::endpoint::{Endpoint, Script, connection_string};
use crate::support::{report, span, telemetry};

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

#[test]
fn a_shutdown_keeps_its_deadline_with_any_broken_endpoint() {
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
