use crate::config::OtlpChoice;
use crate::telemetry::TelemetryBuilder;

impl TelemetryBuilder {
    /// Also sends spans, log records and metrics to an OTLP collector, by HTTP and protobuf.
    ///
    /// The collector's URL is `OTEL_EXPORTER_OTLP_ENDPOINT`, or the variable of a signal, or else
    /// `http://localhost:4318`. Either variable enables OTLP even without this call. The OTLP exporter reads headers
    /// and compression from the process's environment, by the names of the
    /// [specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/). `OTEL_EXPORTER_OTLP_TIMEOUT` is
    /// the timeout of an export, in milliseconds; the default is 10 s.
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

    /// Also sends spans, log records and metrics to the OTLP collector at `endpoint`, such as `http://localhost:4318`.
    /// The paths `/v1/traces`, `/v1/logs` and `/v1/metrics` are appended.
    ///
    /// See [`otlp`](Self::otlp).
    #[must_use]
    pub fn otlp_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.choices.otlp = Some(OtlpChoice::Endpoint(endpoint.into()));
        self
    }
}
