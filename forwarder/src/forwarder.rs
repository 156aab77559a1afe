use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{ConfigError, ForwarderConfig, InputConfig, InputKind};
use crate::delivery::{
    DestinationCounts, DestinationError, ForwarderSink, RunningDestination, State,
};
use crate::inputs::{Budget, Listener};
use crate::running_input::{InputView, RunningInput, RunningInputCounts, Served, stop_inputs};

/// The interval of standard metrics.
const METRICS_INTERVAL: Duration = Duration::from_secs(60);

/// Receives telemetry and forwards it, as a [`ForwarderConfig`] specifies.
///
/// # Examples
///
/// ```no_run
/// use azmon_forwarder::Forwarder;
/// use azmon_forwarder::config::ForwarderConfig;
///
/// # async fn run(text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = ForwarderConfig::from_toml("forwarder.toml", text)?;
/// config.or_environment(|name| std::env::var(name).ok());
/// let forwarder = Forwarder::start(config).await?;
/// tokio::signal::ctrl_c().await?;
/// forwarder.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Forwarder {
    config: ForwarderConfig,
    watch: ForwarderWatch,
    inputs: HashMap<InputConfig, RunningInput>,
    metrics: JoinHandle<()>,
}

/// A view of a [`Forwarder`]'s counters. It follows changes of the configuration; clones share the view.
#[derive(Debug, Clone)]
pub struct ForwarderWatch {
    sink: Arc<ForwarderSink>,
    budget: Budget,
    inputs: Arc<Mutex<Vec<InputView>>>,
}

/// An error of starting a forwarder, or of changing its configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A destination could not be started.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// An input could not listen on its address.
    #[error("the {kind} cannot listen on {address}: {error}")]
    Listen {
        /// The kind of the input.
        kind: InputKind,
        /// The address of the input.
        address: String,
        /// The error of the operating system.
        error: io::Error,
    },
}

/// The counters of a forwarder since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwarderCounts {
    /// The counters of the inputs.
    pub inputs: Vec<RunningInputCounts>,
    /// The counters of the destinations.
    pub destinations: Vec<DestinationCounts>,
    /// The number of items that rules excluded.
    pub excluded: u64,
    /// The number of items that sampling dropped.
    pub sampled_out: u64,
    /// The number of bytes of messages that are being received or delivered.
    pub bytes_in_flight: usize,
}

