use std::time::Duration;

/// Limits of the items that wait for the decision about their local root.
///
/// Beyond the limits, the rate alone decides about a trace at once, which is counted:
/// [`Telemetry::traces_decided_early`](crate::Telemetry::traces_decided_early).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use azmon::Telemetry;
/// use azmon::sampling::DecisionLimits;
///
/// let builder = Telemetry::builder()
///     .sampling_ratio(0.01)
///     .keep_failures()
///     .decision_limits(DecisionLimits::new().traces(1_000).max_wait(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "limits hold when a builder has them"]
pub struct DecisionLimits {
    pub(super) traces: usize,
    pub(super) items: usize,
    pub(super) bytes: usize,
    pub(super) max_wait: Duration,
}

impl Default for DecisionLimits {
    fn default() -> Self {
        Self {
            traces: 8_192,
            items: 32_768,
            bytes: 32 << 20,
            max_wait: Duration::from_secs(60),
        }
    }
}

impl DecisionLimits {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of running traces. Defaults to 8,192.
    pub fn traces(mut self, traces: usize) -> Self {
        self.traces = traces;
        self
    }

    /// Sets the maximum number of waiting spans and logs, of all traces together. Defaults to 32,768.
    pub fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Sets the maximum size of the waiting spans and logs, in bytes, as azmon estimates them. Defaults to 32 MiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the maximum time that the spans and logs of a trace wait. Defaults to 60 s.
    ///
    /// The time is checked when requests come and at every flush: in an idle process the wait may be longer.
    pub fn max_wait(mut self, time: Duration) -> Self {
        self.max_wait = time;
        self
    }
}
