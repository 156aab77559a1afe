use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, MissedTickBehavior};

use crate::config::{ConfigError, ForwarderConfig};
use crate::forwarder::{Forwarder, StartError};
use crate::inputs::{Listener, serve_http};
use crate::operation::health;
use crate::operation::notify::{NOTIFY_SOCKET, Notifier};
use crate::operation::statistics::statistics_lines;

/// The maximum number of connections to the health address.
const HEALTH_CONNECTIONS: usize = 64;

/// An error of running a forwarder.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum RunError {
    /// The forwarder could not start.
    Start(#[from] StartError),
    /// The configuration cannot be read.
    Config(#[from] ConfigError),
    /// The health address cannot be bound, or the signal handlers cannot be installed.
    System(#[from] std::io::Error),
}

/// Runs a forwarder until the process receives SIGTERM or SIGINT, and then sends its queued items.
///
/// `read` reads the configuration, at the start and at every SIGHUP. An invalid configuration is logged, and the
/// forwarder keeps the current one. The forwarder logs its statistics as `tracing` events, at the start and at
/// every [`ForwarderConfig::statistics_interval`]. `lookup` looks up environment variables, those of systemd.
///
/// # Errors
///
/// If the first configuration is invalid, or an address cannot be bound.
pub async fn run(
    read: impl Fn() -> Result<ForwarderConfig, ConfigError>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(), RunError> {
    let config = read()?;
    let notifier = Notifier::new(lookup(NOTIFY_SOCKET));
    let mut signals = Signals::new()?;
    warn(&config);
    let forwarder = Forwarder::start(config).await?;
    for (kind, address) in forwarder.addresses() {
        tracing::info!("{kind} listens on {address}");
    }
    let mut forwarder = Watched::new(forwarder);
    let health = forwarder.serve_health().await?;
    notifier.notify("READY=1");
    let period = forwarder.inner.config().statistics_interval;
    let mut statistics = tokio::time::interval(period);
    statistics.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = statistics.tick() => forwarder.say_statistics(),
            signal = signals.next() => match signal {
                Signal::Reload => {
                    notifier.notify("RELOADING=1");
                    forwarder.reload(read()).await;
                    notifier.notify("READY=1");
                }
                Signal::End => break,
            },
        }
    }
    notifier.notify("STOPPING=1");
    let started = Instant::now();
    forwarder.end().await;
    if let Some(health) = health {
        health.abort();
    }
    tracing::info!("ended after {} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn warn(config: &ForwarderConfig) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

/// A forwarder whose counters the health address serves until it ends.
struct Watched {
    inner: Forwarder,
    is_up: Arc<AtomicBool>,
}

impl Watched {
    fn new(inner: Forwarder) -> Self {
        let is_up = Arc::new(AtomicBool::new(true));
        Self { inner, is_up }
    }

    async fn serve_health(&self) -> std::io::Result<Option<tokio::task::JoinHandle<()>>> {
        let Some(address) = &self.inner.config().health else {
            return Ok(None);
        };
        let listener = Listener::bind(address, HEALTH_CONNECTIONS).await?;
        tracing::info!("health is served on {}", listener.local_addr()?);
        let (watch, is_up) = (self.inner.watch(), self.is_up.clone());
        let router = health::router(move || is_up.load(Ordering::Relaxed).then(|| watch.counts()));
        Ok(Some(tokio::spawn(async move {
            if let Err(error) = serve_http(listener, router, std::future::pending()).await {
                tracing::error!(%error, "the health server ended");
            }
        })))
    }

    fn say_statistics(&self) {
        for line in statistics_lines(&self.inner.counts()) {
            tracing::info!("{line}");
        }
    }

    async fn reload(&mut self, config: Result<ForwarderConfig, ConfigError>) {
        let config = match config {
            Ok(config) => config,
            Err(error) => {
                tracing::error!("the configuration stays as it is: {error}");
                return;
            }
        };
        warn(&config);
        match self.inner.reload(config).await {
            Ok(()) => tracing::info!("the configuration was read again"),
            Err(error) => tracing::error!("the configuration stays as it is: {error}"),
        }
    }

    async fn end(self) {
        self.say_statistics();
        self.is_up.store(false, Ordering::Relaxed);
        self.inner.shutdown().await;
    }
}

enum Signal {
    End,
    Reload,
}

#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::End
    }
}