impl Forwarder {
    /// Starts the destinations and then the inputs.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid, or an input cannot listen on its address. Nothing runs in that case.
    pub async fn start(config: ForwarderConfig) -> Result<Self, StartError> {
        config.validate("configuration")?;
        let state = State::start(&config, None)?;
        let sink = Arc::new(ForwarderSink {
            state: ArcSwap::from_pointee(state),
        });
        let budget = Budget::new(config.limits.in_flight_bytes);
        let metrics = tokio::spawn(send_metrics(sink.clone()));
        let mut forwarder = Self {
            config,
            watch: ForwarderWatch {
                sink,
                budget,
                inputs: Arc::default(),
            },
            inputs: HashMap::new(),
            metrics,
        };
        let wanted = forwarder.config.clone();
        match forwarder.start_inputs(&wanted, &wanted.inputs).await {
            Ok(started) => {
                forwarder.inputs = started;
                forwarder.show_inputs();
                Ok(forwarder)
            }
            Err(error) => {
                forwarder.metrics.abort();
                Err(error)
            }
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ForwarderConfig {
        &self.config
    }

    /// The addresses on which the inputs listen, with their actual ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<(InputKind, SocketAddr)> {
        let inputs = self.inputs.values();
        let mut all: Vec<_> = inputs
            .map(|input| (input.view.kind, input.view.address))
            .collect();
        all.sort_unstable();
        all
    }

    /// The counters since the start.
    #[must_use]
    pub fn counts(&self) -> ForwarderCounts {
        self.watch.counts()
    }

    /// A view of the counters, independent of the forwarder's lifetime.
    #[must_use]
    pub fn watch(&self) -> ForwarderWatch {
        self.watch.clone()
    }

    /// Changes the configuration. Inputs and destinations that are in both configurations continue without
    /// interruption. The counters of excluded and sampled-out items restart.
    ///
    /// # Errors
    ///
    /// If the new configuration is invalid, or an input cannot listen on its address. The forwarder then
    /// continues with its current configuration.
    pub async fn reload(&mut self, config: ForwarderConfig) -> Result<(), StartError> {
        config.validate("configuration")?;
        let before = self.watch.sink.state.load_full();
        let state = State::start(&config, Some(&before))?;
        // An unchanged input keeps its limits; new limits need a restart.
        let is_new = |input: &&InputConfig| !self.inputs.contains_key(*input);
        let new: Vec<_> = config.inputs.iter().filter(is_new).cloned().collect();
        let started = match self.start_inputs(&config, &new).await {
            Ok(started) => started,
            Err(error) => {
                let gone = removed(&state.destinations, &before.destinations);
                stop_destinations(gone, Duration::ZERO).await;
                return Err(error);
            }
        };
        let gone = removed(&before.destinations, &state.destinations);
        self.watch.sink.state.store(Arc::new(state));
        before.send_metrics().await;
        let old = self
            .inputs
            .keys()
            .filter(|input| !config.inputs.contains(input));
        let old: Vec<_> = old.cloned().collect();
        let old = old.iter().filter_map(|input| self.inputs.remove(input));
        stop_inputs(old.collect(), config.drain).await;
        self.inputs.extend(started);
        self.show_inputs();
        tokio::spawn(stop_destinations(gone, config.drain));
        self.config = config;
        Ok(())
    }

    /// Stops the inputs, sends queued items within [`ForwarderConfig::drain`], and ends. Unsent items are counted
    /// and logged.
    pub async fn shutdown(self) {
        let end = Instant::now() + self.config.drain;
        let left = || end.saturating_duration_since(Instant::now());
        let inputs = self.inputs.into_values().collect();
        stop_inputs(inputs, self.config.drain / 2).await;
        self.metrics.abort();
        let state = self.watch.sink.state.load_full();
        state.send_metrics().await;
        stop_destinations(state.destinations.clone(), left()).await;
    }

    /// Binds all addresses before serving any of them, so that no input is served if one address fails.
    async fn start_inputs(
        &self,
        config: &ForwarderConfig,
        wanted: &[InputConfig],
    ) -> Result<HashMap<InputConfig, RunningInput>, StartError> {
        let mut bound = Vec::new();
        for input in wanted {
            let listener = Listener::bind(&input.address, config.limits.connections).await;
            let listened = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
            let (address, listener) = listened.map_err(|error| StartError::Listen {
                kind: input.kind,
                address: input.address.clone(),
                error,
            })?;
            bound.push((input.clone(), address, listener));
        }
        let started = bound.into_iter().map(|(input, address, listener)| {
            let running = self.start_input(config, input.kind, address, listener);
            (input, running)
        });
        Ok(started.collect())
    }

    fn start_input(
        &self,
        config: &ForwarderConfig,
        kind: InputKind,
        address: SocketAddr,
        listener: Listener,
    ) -> RunningInput {
        let ForwarderWatch { sink, budget, .. } = self.watch();
        let served = Served::new(kind, config, sink, budget);
        let statistics = served.statistics.clone();
        let (stop, stopped) = watch::channel(false);
        let (shown, connections) = watch::channel(Some(listener.connections()));
        let task = tokio::spawn(served.run(address, listener, stopped, shown));
        let view = InputView {
            kind,
            address,
            statistics,
            connections,
        };
        RunningInput { view, stop, task }
    }

    fn show_inputs(&self) {
        let mut views: Vec<_> = self
            .inputs
            .values()
            .map(|input| input.view.clone())
            .collect();
        views.sort_unstable_by_key(|view| (view.kind, view.address));
        *self.watch.lock() = views;
    }
}

impl ForwarderWatch {
    /// The counters since the start.
    #[must_use]
    pub fn counts(&self) -> ForwarderCounts {
        let state = self.sink.state.load();
        let inputs = self.lock().iter().map(InputView::counts).collect();
        let (excluded, sampled_out) = state.pipeline.left_out();
        ForwarderCounts {
            inputs,
            destinations: state.destinations.iter().map(|one| one.counts()).collect(),
            excluded,
            sampled_out,
            bytes_in_flight: self.budget.taken(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<InputView>> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send_metrics(sink: Arc<ForwarderSink>) {
    let mut interval = tokio::time::interval(METRICS_INTERVAL);
    interval.tick().await;
    loop {
        interval.tick().await;
        sink.state.load_full().send_metrics().await;
    }
}

/// The items of `all` that are not in `others`.
fn removed(
    all: &[Arc<RunningDestination>],
    others: &[Arc<RunningDestination>],
) -> Vec<Arc<RunningDestination>> {
    let is_in = |one: &Arc<RunningDestination>| others.iter().any(|other| Arc::ptr_eq(one, other));
    all.iter().filter(|one| !is_in(one)).cloned().collect()
}

/// Stops the destinations concurrently.
async fn stop_destinations(destinations: Vec<Arc<RunningDestination>>, timeout: Duration) {
    let ends = destinations
        .into_iter()
        .map(|one| tokio::task::spawn_blocking(move || one.shutdown(timeout)));
    for end in ends.collect::<Vec<_>>() {
        let _ = end.await;
    }
}
