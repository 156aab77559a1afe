//! The program `azmon forward`, with real signals, files and sockets.
#![cfg(unix)]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::Semaphore;

/// The time limit for any step on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An ingestion endpoint in its own thread.
#[derive(Clone, Default)]
pub(crate) struct Endpoint {
    names: Arc<Mutex<HashSet<String>>>,
    /// Is notified when names arrive.
    arrived: Arc<Condvar>,
    authorizations: Arc<Mutex<HashSet<String>>>,
    is_down: Arc<AtomicBool>,
    /// The number of requests that a slow endpoint may answer; closed, it answers all.
    answers: Option<Arc<Semaphore>>,
    address: String,
}

impl Endpoint {
    pub(crate) fn start() -> Self {
        Self::default().listen()
    }

    /// Starts an endpoint that answers only as many requests as [`answer`](Self::answer) allows.
    pub(crate) fn start_slow() -> Self {
        let answers = Some(Arc::new(Semaphore::new(0)));
        Self {
            answers,
            ..Self::default()
        }
        .listen()
    }

    fn listen(self) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = Self {
            address: listener.local_addr().unwrap().to_string(),
            ..self
        };
        let router = Router::new()
            .route("/v2.1/track", post(track))
            .with_state(endpoint.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        endpoint
    }

    pub(crate) fn connection_string(&self) -> String {
        format!(
            "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://{}",
            self.address
        )
    }

    /// Lets a slow endpoint answer one more request.
    pub(crate) fn answer(&self) {
        self.answers
            .iter()
            .for_each(|answers| answers.add_permits(1));
    }

    /// Lets a slow endpoint answer all requests at once.
    pub(crate) fn answer_all(&self) {
        self.answers.iter().for_each(|answers| answers.close());
    }

    fn has(&self, name: &str) -> bool {
        self.names.lock().unwrap().contains(name)
    }

    fn wait_for(&self, name: &str) {
        self.wait_until(|names| names.contains(name), name);
    }

    /// Waits until the names that arrived meet a condition.
    pub(crate) fn wait_until(&self, is_met: impl Fn(&HashSet<String>) -> bool, expected: &str) {
        let names = self.names.lock().unwrap();
        let waited = self
            .arrived
            .wait_timeout_while(names, PATIENCE, |names| !is_met(names));
        let (names, timeout) = waited.unwrap();
        let arrived = names.len();
        drop(names);
        assert!(
            !timeout.timed_out(),
            "{expected} did not arrive: {arrived} names"
        );
    }
}

