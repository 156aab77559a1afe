use opentelemetry::Context;

/// The share of its kind that the current operation stands for, in percent: 10 if nine of ten operations
/// are left out.
///
/// Code that decides about an operation may put it into the operation's [`Context`]; log records that are
/// left out with their span then count as much as the span does. A context cannot be asked for the
/// attributes of its span, so the span's own `microsoft.sample_rate` is known to its log records only if
/// its request has passed by before them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRate(f64);

impl SampleRate {
    /// The attribute that carries the rate on a span.
    pub const ATTRIBUTE: &'static str = "microsoft.sample_rate";

    /// Makes a rate of a percentage; `None` if it is not above 0 and at most 100.
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
