use crate::envelope::Envelope;
use crate::telemetry::TelemetryBuilder;
use crate::telemetry_processor::ItemDecision;

/// Processing of items before they are sent.
impl TelemetryBuilder {
    /// Adds a closure that may change, redact or drop each item before it is sent.
    ///
    /// It runs on azmon's own thread, after sampling and mapping, and before texts are cut to the service's limits. A
    /// slow processor delays sending, not the application. Processors run in the order in which they were added. An
    /// item that a processor drops is counted as [`DropReason::Processor`](crate::DropReason::Processor). If a
    /// processor panics, its item is dropped, because it may not have been redacted, and counted as
    /// [`DropReason::ProcessorPanicked`](crate::DropReason::ProcessorPanicked).
    ///
    /// To send less, use sampling: the counts of other items do not make up for an item that a processor drops.
    ///
    /// # Examples
    ///
    /// ```
    /// use azmon::envelope::Data;
    /// use azmon::{ItemDecision, Telemetry};
    ///
    /// let builder = Telemetry::builder().telemetry_processor(|envelope| {
    ///     let properties = envelope.data.properties_mut();
    ///     properties.retain(|key, _| key != "http.request.header.cookie");
    ///     properties.push("datacenter", "Amsterdam");
    ///     match &envelope.data {
    ///         Data::RemoteDependency(call) if call.name == "PING" => ItemDecision::Drop,
    ///         _ => ItemDecision::Keep,
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn telemetry_processor(
        mut self,
        processor: impl FnMut(&mut Envelope<'_>) -> ItemDecision + Send + 'static,
    ) -> Self {
        self.processors.add(processor);
        self
    }
}