async fn track(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    use std::io::Read;

    let authorization = headers.get("authorization");
    let authorization = authorization.map_or("none", |value| value.to_str().unwrap());
    endpoint
        .authorizations
        .lock()
        .unwrap()
        .insert(authorization.to_owned());

    if endpoint.is_down.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    if let Some(answers) = &endpoint.answers
        && let Ok(answer) = answers.acquire().await
    {
        answer.forget();
    }
    let mut text = String::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(&*body);
    decoder.read_to_string(&mut text).unwrap();
    let mut names = endpoint.names.lock().unwrap();
    let mut count = 0;
    for line in text.lines() {
        let item: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(name) = item["data"]["baseData"]["name"].as_str() {
            names.insert(name.to_owned());
        }
        count += 1;
    }
    drop(names);
    endpoint.arrived.notify_all();
    let answer = format!(r#"{{"itemsReceived":{count},"itemsAccepted":{count},"errors":[]}}"#);
    (StatusCode::OK, answer)
}

/// A running forwarder, and its output.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_azmon"))
            .arg("forward")
            .args(arguments)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with this text.
    pub(crate) fn says(&self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("{text} was not said: {seen:#?}"),
            }
        }
    }

    /// The address of OTLP over HTTP.
    fn address(&self) -> String {
        let line = self.says("OTLP HTTP input listens on ");
        line.rsplit(' ').next().unwrap().to_owned()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(kill.unwrap().success());
    }

    fn wait(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file in a separate folder.
pub(crate) fn file(folder: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("forwarder.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// Sends events by OTLP over HTTP, and returns the status of the response.
fn send(address: &str, names: &[String]) -> u16 {
    let record = |name: &String| {
        serde_json::json!({"attributes": [
            {"key": "microsoft.custom_event.name", "value": {"stringValue": name}},
        ]})
    };
    let records: Vec<_> = names.iter().map(record).collect();
    let body = serde_json::json!({
        "resourceLogs": [{"scopeLogs": [{"logRecords": records}]}],
    })
    .to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /v1/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    status.split(' ').nth(1).unwrap().parse().unwrap()
}

fn one(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

#[test]
fn it_says_statistics_reads_its_file_again_and_sends_all_at_the_end() {
    let endpoint = Endpoint::start();
    let base = format!(
        "statistics-seconds = 1\n[inputs]\notlp-http = \"127.0.0.1:0\"\nopencensus = \"127.0.0.1:0\"\n\
         [destinations.default]\nconnection-string = \"{}\"\n[storage]\noff = true\n",
        endpoint.connection_string()
    );
    let file = file("forward-signals", &base);
    let running = Running::start(&["--config", file.to_str().unwrap()]);
    let address = running.address();
    running.says(
        "OpenCensus input: [ConnectionCount: 0, BatchesReceived: 0, BatchesFailed: 0, ConfigsReceived: 0, \
         ConfigsFailed: 0]",
    );
    assert_eq!(send(&address, &one("before")), 200);
    running.says("OTLP HTTP input: [ConnectionCount: 0, BatchesReceived: 1,");

    std::fs::write(&file, format!("{base}[[exclude]]\nname = \"left out\"\n")).unwrap();
    running.signal("HUP");
    running.says("the configuration was read again");
    assert_eq!(send(&address, &one("left out")), 200);
    std::fs::write(&file, "no configuration").unwrap();
    running.signal("HUP");
    running.says("the configuration stays as it is: ");
    assert_eq!(send(&address, &one("after")), 200);
    running.signal("TERM");
    running.says("everything was sent");
    assert!(running.wait());
    assert!(endpoint.has("before") && endpoint.has("after"));
    assert!(!endpoint.has("left out"));
}

#[test]
fn an_unusable_configuration_is_reported_and_the_program_fails() {
    let file = file("forward-check", "[inputs]\nsomething = 1\n");
    let mut running = Running::start(&["--check", "--config", file.to_str().unwrap()]);
    let line = running.says("error: ");
    assert!(line.contains("forwarder.toml:2"), "{line}");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
}

/// With durable storage, a SIGKILL loses at most the items of the last 200 ms. Here all items that were accepted
/// a second before the kill, on a possibly slow machine, arrive after the next start.
#[test]
fn accepted_items_survive_kill_9_while_the_service_is_down() {
    let endpoint = Endpoint::start();
    endpoint.is_down.store(true, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forward-kill");
    let text = format!(
        "[inputs]\notlp-http = \"127.0.0.1:0\"\n[destinations.default]\nconnection-string = \"{}\"\n\
         [storage]\ndirectory = \"{}\"\ndurable = true\n",
        endpoint.connection_string(),
        folder.join("storage").display()
    );
    let file = file("forward-kill", &text);
    let running = Running::start(&["--config", file.to_str().unwrap()]);
    let address = running.address();
    let mut accepted = Vec::new();
    for message in 0..50 {
        let names: Vec<_> = (0..200).map(|item| format!("{message}-{item}")).collect();
        assert_eq!(send(&address, &names), 200);
        accepted.push((Instant::now(), names));
    }
    let kill = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < kill {
        send(&address, &one("later"));
    }
    running.signal("KILL");
    let killed = Instant::now();
    drop(running);

    endpoint.is_down.store(false, Ordering::Relaxed);
    let _again = Running::start(&["--config", file.to_str().unwrap()]);
    let is_early = |at: &Instant| killed.duration_since(*at) > Duration::from_secs(1);
    let early = accepted.iter().filter(|(at, _)| is_early(at));
    let early: Vec<_> = early.flat_map(|(_, names)| names).collect();
    assert_eq!(early.len(), 10_000);
    for name in early {
        endpoint.wait_for(name);
    }
}

/// The service of App Service that gives a managed identity's tokens; each token names the identity.
fn identity_service() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let (_, rest) = head.split_once("client_id=").unwrap();
            let identity = rest.split([' ', '&']).next().unwrap();
            let body = format!(r#"{{"access_token":"{identity}","expires_on":"4102444800"}}"#);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    format!("http://{address}/token")
}

#[test]
fn each_destination_has_the_token_of_its_own_identity() {
    let endpoints = ["process", "audit", "open"].map(|name| (name, Endpoint::start()));
    let [(_, process), (_, audit), (_, open)] = &endpoints;
    let text = format!(
        "[inputs]\notlp-http = \"127.0.0.1:0\"\n[storage]\noff = true\n\
         [[routes]]\nto = [\"default\", \"audit\", \"open\"]\n\
         [destinations.default]\nconnection-string = \"{}\"\n\
         [destinations.audit]\nconnection-string = \"{}\"\n\
         authentication = \"Authorization=AAD;ClientId=audit\"\n\
         [destinations.open]\nconnection-string = \"{}\"\nauthentication = \"none\"\n",
        process.connection_string(),
        audit.connection_string(),
        open.connection_string(),
    );
    let file = file("forward-identities", &text);
    let variables = [
        (
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            "Authorization=AAD;ClientId=process",
        ),
        ("IDENTITY_ENDPOINT", &identity_service()),
        ("IDENTITY_HEADER", "secret"),
    ];
    let running = Running::start_with(&["--config", file.to_str().unwrap()], &variables);
    assert_eq!(send(&running.address(), &one("event")), 200);
    for (name, endpoint) in &endpoints {
        endpoint.wait_for("event");
        let expected = match *name {
            "open" => "none".to_owned(),
            identity => format!("Bearer {identity}"),
        };
        let seen = endpoint.authorizations.lock().unwrap();
        assert_eq!(seen.iter().collect::<Vec<_>>(), [&expected]);
    }
}

#[test]
fn a_destination_whose_authentication_cannot_be_read_is_named() {
    let text = "[inputs]\notlp-http = \"127.0.0.1:0\"\n[destinations.default]\n\
                connection-string = \"InstrumentationKey=00000000-0000-0000-0000-000000000001\"\n\
                authentication = \"ClientId=x\"\n";
    let file = file("forward-authentication", text);
    let mut running = Running::start(&["--config", file.to_str().unwrap()]);
    let line = running.says("error: ");
    assert!(
        line.contains("\"default\"") && line.contains("Authorization=AAD"),
        "{line}"
    );
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
}
