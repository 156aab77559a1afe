use opentelemetry::trace::TracerProvider;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, FilterFn, LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::Telemetry;
use crate::tracing_layer::{Events, is_own, tracing_targets};

impl Telemetry {
    /// Makes a layer that turns the data of `tracing` into telemetry: spans become child spans of the request, and
    /// events become log records.
    ///
    /// It accepts the level `INFO` and worse, except from the internals of hyper, h2, reqwest, rustls, tonic and tower.
    /// [`tracing_layer_with`](Self::tracing_layer_with) accepts other targets.
    ///
    /// # Errors in events
    ///
    /// An event with an error becomes an exception with the error's type and message, and with its
    /// [sources](std::error::Error::source) as inner exceptions:
    ///
    /// ```
    /// # fn read() -> Result<(), std::io::Error> { Ok(()) }
    /// # fn order() -> Result<(), Box<dyn std::error::Error + Send + Sync>> { Ok(()) }
    /// use std::error::Error;
    ///
    /// if let Err(error) = read() {
    ///     tracing::error!(error = &error as &dyn Error, "the stock cannot be read");
    /// }
    /// if let Err(error) = order() { // also an `anyhow::Error` or an `eyre::Report`
    ///     tracing::error!(error = error.as_ref() as &dyn Error, order = 7, "the order is lost");
    /// }
    /// ```
    ///
    /// | Field | The exception has |
    /// |---|---|
    /// | any, `= &error as &dyn Error`, `= error.as_ref()` | type, message, sources |
    /// | `error` or `err`, `= ?error` | for `anyhow` and `eyre` the message, the causes and the captured backtrace; for others the text |
    /// | `error` or `err`, `= %error` | the message |
    /// | `exception.type`, `exception.message`, `exception.stacktrace` | their values |
    ///
    /// Texts make an exception only in events that are `WARN` or worse.
    ///
    /// # Custom events
    ///
    /// The field `microsoft.custom_event.name` makes a custom event, without a dependency on azmon:
    ///
    /// ```
    /// tracing::info!(microsoft.custom_event.name = "checkout", basket = 3);
    /// ```
    ///
    /// # Records of the `log` crate
    ///
    /// Records of `log` arrive in the same way once its bridge is installed: by `tracing_log::LogTracer::init()`, or by
    /// `init()` of `tracing_subscriber`'s `SubscriberInitExt`, which installs it with that crate's feature
    /// `tracing-log`.
    ///
    /// # No feedback
    ///
    /// Events of azmon and OpenTelemetry themselves never pass, whatever the filter is. Nothing on azmon's own thread
    /// is recorded.
    ///
    /// # Examples
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt;
    /// # use azmon::testing::InMemoryDestination;
    ///
    /// # let destination = InMemoryDestination::new();
    /// # let builder = azmon::Telemetry::builder().destination(&destination).install_globally(false);
    /// # let _ = stringify! {
    /// let builder = azmon::Telemetry::builder().service_name("shop");
    /// # };
    /// let telemetry = builder.build()?;
    /// let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    /// # let _ = stringify! {
    /// tracing::subscriber::set_global_default(subscriber)?;
    /// # };
    /// # tracing::subscriber::with_default(subscriber, || {
    /// tracing::info_span!("stocktaking").in_scope(|| tracing::warn!(article = 7, "out of stock"));
    /// # });
    /// # telemetry.force_flush()?;
    /// # assert_eq!(destination.envelopes().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        self.tracing_layer_with(tracing_targets(LevelFilter::INFO))
    }

    /// Makes a [`tracing_layer`](Self::tracing_layer) that accepts the spans and events of these targets.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use azmon::tracing_targets;
    /// use tracing_subscriber::filter::LevelFilter;
    /// # let telemetry = azmon::Telemetry::builder().build()?;
    /// # type Registry = tracing_subscriber::Registry;
    ///
    /// let targets = tracing_targets(LevelFilter::INFO).with_target("shop", LevelFilter::DEBUG);
    /// let layer = telemetry.tracing_layer_with::<Registry>(targets);
    /// # Ok::<(), azmon::BuildError>(())
    /// ```
    #[must_use]
    pub fn tracing_layer_with<S>(
        &self,
        targets: Targets,
    ) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.tracer_provider().tracer("tracing"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(targets.clone().and(foreign(is_foreign_span)));
        let span_fields = self.span_fields().clone();
        // A filter that rejects spans hides them from its layer.
        let is_wanted: fn(&Metadata<'_>) -> bool = if span_fields.is_none() {
            is_foreign_event
        } else {
            is_foreign
        };
        let events = Events::new(self.logger_provider(), span_fields);
        let events = events.with_filter(targets.and(foreign(is_wanted)));
        spans.and_then(events)
    }
}

/// A filter that leaves the maximum level to the targets.
fn foreign(is_foreign: fn(&Metadata<'_>) -> bool) -> FilterFn<fn(&Metadata<'_>) -> bool> {
    FilterFn::new(is_foreign).with_max_level_hint(LevelFilter::TRACE)
}

/// Keeps events from the layer of spans, which would add them to their span, so that they would be sent twice.
fn is_foreign_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && !is_own(metadata.target())
}

fn is_foreign(metadata: &Metadata<'_>) -> bool {
    !is_own(metadata.target())
}

fn is_foreign_event(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && !is_own(metadata.target())
}
