//! The OpenTelemetry and OpenCensus endpoints: `azmon-forwarder` receives and maps, the store keeps the items.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use azmon_envelope::Envelope;
use azmon_forwarder::inputs::{
    Limits, Listener, OpenCensusInput, OpenCensusOptions, OtlpInput, OtlpOptions, serve_grpc,
    serve_http,
};
use azmon_forwarder::sink::{Acceptance, Batch, Delivering, Delivery, Exemplar, Refusal, Sink};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::api::{EndpointView, OtlpReader};
use crate::ingestion::{INSTRUMENTATION_KEY, MAX_ITEM, judge};
use crate::store::said::micros;
use crate::store::{AppendError, NewItem, Store};

/// The retry delay after the portal failed to write.
const RETRY_FAILED: Duration = Duration::from_secs(10);
/// The maximum length of a line in a file, in bytes.
const MAX_LINE: usize = 16 * 1_024 * 1_024;
/// Resource attributes that identify a process.
const PROCESS: [&str; 2] = ["service.instance.id", "process.pid"];

/// The started endpoints.
pub(crate) struct Otlp {
    pub(crate) endpoints: Vec<EndpointView>,
    pub(crate) tasks: Vec<JoinHandle<()>>,
    /// Reads OTLP JSON from files.
    pub(crate) reader: Option<Arc<OtlpReader>>,
}

/// Opens the requested endpoints. An endpoint whose port is in use is skipped and reported.
pub(crate) async fn start(
    store: &Arc<Store>,
    (grpc, http, open_census): (Option<SocketAddr>, Option<SocketAddr>, Option<SocketAddr>),
    stopped: &watch::Receiver<bool>,
) -> Otlp {
    let sink = Arc::new(StoreSink(Arc::clone(store)));
    let options = OpenCensusOptions::default().instrumentation_key(INSTRUMENTATION_KEY);
    let open_census_input = OpenCensusInput::new(sink.clone(), options);
    let input = OtlpInput::new(
        sink,
        OtlpOptions::default().instrumentation_key(INSTRUMENTATION_KEY),
    );
    let limits = Limits::default();
    let mut otlp = Otlp {
        endpoints: Vec::new(),
        tasks: Vec::new(),
        reader: Some(Arc::new(read_line)),
    };
    let until_stopped = || {
        let mut stopped = stopped.clone();
        async move {
            // Ends at the value, or when the portal that would send it has ended.
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        }
    };
    if let Some(listener) = otlp.listen("otlpGrpc", grpc, &limits).await {
        let (routes, budget, ended) =
            (input.grpc_routes(), input.budget().clone(), until_stopped());
        otlp.tasks.push(tokio::spawn(async move {
            if let Err(error) = serve_grpc(listener, routes, &limits, budget, ended).await {
                tracing::error!(%error, "OTLP over gRPC ended");
            }
        }));
    }
    if let Some(listener) = otlp.listen("otlpHttp", http, &limits).await {
        let (router, ended) = (input.http_router(), until_stopped());
        otlp.tasks.push(tokio::spawn(async move {
            if let Err(error) = serve_http(listener, router, ended).await {
                tracing::error!(%error, "OTLP over HTTP ended");
            }
        }));
    }
    if let Some(listener) = otlp.listen("openCensus", open_census, &limits).await {
        // The OpenCensus port also serves OTLP: a service that switches to OTLP keeps its endpoint.
        let routes = input.add_grpc_routes(open_census_input.grpc_routes());
        let (budget, ended) = (input.budget().clone(), until_stopped());
        otlp.tasks.push(tokio::spawn(async move {
            if let Err(error) = serve_grpc(listener, routes, &limits, budget, ended).await {
                tracing::error!(%error, "OpenCensus ended");
            }
        }));
    }
    otlp
}

impl Otlp {
    async fn listen(
        &mut self,
        name: &'static str,
        address: Option<SocketAddr>,
        limits: &Limits,
    ) -> Option<Listener> {
        let mut endpoint = EndpointView {
            name,
            address: address.map(|address| format!("http://{address}")),
            state: "off",
            reason: None,
        };
        let bound = match address {
            Some(address) => Some(Listener::bind(address, limits.connections).await.and_then(
                |listener| {
                    let address = listener.local_addr()?;
                    Ok((listener, address))
                },
            )),
            None => None,
        };
        let listener = match bound {
            Some(Ok((listener, address))) => {
                endpoint.state = "open";
                endpoint.address = Some(format!("http://{}", crate::server::reachable(address)));
                Some(listener)
            }
            Some(Err(error)) => {
                endpoint.state = "taken";
                let address = endpoint.address.as_deref().unwrap_or_default();
                endpoint.reason = Some(format!("cannot listen on {address}: {error}"));
                None
            }
            None => None,
        };
        self.endpoints.push(endpoint);
        listener
    }
}

/// Stores the received items. The client is answered after the commit.
#[derive(Debug)]
struct StoreSink(Arc<Store>);

impl Sink for StoreSink {
    fn deliver(&self, delivery: Delivery) -> Delivering<'_> {
        Box::pin(async move {
            let converted = tokio::task::spawn_blocking(move || convert(delivery.batches)).await;
            let Ok(Converted {
                items,
                rejected,
                reason,
            }) = converted
            else {
                return Err(Refusal::Unavailable {
                    retry_after: RETRY_FAILED,
                });
            };
            if rejected > 0 {
                let count = i64::try_from(rejected).unwrap_or(i64::MAX);
                self.0.refuse(&reason, Some("OTLP"), count);
            }
            match self.0.append(items).await {
                Ok(()) => Ok(Acceptance::partial(rejected, reason)),
                Err(AppendError::Busy(retry_after)) => Err(Refusal::Busy { retry_after }),
                Err(AppendError::DiskFull | AppendError::Damaged | AppendError::Failed(_)) => {
                    Err(Refusal::Unavailable {
                        retry_after: RETRY_FAILED,
                    })
                }
            }
        })
    }
}

