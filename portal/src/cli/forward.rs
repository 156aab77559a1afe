//! `azmon forward`: runs a forwarder from configuration files and options.

use std::io;
use std::path::PathBuf;

use azmon_forwarder::config::{ConfigSource, InputKind};
use azmon_forwarder::operation;
use clap::Args;
use tracing_subscriber::filter::LevelFilter;

#[derive(Debug, Args)]
pub(super) struct ForwardArguments {
    /// Configuration file in TOML; read again at SIGHUP.
    #[arg(long, value_name = "FILE", conflicts_with = "local_forwarder_config")]
    config: Option<PathBuf>,

    /// Configuration file of Microsoft's LocalForwarder; read again at SIGHUP.
    #[arg(long, value_name = "FILE")]
    local_forwarder_config: Option<PathBuf>,

    /// The destination of telemetry without a route.
    // No variable here, since a file takes precedence over it.
    #[arg(long, value_name = "CONNECTION STRING")]
    connection_string: Option<String>,

    /// Receive OTLP over gRPC here; 127.0.0.1:4317 without a file.
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    otlp_grpc: Option<String>,

    /// Receive OTLP over HTTP here; 127.0.0.1:4318 without a file.
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    otlp_http: Option<String>,

    /// Receive OpenCensus here; 127.0.0.1:55678 without a file.
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    opencensus: Option<String>,

    /// Receive Application Insights' items over gRPC here.
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    application_insights_grpc: Option<String>,

    /// Receive Application Insights' items over HTTP here.
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    application_insights_http: Option<String>,

    /// Allow addresses that other machines can reach, without encryption and authentication.
    #[arg(long)]
    insecure_bind: bool,

    /// Address and port of /livez, /readyz and /metrics.
    #[arg(long, value_name = "ADDRESS:PORT")]
    health: Option<String>,

    /// Send no Live Metrics.
    #[arg(long)]
    no_live_metrics: bool,

    /// Check the configuration and exit.
    #[arg(long)]
    check: bool,
}

impl ForwardArguments {
    pub(super) fn source(self) -> ConfigSource {
        let inputs = [
            (InputKind::OtlpGrpc, self.otlp_grpc),
            (InputKind::OtlpHttp, self.otlp_http),
            (InputKind::OpenCensus, self.opencensus),
            (
                InputKind::ApplicationInsightsGrpc,
                self.application_insights_grpc,
            ),
            (
                InputKind::ApplicationInsightsHttp,
                self.application_insights_http,
            ),
        ];
        let inputs = inputs.into_iter();
        let mut source = ConfigSource::default();
        source.file = self.config;
        source.local_forwarder = self.local_forwarder_config;
        source.connection_string = self.connection_string;
        source.inputs = inputs
            .filter_map(|(kind, address)| Some((kind, address?)))
            .collect();
        source.insecure_bind = self.insecure_bind;
        source.health = self.health;
        source.live_metrics = self.no_live_metrics.then_some(false);
        source
    }
}

/// Forwards until the process receives a signal to end.
pub(super) async fn run(arguments: ForwardArguments) -> Result<(), String> {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    let check = arguments.check;
    let source = arguments.source();
    let read = || source.read(variable);
    if check {
        return match read() {
            Ok(config) => {
                config
                    .warnings
                    .iter()
                    .for_each(|warning| tracing::warn!("{warning}"));
                tracing::info!("the configuration is valid");
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        };
    }
    let ran = operation::run(read, variable).await;
    ran.map_err(|error| error.to_string())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
