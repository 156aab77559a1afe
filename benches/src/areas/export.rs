//! The export of spans to the wire format.

use azmon::testing::SpanEncoder;
use bytes::Bytes;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::fixtures::{Body, mixed_spans};
use crate::{Area, Bound, Case, Figure, Method, Quantity, Target, Workload};

/// The case that only frees the spans, which is the reference of all others.
pub const REFERENCE: &str = "export/bare";

/// The number of spans in a batch: as many as the SDK's batch processor exports at once.
pub const BATCH: u64 = 512;

const AZMON: &str = "export/azmon";
const WIRE: &str = "bytes on the wire";
const PLAIN: &str = "bytes plain";

/// The area without peers.
#[must_use]
pub fn area() -> Area {
    Area {
        name: "export",
        title: "Export: a span",
        unit: "span",
        about: "Spans in batches of 512, four of each trace: a request, a call, a query and a step inside, with 12 \
                attributes each. The exporter maps them, truncates them to the service's limits, writes JSON and \
                compresses it with gzip, on the calling thread; the response arrives at once. The reference frees the \
                spans, which every exporter does.",
        method: Method::Rounds {
            operations: 4 * BATCH,
        },
        cases: vec![
            Case::bare(REFERENCE, "the spans are freed", || {
                Batches::new(|spans| {
                    drop(spans);
                    Vec::new()
                })
            }),
            Case::azmon(AZMON, "azmon", || {
                let mut encoder = SpanEncoder::new(&resource());
                Batches::new(move |spans| encoder.encode(&spans))
            })
            .above(REFERENCE)
            .group("export")
            .records(1)
            .remark("the work of azmon's thread; gzip level 2"),
        ],
        targets: targets(),
        notes: None,
    }
}

fn targets() -> Vec<Target> {
    vec![
        Target::new(AZMON, Quantity::Time, Bound::AtMost(2_000.0)),
        Target::new(AZMON, Quantity::Time, Bound::OfPeer(0.15)),
        Target::new(AZMON, Quantity::Allocations, Bound::AtMost(1.0)),
        Target::new(AZMON, Quantity::Figure(WIRE), Bound::OfPeer(1.4)),
    ]
}

/// The resource of the spans.
#[must_use]
pub fn resource() -> Resource {
    Resource::builder().with_service_name("shop").build()
}

/// Batches of spans, sent by a function that returns the bodies of its requests.
#[derive(Debug)]
pub struct Batches<F> {
    spans: Vec<SpanData>,
    prepared: Vec<Vec<SpanData>>,
    send: F,
    bodies: Vec<Bytes>,
    arrived: Body,
}

impl<F: FnMut(Vec<SpanData>) -> Vec<Bytes>> Batches<F> {
    /// Sends with `send`.
    pub fn new(send: F) -> Self {
        Self {
            spans: mixed_spans(BATCH),
            prepared: Vec::new(),
            send,
            bodies: Vec::new(),
            arrived: Body::default(),
        }
    }
}

impl<F: FnMut(Vec<SpanData>) -> Vec<Bytes>> Workload for Batches<F> {
    fn prepare(&mut self, operations: u64) {
        let sizes = (0..operations).step_by(BATCH as usize);
        let sizes = sizes.map(|start| BATCH.min(operations - start) as usize);
        self.prepared = sizes.map(|size| self.spans[..size].to_vec()).collect();
        self.bodies = Vec::with_capacity(self.prepared.len());
    }

    fn run(&mut self, _: u64) {
        for batch in self.prepared.drain(..) {
            self.bodies.append(&mut (self.send)(batch));
        }
    }

    fn settle(&mut self) {
        for body in self.bodies.drain(..) {
            let body = Body::read(&body);
            self.arrived.wire += body.wire;
            self.arrived.plain += body.plain;
            self.arrived.spans += body.spans;
        }
    }

    fn delivered(&self) -> Option<u64> {
        Some(self.arrived.spans)
    }

    fn figures(&mut self) -> Vec<Figure> {
        let each = |bytes| bytes as f64 / self.arrived.spans as f64;
        match self.arrived.spans {
            0 => Vec::new(),
            _ => vec![
                Figure::new(WIRE, each(self.arrived.wire)),
                Figure::new(PLAIN, each(self.arrived.plain)),
            ],
        }
    }
}
