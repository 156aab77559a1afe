use opentelemetry::Context;

/// The sampling rate of the current operation, in percent: 10 if one of ten operations is kept.
///
/// A sampler may put it into the operation's [`Context`]. Log records that follow the sampling decision of their span
/// then count as much as the span does. A context does not expose the attributes of its span, so the span's own
/// `microsoft.sample_rate` applies to its log records only if the request has been exported before them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRate(f64);

impl SampleRate {
    /// The attribute that carries the rate on a span.
    pub const ATTRIBUTE: &'static str = "microsoft.sample_rate";

    /// Makes a rate from a percentage; `None` unless it is above 0 and at most 100.
    #[must_use]
    pub fn new(percent: f64) -> Option<Self> {
        (percent > 0.0 && percent <= 100.0).then_some(Self(percent))
    }

    /// The rate that `context` carries.
    #[must_use]
    pub fn of(context: &Context) -> Option<Self> {
        context.get::<Self>().copied()
    }

    /// The rate in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0
    }
}
