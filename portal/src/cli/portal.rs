use std::io::{self, Write};
use std::process::ExitCode;

use azmon_portal::{BindError, Portal};
use tracing_subscriber::filter::LevelFilter;

use crate::cli::arguments::{Arguments, Command, MEBIBYTE, PortalArguments};
use crate::cli::{forward, signal};

/// Runs the command until it ends or is told to end.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Forward(arguments) => forward::run(arguments).await,
        Command::Portal(arguments) => portal(arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            complain(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

async fn portal(arguments: PortalArguments) -> Result<(), String> {
    log_to_stderr(arguments.verbose);
    // Before anything is printed: who reads that the portal runs may end it at once.
    let told_to_end =
        signal::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let mut builder = Portal::builder()
        .max_items(arguments.max_items)
        .max_bytes(arguments.max_megabytes.saturating_mul(MEBIBYTE));
    for name in arguments.allow_host {
        builder = builder.allow_host(name);
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
            "warning: {} can be reached from other machines, and whoever reaches it can read all telemetry",
            portal.address()
        ));
    }
    let text = format!(
        "azmon portal is running; Ctrl-C ends it, and what it holds is gone then.\n\n\
         Open this:\n  {}/\n\n\
         Connect applications with this (in a shell, quote the value: it has a semicolon):\n  \
         APPLICATIONINSIGHTS_CONNECTION_STRING={}\n",
        portal.url(),
        portal.connection_string()
    );
    // The portal serves just as well when nobody reads its output.
    let _ = writeln!(io::stdout(), "{text}");
}

fn explain(error: BindError) -> String {
    let advice = if error.is_address_in_use() {
        "\nAnother program has the port, perhaps another portal. End it, or choose another port, \
         such as: azmon portal --listen 127.0.0.1:0"
    } else {
        ""
    };
    format!("{error}{advice}")
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
