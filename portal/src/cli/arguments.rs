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

/// The default ports of OpenTelemetry's SDKs.
const OTLP_GRPC: SocketAddr = loopback(4317);
const OTLP_HTTP: SocketAddr = loopback(4318);
/// The default port of OpenCensus exporters.
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
    /// Find problems in telemetry, or the reason why none arrives.
    Doctor(DoctorArguments),
    /// Write the contents of a portal to a file: one envelope per line, or OTLP JSON.
    Export(ExportArguments),
    /// Receive OTLP, OpenCensus and Application Insights, and send it to Azure Monitor.
    Forward(ForwardArguments),
    /// Import files of envelopes or OTLP JSON into a portal.
    Import(ImportArguments),
    /// Receive telemetry and show it in the browser.
    Portal(PortalArguments),
    /// Query a portal or a file in the query language of Azure Monitor (KQL).
    Query(QueryArguments),
    /// Show telemetry in the terminal as it arrives at a portal.
    Tail(TailArguments),
}

#[derive(Debug, Args)]
pub(super) struct PortalArguments {
    /// Address and port to listen on; port 0 selects a free one.
    #[arg(long, value_name = "ADDRESS:PORT", env = "AZMON_PORTAL_LISTEN", default_value_t = DEFAULT_ADDRESS)]
    pub(super) listen: SocketAddr,

    /// Address and port to listen on for HTTPS, for SDKs that require it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen_tls: Option<SocketAddr>,

    /// Directory of the certificate for HTTPS; a missing certificate is created there.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) tls_dir: Option<PathBuf>,

    /// Address and port for OpenTelemetry over gRPC; skipped if another program uses the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OTLP_GRPC)]
    pub(super) otlp_grpc: SocketAddr,

    /// Address and port for OpenTelemetry over HTTP; skipped if another program uses the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OTLP_HTTP)]
    pub(super) otlp_http: SocketAddr,

    /// Address and port for OpenCensus; skipped if another program uses the port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OPEN_CENSUS)]
    pub(super) opencensus: SocketAddr,

    /// Receive neither OpenTelemetry nor OpenCensus.
    #[arg(long)]
    pub(super) no_otlp: bool,

    /// Keep the data in this directory; by default, the data is deleted when the portal ends.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) data: Option<PathBuf>,

    /// Run the availability tests and alert rules of this TOML file.
    #[arg(long, value_name = "FILE")]
    pub(super) checks: Option<PathBuf>,

    /// Keep at most this many items; the oldest are removed first.
    #[arg(long, value_name = "COUNT")]
    pub(super) max_items: Option<u64>,

    /// Remove the oldest items when the database exceeds this many megabytes.
    #[arg(long, value_name = "MB", default_value_t = DEFAULT_MAX_BYTES / MEBIBYTE)]
    pub(super) max_megabytes: u64,

    /// Remove items older than this, by the time of their arrival, such as 90m, 12h or 7d.
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(super) max_age: Option<Duration>,

    /// Additional host name under which the portal may be read, such as a container's; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(super) allow_host: Vec<String>,

    /// Require this token from readers. By default, a portal that other machines can reach generates one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "AZMON_PORTAL_TOKEN",
        hide_env_values = true
    )]
    pub(super) token: Option<String>,

    /// Log every rejected request, not only rejected telemetry.
    #[arg(long, short)]
    pub(super) verbose: bool,
}

/// The portal that a command connects to.
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

    /// Token of the portal, if it requires one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "AZMON_PORTAL_TOKEN",
        hide_env_values = true
    )]
    pub(super) token: Option<String>,
}

/// The selected items.
#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Words, phrases and fields, in the syntax of the pages' search field, such as 'success:false duration>500'.
    #[arg(value_name = "SEARCH")]
    pub(super) search: Vec<String>,

    /// Only items of this kind, such as request, trace or exception; may be repeated.
    #[arg(long, short, value_name = "KIND")]
    pub(super) kind: Vec<String>,

    /// Only items of this role; may be repeated.
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

    /// Time range, such as PT1H for the last hour, or start/end in ISO 8601.
    #[arg(long, value_name = "TIMESPAN")]
    pub(super) timespan: Option<String>,

    /// Only items of this instrumentation key.
    #[arg(long, value_name = "KEY")]
    pub(super) app: Option<String>,

    /// Output format of rows.
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    pub(super) format: QueryFormat,

    /// Fail if the query returns any row, for checks in CI.
    #[arg(long)]
    pub(super) fail_if_any: bool,
}

/// The output format of rows.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum QueryFormat {
    Csv,
    /// One JSON object per line.
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

    /// First show this many of the existing items.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 0)]
    pub(super) lines: usize,

    /// End after this many items.
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

    /// Files of envelopes (one per line, or a JSON array) or OTLP JSON, optionally gzip; - reads standard input.
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

    /// Output file, compressed if its name ends in .gz; standard output by default.
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

    /// Send one item with this connection string, and explain the response.
    #[arg(long, value_name = "TEXT")]
    pub(super) connection_string: Option<String>,

    /// Write the findings as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// `90s`, `90m`, `12h`, `7d`.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration; use for example 90m, 12h or 7d");
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
