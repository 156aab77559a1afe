use std::io;

use azmon_portal::{BindError, Checks, Portal};
use tracing_subscriber::filter::LevelFilter;

use crate::cli::arguments::{MEBIBYTE, PortalArguments};
use crate::cli::output::{complain, say};
use crate::cli::signal;

/// The directory of the certificate without `--tls-dir`, below the user's configuration directory.
const TLS_DIRECTORY: &str = "azmon-portal-tls";

pub(super) async fn run(arguments: PortalArguments) -> Result<(), String> {
    log_to_stderr(arguments.verbose);
    // Installed before any output: a program that waits for the output may send a signal at once.
    let told_to_end =
        signal::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let mut builder = Portal::builder().max_bytes(arguments.max_megabytes.saturating_mul(MEBIBYTE));
    if let Some(items) = arguments.max_items {
        builder = builder.max_items(items);
    }
    if let Some(age) = arguments.max_age {
        builder = builder.max_age(age);
    }
    if let Some(directory) = &arguments.data {
        builder = builder.data_directory(directory);
    }
    if let Some(file) = &arguments.checks {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let checks: Checks = text
            .parse()
            .map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.checks(checks);
    }
    if let Some(token) = arguments.token {
        builder = builder.token(token);
    }
    for name in arguments.allow_host {
        builder = builder.allow_host(name);
    }
    if let Some(address) = arguments.listen_tls {
        let directory = match (arguments.tls_dir, &arguments.data) {
            (Some(directory), _) => directory,
            (None, Some(data)) => data.clone(),
            (None, None) => std::env::temp_dir().join(TLS_DIRECTORY),
        };
        builder = builder.listen_tls(address, directory);
    } else if arguments.tls_dir.is_some() {
        return Err("--tls-dir goes with --listen-tls".to_owned());
    }
    if !arguments.no_otlp {
        builder = builder
            .otlp_grpc(arguments.otlp_grpc)
            .otlp_http(arguments.otlp_http)
            .open_census(arguments.opencensus);
    }
    let portal = builder.bind(arguments.listen).await.map_err(explain)?;
    greet(&portal);
    told_to_end.await;
    portal.shutdown().await;
    Ok(())
}

fn log_to_stderr(verbose: bool) {
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        LevelFilter::WARN
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}

fn greet(portal: &Portal) {
    if !portal.address().ip().is_loopback() {
        complain(&format!(
            "warning: {} can be reached from other machines; the token below gives access to all telemetry",
            portal.address()
        ));
    }
    let kept = match portal.data_directory() {
        Some(directory) => format!("what it holds is kept in {}", directory.display()),
        None => "what it holds is gone then".to_owned(),
    };
    let token = portal
        .token()
        .map_or(String::new(), |token| format!("?token={token}"));
    let mut text = format!(
        "azmon portal is running; Ctrl-C ends it, and {kept}.\n\n\
         Open this:\n  {}/{token}\n\n\
         Connect applications with this (in a shell, quote the value: it has a semicolon):\n  \
         APPLICATIONINSIGHTS_CONNECTION_STRING={}\n",
        portal.url(),
        portal.connection_string()
    );
    if let (Some(connection_string), Some(certificate)) =
        (portal.connection_string_tls(), portal.tls_certificate())
    {
        text.push_str(&format!(
            "\nOver HTTPS, for SDKs that insist on it (Node.js: NODE_EXTRA_CA_CERTS={path}):\n  \
             APPLICATIONINSIGHTS_CONNECTION_STRING={connection_string}\n  \
             certificate: {path}\n",
            path = certificate.display()
        ));
    }
    for (name, protocol) in [("otlpHttp", "http/protobuf"), ("otlpGrpc", "grpc")] {
        if let Some(address) = portal.otlp_endpoint(name) {
            text.push_str(&format!(
                "\nOpenTelemetry ({protocol}):\n  OTEL_EXPORTER_OTLP_ENDPOINT={address}\n"
            ));
        }
    }
    if let Some(address) = portal.otlp_endpoint("openCensus") {
        let address = address.trim_start_matches("http://");
        text.push_str(&format!(
            "\nOpenCensus:\n  OCAGENT_TRACE_EXPORTER_ENDPOINT={address}\n"
        ));
    }
    for (name, reason) in portal.closed_endpoints() {
        text.push_str(&format!("\nNot open: {name}: {reason}\n"));
    }
    // The portal continues if its output is closed.
    say(&text);
}

fn explain(error: BindError) -> String {
    let advice = if error.is_address_in_use() {
        "\nAnother program has the port, perhaps another portal. End it, or choose another port, \
         such as: azmon portal --listen 127.0.0.1:0"
    } else if error.is_data_in_use() {
        "\nEnd it, or choose another directory with --data"
    } else {
        ""
    };
    format!("{error}{advice}")
}
