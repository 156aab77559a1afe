use crate::envelope::Envelope;
use crate::telemetry::TelemetryBuilder;
use crate::telemetry_processor::ItemDecision;

/// What happens to items before they are sent.
impl TelemetryBuilder {
    /// Adds a closure that sees each item before it is sent, to change, redact or drop it.
    ///
    /// It runs on azmon's own thread, after sampling and mapping and before texts are cut to the service's
    /// lengths; what it takes long for delays sending, not the application. Processors run in the order in
    /// which they were added. An item that one drops is counted as
    /// [`DropReason::Processor`](crate::DropReason::Processor). An item over which one panics is dropped
    /// too, since it may not have been redacted, and counted as
    /// [`DropReason::ProcessorPanicked`](crate::DropReason::ProcessorPanicked).
    ///
    /// To send less, sample: an item that is dropped here is not made up for by the counts of others.
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
