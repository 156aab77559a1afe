use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::otel_error;

use crate::envelope::Envelope;
use crate::item::DropReason;

/// The decision of a telemetry processor about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ItemDecision {
    /// The item is counted as dropped, and later processors do not receive it.
    Drop,
    /// The next processor receives the item; after the last one it is sent.
    Keep,
}

type Process = Box<dyn FnMut(&mut Envelope<'_>) -> ItemDecision + Send>;

/// The user's closures, in the order in which they were added.
#[derive(Default)]
pub(crate) struct TelemetryProcessors(Vec<Process>);

impl TelemetryProcessors {
    pub(crate) fn add(
        &mut self,
        processor: impl FnMut(&mut Envelope<'_>) -> ItemDecision + Send + 'static,
    ) {
        self.0.push(Box::new(processor));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets every processor see the item, until one drops it; then the reason is answered.
    ///
    /// If a processor panics, the item is dropped, because it may not have been redacted.
    pub(crate) fn process(&mut self, envelope: &mut Envelope<'_>) -> Result<(), DropReason> {
        self.0.iter_mut().try_for_each(|processor| {
            match catch_unwind(AssertUnwindSafe(|| processor(envelope))) {
                Ok(ItemDecision::Keep) => Ok(()),
                Ok(ItemDecision::Drop) => Err(DropReason::Processor),
                Err(_) => {
                    otel_error!(name: "TelemetryProcessor.Panicked", item = envelope.name.as_ref());
                    Err(DropReason::ProcessorPanicked)
                }
            }
        })
    }
}

impl fmt::Debug for TelemetryProcessors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TelemetryProcessors")
            .field(&self.0.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::envelope::{Data, EventData, Measurements, Properties};

    fn event(name: &'static str) -> Envelope<'static> {
        let data = EventData {
            ver: 2,
            name: name.into(),
            properties: Properties::new(),
            measurements: Measurements::new(),
        };
        Envelope::new(SystemTime::UNIX_EPOCH, Data::Event(data))
    }

    fn rename(envelope: &mut Envelope<'_>, suffix: &str) -> ItemDecision {
        if let Data::Event(data) = &mut envelope.data {
            data.name.to_mut().push_str(suffix);
        }
        ItemDecision::Keep
    }

    #[test]
    fn processors_see_an_item_in_their_order_until_one_drops_it() {
        let mut processors = TelemetryProcessors::default();
        let mut seen = 0;
        processors.add(|envelope| rename(envelope, " a"));
        processors.add(move |envelope| {
            seen += 1;
            match seen {
                2 => ItemDecision::Drop,
                _ => rename(envelope, " b"),
            }
        });
        processors.add(|envelope| rename(envelope, " c"));
        let mut first = event("x");
        assert_eq!(processors.process(&mut first), Ok(()));
        assert_eq!(first, event("x a b c"));
        let mut second = event("x");
        let dropped = processors.process(&mut second);
        assert_eq!(dropped, Err(DropReason::Processor));
        assert_eq!(second, event("x a"));
    }

    #[test]
    fn a_panic_drops_the_item_and_no_other() {
        let mut processors = TelemetryProcessors::default();
        processors.add(|envelope| match &envelope.data {
            Data::Event(data) if data.name == "bad" => panic!("meant"),
            _ => ItemDecision::Keep,
        });
        let dropped = processors.process(&mut event("bad"));
        assert_eq!(dropped, Err(DropReason::ProcessorPanicked));
        assert_eq!(processors.process(&mut event("good")), Ok(()));
    }
}