#[derive(Debug, Default)]
pub(crate) struct Converted {
    pub(crate) items: Vec<NewItem>,
    pub(crate) rejected: u64,
    /// The reason for the first rejected item.
    reason: String,
}

/// An envelope as it is stored: with the resource and the exemplars, for which Azure's protocol has no fields.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    envelope: &'a Envelope<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<std::collections::BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exemplars: Vec<KeptExemplar<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeptExemplar<'a> {
    /// Microseconds since 1970.
    time: i64,
    value: f64,
    operation_id: &'a str,
    span_id: &'a str,
}

impl<'a> KeptExemplar<'a> {
    fn new(exemplar: &'a Exemplar) -> Self {
        Self {
            time: micros(exemplar.time),
            value: exemplar.value,
            operation_id: &exemplar.trace_id,
            span_id: &exemplar.span_id,
        }
    }
}

fn convert(batches: Vec<Batch>) -> Converted {
    let mut converted = Converted::default();
    for batch in batches {
        let process = PROCESS.iter().find_map(|key| {
            let found = batch.resource.iter().find(|(known, _)| known == key);
            found.map(|(_, value)| value.clone())
        });
        for item in batch.items {
            match one(item.envelope, &batch.resource, &item.exemplars) {
                Ok(item) => converted.items.push(item.with_process(process.clone())),
                Err(reason) => {
                    converted.rejected += 1;
                    if converted.reason.is_empty() {
                        converted.reason = reason;
                    }
                }
            }
        }
    }
    converted
}

/// Serialises an envelope, and validates it like a received one. A text that is too long is truncated as in the
/// exporter.
fn one(
    mut envelope: Envelope<'static>,
    resource: &[(String, String)],
    exemplars: &[Exemplar],
) -> Result<NewItem, String> {
    let attributes = resource
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let whole = Kept {
        envelope: &envelope,
        resource: (!resource.is_empty()).then(|| attributes.collect()),
        exemplars: exemplars.iter().map(KeptExemplar::new).collect(),
    };
    let mut json = serde_json::to_string(&whole).map_err(|error| error.to_string())?;
    if json.len() > MAX_ITEM {
        envelope.apply_limits();
        json = serde_json::to_string(&envelope).map_err(|error| error.to_string())?;
    }
    let raw = RawValue::from_string(json).map_err(|error| error.to_string())?;
    judge(&raw)
}

/// Stores the items of one message.
#[derive(Debug, Default)]
struct Collected(Mutex<Converted>);

impl Sink for Collected {
    fn deliver(&self, delivery: Delivery) -> Delivering<'_> {
        Box::pin(async move {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = convert(delivery.batches);
            Ok(Acceptance::default())
        })
    }
}

/// The request path for each kind of OTLP JSON.
const PATHS: [(&str, &str); 3] = [
    ("\"resourceSpans\"", "/v1/traces"),
    ("\"resourceLogs\"", "/v1/logs"),
    ("\"resourceMetrics\"", "/v1/metrics"),
];

/// Reads a line of OTLP JSON, the file format of the OpenTelemetry Collector; `None` for any other line. Blocks
/// its thread.
pub(crate) fn read_line(line: &[u8]) -> Option<Result<Vec<NewItem>, String>> {
    let start = String::from_utf8_lossy(line.get(..200.min(line.len()))?);
    let (_, path) = PATHS.iter().find(|(key, _)| start.contains(key))?;
    let message = Message {
        path,
        content_type: "application/json",
        encoding: None,
        body: line.to_vec(),
    };
    let receiver = OtlpReceiver::default();
    Some(
        match Handle::current().block_on(receiver.receive(message)) {
            Ok(converted) if converted.rejected > 0 && converted.items.is_empty() => {
                Err(converted.reason)
            }
            Ok(converted) => Ok(converted.items),
            Err(message) => Err(message),
        },
    )
}

/// A message of OTLP over HTTP.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

/// Receives messages that did not come by a socket.
#[derive(Debug)]
pub(crate) struct OtlpReceiver {
    input: OtlpInput,
    sink: Arc<Collected>,
}

impl Default for OtlpReceiver {
    fn default() -> Self {
        let sink = Arc::new(Collected::default());
        let options = OtlpOptions::default()
            .instrumentation_key(INSTRUMENTATION_KEY)
            .limits(Limits::default().with_message_bytes(MAX_LINE))
            // Totals in a file count completely.
            .started(SystemTime::UNIX_EPOCH);
        Self {
            input: OtlpInput::new(Arc::clone(&sink) as Arc<dyn Sink>, options),
            sink,
        }
    }
}

impl OtlpReceiver {
    /// The items of a message, or the status and text of its refusal.
    pub(crate) async fn receive(&self, message: Message) -> Result<Converted, String> {
        let mut request = Request::post(message.path).header(CONTENT_TYPE, message.content_type);
        if let Some(encoding) = message.encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        let request = request
            .body(Body::from(message.body))
            .map_err(|error| error.to_string())?;
        let Ok(response) = self.input.http_router().oneshot(request).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), MAX_LINE).await;
        if status != StatusCode::OK {
            let text = body.unwrap_or_default();
            return Err(format!("{status}: {}", String::from_utf8_lossy(&text)));
        }
        let mut converted = self.sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *converted))
    }
}
