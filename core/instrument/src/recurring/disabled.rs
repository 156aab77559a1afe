use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;

/// Binds nothing.
pub struct Recurring<I>(PhantomData<fn(&I)>);

impl<I> Default for Recurring<I> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<I> Recurring<I> {
    /// Records a value.
    pub fn record(
        &self,
        instruments: &Arc<I>,
        histogram: impl FnOnce(&I) -> &Histogram<f64>,
        attributes: &[KeyValue],
        value: f64,
    ) {
        histogram(instruments).record(value, attributes);
    }
}

impl<I> fmt::Debug for Recurring<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recurring")
    }
}
