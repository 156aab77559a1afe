//! Live Metrics of the worker: collects its items, and sends the figures with its HTTP client and its tokens.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::BytesMut;
use http::{Uri, header};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::envelope::tags;
use crate::item::{Consumer, Taken};
use crate::live_metrics::{
    self, Answer, Calling, Client, Identity, Live, MAX_CONFIGURATION, Request,
};
use crate::mapping::Mapper;
use crate::transmission::redirect::follow;
use crate::transmission::tokens::Tokens;
use crate::transmission::transport::{HttpTransport, describe};

/// Longest time for one call.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The interval at which the worker takes unsampled items during a subscription; also the maximum export delay then.
pub(super) const LOOK: Duration = Duration::from_millis(200);
/// Maximum number of unsampled items that are taken at once.
const ITEMS_AT_ONCE: usize = 16_384;

/// The input of a worker for Live Metrics.
#[derive(Debug)]
pub(crate) struct LiveWork {
    pub(crate) live: Arc<Live>,
    /// Unsampled items.
    unsampled: Consumer,
    is_web_app: bool,
    /// The client, which starts with the worker.
    client: Option<Client>,
}

impl LiveWork {
    /// `is_watched` is true while a reader is subscribed.
    pub(crate) fn new(is_watched: Arc<AtomicBool>, is_web_app: bool) -> Self {
        let (live, unsampled) = Live::new(is_watched);
        Self {
            live,
            unsampled,
            is_web_app,
            client: None,
        }
    }

    /// Creates a client of `endpoint`.
    pub(crate) fn connect(&mut self, transport: LiveTransport, endpoint: &str, mapper: &Mapper) {
        let tag = |tag| mapper.tag(tag).unwrap_or_default().to_owned();
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let instance = Some(tag(tags::CLOUD_ROLE_INSTANCE)).filter(|name| !name.is_empty());
        let identity = Identity {
            instrumentation_key: mapper.instrumentation_key().to_owned(),
            version: tag(tags::INTERNAL_SDK_VERSION),
            instance: instance.unwrap_or_else(|| host.clone()),
            role_name: tag(tags::CLOUD_ROLE),
            machine_name: host,
            is_web_app: self.is_web_app,
        };
        let live = self.live.clone();
        self.client = Some(Client::new(live, Arc::new(transport), endpoint, identity));
    }
}

/// The worker's side.
pub(super) struct LiveFeed {
    live: Arc<Live>,
    unsampled: Consumer,
    taken: VecDeque<Taken>,
    client: Option<Client>,
    next: Instant,
}

impl LiveFeed {
    pub(super) fn new(work: LiveWork) -> Self {
        Self {
            live: work.live,
            unsampled: work.unsampled,
            taken: VecDeque::new(),
            client: work.client,
            next: Instant::now(),
        }
    }

    /// Starts the client, which ends when the answer is dropped.
    pub(super) fn start(&mut self) -> Option<Running> {
        let client = self.client.take()?;
        Some(Running::of(client.run()))
    }

    pub(super) fn is_watched(&self) -> bool {
        self.live.is_watched()
    }

    /// Whether unsampled items are to be taken now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// Takes unsampled items, and counts them with `count`.
    pub(super) fn take(&mut self, now: Instant, count: impl FnOnce(&mut [Taken])) {
        self.next = now + LOOK;
        let mut new = Vec::new();
        self.unsampled.take(ITEMS_AT_ONCE, &mut new);
        count(&mut new);
        if self.is_watched() {
            self.taken.extend(new);
        } else {
            self.taken.clear();
        }
    }

    pub(super) fn pop(&mut self) -> Option<Taken> {
        self.taken.pop_front()
    }

    /// Waits for the next task. Cancel safe.
    pub(super) async fn due(&self) {
        if !self.taken.is_empty() {
            return;
        }
        if self.is_watched() || self.unsampled.len() > 0 {
            tokio::time::sleep_until(self.next).await;
        } else {
            self.live.changed().await;
        }
    }
}

/// Ends a client, or clients, with their worker.
pub(super) struct Running(JoinHandle<()>);

