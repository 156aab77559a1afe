//! Proxies and certificates that the environment names, over real sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::child::{self, told};
use crate::endpoint::{Endpoint, Script};
use crate::support::{span, telemetry};

/// The proxy variables that the environment of the tests may define.
const VARIABLES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// A proxy. It answers plain HTTP requests as the endpoint does, and connects every tunnel to one address. It records
/// the first line of each request.
struct Proxy {
    address: SocketAddr,
    asked: Receiver<String>,
}

impl Proxy {
    fn start(tunnels_to: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tell, stream) = (tell.clone(), stream.unwrap());
                std::thread::spawn(move || {
                    let _ = serve(stream, tunnels_to, |line| drop(tell.send(line)));
                });
            }
        });
        Self { address, asked }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first lines of the requests so far.
    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn serve(
    stream: TcpStream,
    tunnels_to: Option<SocketAddr>,
    tell: impl FnOnce(String),
) -> std::io::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    requests.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        requests.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let is_tunnel = first.starts_with("CONNECT ");
    tell(first.trim_end().to_owned());
    if !is_tunnel {
        requests.read_exact(&mut vec![0; length])?;
        return answers
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    }
    let Some(address) = tunnels_to else {
        return answers.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    };
    let mut there = TcpStream::connect(address)?;
    let mut back = there.try_clone()?;
    answers.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let answered = std::thread::spawn(move || std::io::copy(&mut back, &mut answers));
    std::io::copy(&mut requests, &mut there)?;
    there.shutdown(std::net::Shutdown::Write)?;
    answered.join().unwrap().map(drop)
}

/// In the child: sends a span, and fails unless the span is delivered at once.
#[test]
#[ignore = "other tests run it in a child process"]
fn child() {
    let (_, connection_string) = told();
    let telemetry = telemetry(connection_string);
    span(&telemetry, "through a proxy");
    let delivery = telemetry.force_flush();
    if let Err(error) = &delivery {
        assert!(error.is_held(), "{error}");
        let (_, cause) = telemetry.statistics().last_error.unwrap();
        println!("not delivered: {cause}");
    }
    assert_eq!(delivery.is_ok(), telemetry.statistics().traces.sent == 1);
    let _ = telemetry.shutdown(Duration::from_millis(10));
    assert!(delivery.is_ok());
}

fn send(endpoint: &str, variables: &[(&str, String)]) -> Output {
    let key = "8f2e0d9c-0000-4000-8000-000000000001";
    let connection = format!("InstrumentationKey={key};IngestionEndpoint={endpoint}");
    let mut command = child::command("proxy::child", "", connection);
    for name in VARIABLES {
        command
            .env_remove(name)
            .env_remove(name.to_ascii_lowercase());
    }
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    command.output().unwrap()
}

#[test]
fn plain_http_goes_through_the_proxy_that_the_environment_names() {
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let proxy = Proxy::start(None);
        let output = send("http://ingestion.invalid/", &[(variable, proxy.url())]);
        assert!(output.status.success(), "{variable}: {output:?}");
        assert_eq!(
            proxy.asked(),
            ["POST http://ingestion.invalid/v2.1/track HTTP/1.1"],
            "{variable}"
        );
    }
}

#[test]
fn https_opens_a_tunnel_and_a_proxy_that_refuses_it_costs_nothing() {
    let plain = Endpoint::start([]);
    for tunnels_to in [None, Some(plain.address())] {
        let proxy = Proxy::start(tunnels_to);
        let output = send(
            "https://ingestion.invalid/",
            &[("HTTPS_PROXY", proxy.url())],
        );
        // The other end of the tunnel has no TLS either: the span is held, and the error names the cause.
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("not delivered: "), "{text}");
        let asked = proxy.asked();
        assert_eq!(
            asked[0], "CONNECT ingestion.invalid:443 HTTP/1.1",
            "{asked:?}"
        );
    }
}

#[test]
fn a_system_without_certificates_keeps_no_endpoint_without_tls_from_starting() {
    let missing = [
        ("SSL_CERT_FILE", "/nonexistent/file".to_owned()),
        ("SSL_CERT_DIR", "/nonexistent/directory".to_owned()),
    ];
    let endpoint = Endpoint::start([Script::Accept]);
    let output = send(&format!("http://{}/", endpoint.address()), &missing);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(endpoint.received().len(), 1);
}

#[test]
fn hosts_that_need_no_proxy_are_reached_without_it() {
    let proxy = Proxy::start(None);
    for (exceptions, through_proxy) in [("127.0.0.1", false), ("example.com", true)] {
        let endpoint = Endpoint::start([Script::Accept]);
        let variables = [
            ("HTTP_PROXY", proxy.url()),
            ("NO_PROXY", exceptions.to_owned()),
        ];
        let output = send(&format!("http://{}/", endpoint.address()), &variables);
        assert!(output.status.success(), "{exceptions}: {output:?}");
        assert_eq!(
            proxy.asked().len(),
            usize::from(through_proxy),
            "{exceptions}"
        );
        assert_eq!(
            endpoint.received().is_empty(),
            through_proxy,
            "{exceptions}"
        );
    }
}
