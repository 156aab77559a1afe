use std::net::SocketAddr;

use azmon_portal::{DEFAULT_ADDRESS, DEFAULT_MAX_BYTES, DEFAULT_MAX_ITEMS};
use clap::{Args, Parser, Subcommand};

use crate::cli::forward::ForwardArguments;

pub(super) const MEBIBYTE: usize = 1_024 * 1_024;

/// Application Insights on your own machine.
#[derive(Debug, Parser)]
#[command(name = "azmon", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Receive OTLP, OpenCensus and Application Insights, and send it to Azure Monitor.
    Forward(ForwardArguments),
    /// Receive telemetry and show it in the browser.
    Portal(PortalArguments),
}

#[derive(Debug, Args)]
pub(super) struct PortalArguments {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", env = "AZMON_PORTAL_LISTEN", default_value_t = DEFAULT_ADDRESS)]
    pub(super) listen: SocketAddr,

    /// Hold at most this many items; the oldest are dropped first.
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_MAX_ITEMS)]
    pub(super) max_items: usize,

    /// Hold items of at most about this many megabytes of memory.
    #[arg(long, value_name = "MB", default_value_t = DEFAULT_MAX_BYTES / MEBIBYTE)]
    pub(super) max_megabytes: usize,

    /// Another name of this machine to be read under, such as a container's; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(super) allow_host: Vec<String>,

    /// Log every refused request, not only refused telemetry.
    #[arg(long, short)]
    pub(super) verbose: bool,
}
