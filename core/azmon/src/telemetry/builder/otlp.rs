use crate::config::OtlpChoice;
use crate::telemetry::TelemetryBuilder;

impl TelemetryBuilder {
    /// Sends spans, log records and metrics to an OTLP collector, too, by HTTP and protobuf.
    ///
    /// Where to is up to `OTEL_EXPORTER_OTLP_ENDPOINT`, which does the same without this call, or to the
    /// variables of a signal; else it is `http://localhost:4318`. Headers and compression are read by
    /// the exporter itself, from the process's environment, as the
    /// [specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/) names them.
    /// `OTEL_EXPORTER_OTLP_TIMEOUT` is how long a collector may take to answer, in milliseconds; the default is 10 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let telemetry = azmon::Telemetry::builder().service_name("shop").otlp().build()?;
    /// # Ok::<(), azmon::BuildError>(())
    /// ```
    #[must_use]
    pub fn otlp(mut self) -> Self {
        self.choices.otlp = Some(OtlpChoice::Default);
        self
    }

    /// Sends spans, log records and metrics to the OTLP collector at `endpoint`, too, such as
    /// `http://localhost:4318`; the paths `/v1/traces`, `/v1/logs` and `/v1/metrics` are added.
    ///
    /// See [`otlp`](Self::otlp).
    #[must_use]
    pub fn otlp_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.choices.otlp = Some(OtlpChoice::Endpoint(endpoint.into()));
        self
    }
}
