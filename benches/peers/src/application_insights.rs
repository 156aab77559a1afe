//! opentelemetry-application-insights: an exporter under the SDK's batch processor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use azmon_benches::Case;
use azmon_benches::areas::export::{self, Batches};
use azmon_benches::areas::pipeline::{Ends, LOADS, Load, ROUND_TRIP};
use azmon_benches::fixtures::{Backend, Body, now};
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_application_insights::{Exporter, HttpClient};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter};

use crate::label;

const PACKAGE: &str = "opentelemetry-application-insights";

/// The library's own statement about the differences.
const REMARK: &str =
    "gzip level 6, of the zlib-rs that azmon brings; by itself it has a slower one";

pub(crate) fn export() -> Vec<Case> {
    let case = Case::peer("export/application-insights", label(PACKAGE, ""), || {
        let client = Client::default();
        let mut exporter = exporter(client.clone());
        exporter.set_resource(&export::resource());
        Batches::new(move |spans| {
            // Lost spans are detected, since spans are counted on arrival.
            let _ = now(exporter.export(spans));
            client.take()
        })
    });
    vec![
        case.above(export::REFERENCE)
            .group("export")
            .records(1)
            .remark(REMARK),
    ]
}

pub(crate) fn pipeline() -> Vec<Case> {
    let cases = LOADS.into_iter().zip([
        "pipeline/application-insights/one",
        "pipeline/application-insights/two",
        "pipeline/application-insights/steady",
    ]);
    cases.map(|(load, id)| ends(id, load)).collect()
}

fn ends(id: &'static str, load: Load) -> Case {
    Case::peer(id, label(PACKAGE, load.label), move || {
        let far = Far::start();
        Ends::new(load, far.tracers.clone(), far)
    })
    .group(load.label)
    .remark("in the SDK's batch processor; its client only waits")
}

fn exporter<C: HttpClient + 'static>(client: C) -> Exporter<C> {
    let connection_string = "InstrumentationKey=00000000-0000-0000-0000-000000000000;\
                             IngestionEndpoint=http://localhost/";
    Exporter::new_from_connection_string(connection_string, client)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A client whose requests are answered after a delay and kept.
#[derive(Debug, Clone, Default)]
struct Client {
    delay: Duration,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Client {
    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.bodies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The answer to an upload.
pub(crate) type Answer = Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

impl HttpClient for Client {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        if !self.delay.is_zero() {
            thread::sleep(self.delay);
        }
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.push(request.into_body());
        Box::pin(std::future::ready(Ok(Response::new(Bytes::new()))))
    }
}

/// The SDK's batch processor with this exporter and a distant endpoint.
struct Far {
    tracers: SdkTracerProvider,
    client: Client,
}

impl Far {
    fn start() -> Self {
        let client = Client {
            delay: ROUND_TRIP,
            ..Client::default()
        };
        let tracers = SdkTracerProvider::builder()
            .with_resource(export::resource())
            .with_batch_exporter(exporter(client.clone()))
            .build();
        Self { tracers, client }
    }
}

impl Backend for Far {
    fn flush(&self) {
        // Lost spans are detected, since spans are counted on arrival.
        let _ = self.tracers.force_flush();
    }

    fn delivered(&self) -> Option<u64> {
        let bodies = self
            .client
            .bodies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(bodies.iter().map(|body| Body::read(body).spans).sum())
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Far").finish_non_exhaustive()
    }
}
