//! The libraries that azmon is compared with, one file each, at their newest versions.
//!
//! To add a library: a file with a function that returns its cases, a line in [`program`], and its package name
//! in `NAMES`, so that the report shows its version from the lock file.

mod application_insights;
mod axum_tracing_opentelemetry;
mod fastrace_axum;
mod opentelemetry_instrumentation_tower;
mod otlp;
mod otlp_0_32;
mod reqwest_tracing;
mod service;
mod sqlx_otel;
mod stock_0_32;
mod subscriber;
mod tower_http;

use std::sync::LazyLock;

use azmon_benches::report::{Lock, Peers};
use azmon_benches::{Case, Program, areas};

/// The packages whose versions the report shows.
const NAMES: [&str; 8] = [
    "opentelemetry-instrumentation-tower",
    "axum-tracing-opentelemetry",
    "tower-http",
    "tracing-opentelemetry",
    "fastrace-axum",
    "reqwest-tracing",
    "sqlx-otel",
    "opentelemetry-application-insights",
];

static LOCK: LazyLock<Lock> = LazyLock::new(|| Lock::parse(include_str!("../Cargo.lock")));

/// The program that measures azmon and its peers.
#[must_use]
pub fn program() -> Program {
    Program::new(areas::all())
        .peers(Peers::new(&LOCK, &NAMES))
        .add("service", service::cases())
        .add("server", server())
        .add("client", reqwest_tracing::cases())
        .add("database", sqlx_otel::one_row())
        .add("rows", sqlx_otel::many_rows())
        .add("export", application_insights::export())
        .add("pipeline", application_insights::pipeline())
}

fn server() -> Vec<Case> {
    let mut cases = opentelemetry_instrumentation_tower::cases();
    cases.extend(axum_tracing_opentelemetry::cases());
    cases.extend(tower_http::cases());
    cases.extend(fastrace_axum::cases());
    cases
}

/// A package with its version, for the label of a case.
fn label(package: &str, variant: &str) -> String {
    let package = LOCK.describe(package);
    match variant {
        "" => package,
        variant => format!("{package}, {variant}"),
    }
}