impl Running {
    pub(super) fn of(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls the live endpoint with the client and the tokens of batches.
#[derive(Debug)]
pub(crate) struct LiveTransport {
    client: reqwest::Client,
    tokens: Option<Arc<Tokens>>,
}

impl LiveTransport {
    pub(crate) fn new(http: &HttpTransport) -> Self {
        Self {
            client: http.client.clone(),
            tokens: http.tokens.clone(),
        }
    }
}

impl live_metrics::Transport for LiveTransport {
    fn call(&self, request: Request) -> Calling {
        let (client, tokens) = (self.client.clone(), self.tokens.clone());
        Box::pin(async move {
            let mut builder = client
                .post(request.address)
                .timeout(TIMEOUT)
                .header(header::CONTENT_TYPE, "application/json")
                .body(request.body);
            for (name, value) in request.headers {
                builder = builder.header(name, header_value(&value));
            }
            let Some(tokens) = tokens else {
                return answer(builder).await;
            };
            let token = tokens.get(&client).await?;
            let answer = answer(builder.bearer_auth(&token)).await?;
            if answer.status == 401 {
                // The token may have been revoked before its expiry. The next call requests another.
                tokens.forget(&token).await;
            }
            Ok(answer)
        })
    }

    fn redirect(&self, from: &str, to: &str) -> Option<String> {
        let endpoint = follow(from, to)?;
        // A redirect never causes unencrypted calls to another machine.
        (endpoint.starts_with("https://") || is_loopback(from)).then_some(endpoint)
    }
}

fn is_loopback(endpoint: &str) -> bool {
    let uri: Option<Uri> = endpoint.parse().ok();
    uri.as_ref().and_then(Uri::host).is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

/// Removes characters that names of roles and hosts may contain, but headers may not.
fn header_value(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            ' '..='~' => letter,
            _ => '?',
        })
        .collect()
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let describe = |error| describe(error).to_string();
    let mut response = request.send().await.map_err(describe)?;
    let mut body = BytesMut::new();
    // One byte beyond the limit shows that the body is too large.
    while body.len() <= MAX_CONFIGURATION
        && let Some(chunk) = response.chunk().await.map_err(describe)?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_CONFIGURATION + 1);
    Ok(Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: body.freeze(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opentelemetry::KeyValue;
    use opentelemetry_sdk::Resource;

    use super::*;
    use crate::fixtures::span;
    use crate::item::{Item, ItemCounters};
    use crate::live_metrics::Configuration;
    use crate::mapping::MappingOptions;
    use crate::telemetry_processor::{ItemDecision, TelemetryProcessors};
    use crate::token::TokenProvider;
    use crate::transmission::TokenSource;
    use crate::transmission::encoder::Encoder;

    /// Samples all dependencies.
    const ALL: &str = r#"{"DocumentStreams":[{"Id":"s","DocumentFilterGroups":[{"TelemetryType":"Dependency","Filters":{"Filters":[]}}]}]}"#;

    #[test]
    fn redirects_lead_to_the_same_cloud_or_stay_on_this_machine() {
        let transport = LiveTransport {
            client: reqwest::Client::new(),
            tokens: None,
        };
        let redirect = |from, to| live_metrics::Transport::redirect(&transport, from, to);
        const CLOUD: &str = "https://rt.services.visualstudio.com";
        let west = "https://westus.livediagnostics.monitor.azure.com";
        let path = format!("{west}/QuickPulseService.svc");
        assert_eq!(redirect(CLOUD, &path).as_deref(), Some(west));
        let local = redirect("http://127.0.0.1:1", "http://127.0.0.1:2/x");
        assert_eq!(local.as_deref(), Some("http://127.0.0.1:2"));
        for (from, to) in [
            (CLOUD, "https://evil.example"),
            (CLOUD, "http://westus.livediagnostics.monitor.azure.com"),
            ("http://portal.internal:1", "http://portal.internal:2"),
            ("http://127.0.0.1:1", "http://192.0.2.1:1"),
        ] {
            assert_eq!(redirect(from, to), None, "{from} {to}");
        }
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let provider: Arc<dyn TokenProvider> = Arc::new(|_: &str| async { Err("refused".into()) });
        let transport = LiveTransport {
            client: reqwest::Client::new(),
            tokens: Some(Arc::new(Tokens::new(TokenSource::Provider(provider), None))),
        };
        let request = Request {
            address: format!("http://{}", listener.local_addr().unwrap()),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let answer = live_metrics::Transport::call(&transport, request).await;
        let error = answer.unwrap_err();
        assert!(error.contains("no token of Entra ID: refused"), "{error}");
        let waiting = listener.accept().map(|_| ());
        assert_eq!(waiting.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn items_are_seen_after_processors_whether_they_are_sent_or_not() {
        let mut processors = TelemetryProcessors::default();
        processors.add(|envelope| {
            let properties = envelope.data.properties_mut();
            let is_dropped = properties.get("drop").is_some();
            properties.retain(|key, _| key != "secret");
            if is_dropped {
                ItemDecision::Drop
            } else {
                ItemDecision::Keep
            }
        });
        let (live, _) = Live::new(Arc::default());
        live.start(Arc::new(Configuration::read("e", ALL.as_bytes())));
        let counters = Arc::new(ItemCounters::default());
        let mut encoder = Encoder::new(counters.clone(), processors);
        encoder.show_live(live.clone());
        let resource = Resource::builder_empty().build();
        let mapper = Mapper::new("key", &resource, MappingOptions::default());
        let item = |name: &str, attribute: &'static str| {
            let mut span = span(name);
            span.attributes.push(KeyValue::new(attribute, "x"));
            Item::from(span)
        };
        for sent in [item("sent", "secret"), item("dropped", "drop")] {
            counters.take([sent.label()]);
            encoder.add(&mapper, sent.as_ref());
        }
        encoder.observe(&mapper, &mut item("left out", "secret"));
        encoder.observe(&mapper, &mut item("dropped", "drop"));
        let collected = live.take().unwrap();
        let names = collected.documents.iter();
        let names: Vec<_> = names.map(|document| document.name.as_deref()).collect();
        assert_eq!(names, [Some("sent"), Some("left out")]);
        let mut pairs = collected.documents.iter().flat_map(|one| &one.properties);
        assert!(pairs.all(|pair| pair.key != "secret"));
        let calls = &collected.metrics[5];
        assert_eq!((calls.value, calls.weight), (125.0, 2), "{}", calls.name);
        let batch = encoder.finish().unwrap();
        assert_eq!(batch.labels.len(), 1, "an unsampled item is not sent");
    }
}
