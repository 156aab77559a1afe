use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use azmon_portal::{DEFAULT_ADDRESS, DEFAULT_MAX_BYTES};
use clap::{Args, Parser, Subcommand};

use crate::cli::forward::ForwardArguments;

pub(super) const MEBIBYTE: u64 = 1_024 * 1_024;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Ports that OpenTelemetry's SDKs send to unless told otherwise.
const OTLP_GRPC: SocketAddr = loopback(4317);
const OTLP_HTTP: SocketAddr = loopback(4318);
/// The port that OpenCensus' exporters send to unless told otherwise.
const OPEN_CENSUS: SocketAddr = loopback(55678);

/// Application Insights on your own machine.
#[derive(Debug, Parser)]
#[command(name = "azmon", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is wrong with telemetry, or why none arrives.
    Doctor(DoctorArguments),
    /// Write what a portal holds to a file: envelopes, one a line, or OTLP JSON.
    Export(ExportArguments),
    /// Receive OTLP, OpenCensus and Application Insights, and send it to Azure Monitor.
    Forward(ForwardArguments),
    /// Give files of envelopes or OTLP JSON to a portal.
    Import(ImportArguments),
    /// Receive telemetry and show it in the browser.
    Portal(PortalArguments),
    /// Ask a portal or a file in the query language of Azure Monitor.
    Query(QueryArguments),
    /// Show what arrives at a portal, here in the terminal.
    Tail(TailArguments),
}

#[derive(Debug, Args)]
pub(super) struct PortalArguments {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", env = "AZMON_PORTAL_LISTEN", default_value_t = DEFAULT_ADDRESS)]
    pub(super) listen: SocketAddr,

    /// Address and port to listen on for HTTPS, for SDKs that insist on it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen_tls: Option<SocketAddr>,

    /// Directory of the certificate for HTTPS; one is made there if there is none.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) tls_dir: Option<PathBuf>,

    /// Address and port for OpenTelemetry over gRPC; left out if another program has the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OTLP_GRPC)]
    pub(super) otlp_grpc: SocketAddr,

    /// Address and port for OpenTelemetry over HTTP; left out if another program has the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OTLP_HTTP)]
    pub(super) otlp_http: SocketAddr,

    /// Address and port for OpenCensus; left out if another program has the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OPEN_CENSUS)]
    pub(super) opencensus: SocketAddr,

    /// Receive neither OpenTelemetry nor OpenCensus.
    #[arg(long)]
    pub(super) no_otlp: bool,

    /// Keep the data in this directory; without it, the data is gone when the portal ends.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) data: Option<PathBuf>,

    /// Run the availability tests and alert rules of this TOML file.
    #[arg(long, value_name = "FILE")]
    pub(super) checks: Option<PathBuf>,

    /// Hold at most this many items; the oldest are removed first.
    #[arg(long, value_name = "COUNT")]
    pub(super) max_items: Option<u64>,

    /// Remove the oldest items when the database is larger than so many megabytes.
    #[arg(long, value_name = "MB", default_value_t = DEFAULT_MAX_BYTES / MEBIBYTE)]
    pub(super) max_megabytes: u64,

    /// Remove items that were received longer ago, such as 90m, 12h or 7d.
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(super) max_age: Option<Duration>,

    /// Another name of this machine to be read under, such as a container's; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(super) allow_host: Vec<String>,

    /// Ask readers for this token. Without one, a portal that other machines can reach makes one up.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "AZMON_PORTAL_TOKEN",
        hide_env_values = true
    )]
    pub(super) token: Option<String>,

    /// Log every refused request, not only refused telemetry.
    #[arg(long, short)]
    pub(super) verbose: bool,
}

/// Which portal is asked.
#[derive(Debug, Clone, Args)]
pub(super) struct PortalAddress {
    /// Address of the portal.
    #[arg(
        long,
        value_name = "URL",
        env = "AZMON_PORTAL_URL",
        default_value = "http://127.0.0.1:4320"
    )]
    pub(super) portal: String,

    /// Token of the portal, if it asks for one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "AZMON_PORTAL_TOKEN",
        hide_env_values = true
    )]
    pub(super) token: Option<String>,
}

/// Which items are meant.
#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Words, phrases and fields, as in the search field of the pages, such as 'success:false duration>500'.
    #[arg(value_name = "SEARCH")]
    pub(super) search: Vec<String>,

    /// Only items of this kind, such as request, trace or exception; may be given several times.
    #[arg(long, short, value_name = "KIND")]
    pub(super) kind: Vec<String>,

    /// Only items of this role; may be given several times.
    #[arg(long, short, value_name = "ROLE")]
    pub(super) role: Vec<String>,

    /// Only items of this instrumentation key.
    #[arg(long, value_name = "KEY")]
    pub(super) app: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    #[command(flatten)]
    pub(super) address: PortalAddress,

    /// The query, such as 'requests | where success == false | summarize count() by name'.
    #[arg(value_name = "QUERY")]
    pub(super) query: String,

    /// Ask a file instead of a portal: a portal's data directory or database, or a file as `azmon import` takes it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["portal", "token"])]
    pub(super) file: Option<PathBuf>,

    /// Only the time before now, such as PT1H, or start/end in ISO 8601.
    #[arg(long, value_name = "TIMESPAN")]
    pub(super) timespan: Option<String>,

    /// Only items of this instrumentation key.
    #[arg(long, value_name = "KEY")]
    pub(super) app: Option<String>,

    /// How rows are written.
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    pub(super) format: QueryFormat,

    /// Fail if the query gives any row, for checks in CI.
    #[arg(long)]
    pub(super) fail_if_any: bool,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum QueryFormat {
    Csv,
    /// One object a line.
    Json,
    Table,
}

#[derive(Debug, Args)]
pub(super) struct TailArguments {
    #[command(flatten)]
    pub(super) address: PortalAddress,

    #[command(flatten)]
    pub(super) filters: Filters,

    /// Write each item as a line of JSON.
    #[arg(long)]
    pub(super) json: bool,

    /// Show this many of the items that are there already, first.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 0)]
    pub(super) lines: usize,

    /// End after so many items.
    #[arg(long, value_name = "COUNT")]
    pub(super) count: Option<usize>,

    /// When to use colours.
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(super) colour: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Colour {
    /// In a terminal.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    #[command(flatten)]
    pub(super) address: PortalAddress,

    /// Files of envelopes (one a line, or a JSON array) or OTLP JSON, gzip or not; - reads the standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    pub(super) address: PortalAddress,

    #[command(flatten)]
    pub(super) filters: Filters,

    /// How items are written.
    #[arg(long, value_enum, default_value_t = ExportFormat::Envelopes)]
    pub(super) format: ExportFormat,

    /// The file to write, compressed if it ends in .gz; without it, the standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ExportFormat {
    /// Envelopes of Application Insights as they were sent, one a line.
    Envelopes,
    /// OTLP JSON, as the OpenTelemetry Collector writes files.
    Otlp,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    #[command(flatten)]
    pub(super) address: PortalAddress,

    /// Send one item to this connection string, and explain the answer.
    #[arg(long, value_name = "TEXT")]
    pub(super) connection_string: Option<String>,

    /// Write the findings as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// `90s`, `90m`, `12h`, `7d`.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; give one such as 90m, 12h or 7d");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(age("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(age("7d"), Ok(Duration::from_secs(604_800)));
        for text in ["", "7", "d", "-1h", "99999999999999999999d", "7é"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_arguments_fit_together() {
        use clap::CommandFactory;

        Arguments::command().debug_assert();
    }
}
