//! fastrace's axum middleware, which does not use OpenTelemetry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use azmon_benches::Case;
use azmon_benches::areas::server::{Exchanges, REFERENCE, SAMPLED, UNSAMPLED, router};
use azmon_benches::fixtures::Backend;
use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace_axum::FastraceLayer;

const NAME: &str = "fastrace-axum";

/// A separate group: its telemetry is for another kind of backend.
pub(crate) fn cases() -> Vec<Case> {
    let cases = [
        Case::peer("server/fastrace/recorded", label(""), || {
            Exchanges::new(
                Fastrace::start(),
                router().layer(FastraceLayer::default()),
                SAMPLED,
            )
        })
        .records(1)
        .remark("without OpenTelemetry, so not compared"),
        Case::peer(
            "server/fastrace/unsampled",
            label("parent unsampled"),
            || {
                Exchanges::new(
                    Fastrace::start(),
                    router().layer(FastraceLayer::default()),
                    UNSAMPLED,
                )
            },
        )
        .records(0),
    ];
    cases.map(|case| case.above(REFERENCE)).into()
}

fn label(variant: &str) -> String {
    crate::label(NAME, variant)
}

/// fastrace with a reporter that discards spans.
#[derive(Debug, Clone, Default)]
struct Fastrace(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    spans: AtomicU64,
    properties: AtomicU64,
}

impl Fastrace {
    fn start() -> Self {
        let fastrace = Self::default();
        fastrace::set_reporter(fastrace.clone(), Config::default());
        fastrace
    }
}

impl Reporter for Fastrace {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let properties: usize = spans.iter().map(|span| span.properties.len()).sum();
        let counts = &self.0;
        counts
            .properties
            .fetch_add(properties as u64, Ordering::Release);
        counts
            .spans
            .fetch_add(spans.len() as u64, Ordering::Release);
    }
}

impl Backend for Fastrace {
    fn flush(&self) {
        fastrace::flush();
    }

    fn delivered(&self) -> Option<u64> {
        Some(self.0.spans.load(Ordering::Acquire))
    }

    fn attributes(&self) -> Option<f64> {
        let spans = self.delivered().filter(|spans| *spans > 0)?;
        Some(self.0.properties.load(Ordering::Acquire) as f64 / spans as f64)
    }
}
