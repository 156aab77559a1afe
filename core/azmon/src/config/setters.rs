//! Setters that several builders share: their code and documentation exist once.

/// Expands to the setters of every builder, for an `impl` block. The type has the fields `choices` and `environment`.
macro_rules! builder_setters {
    () => {
        /// Sets the connection string of the Application Insights resource, or of a local portal.
        ///
        /// Defaults to the variable `APPLICATIONINSIGHTS_CONNECTION_STRING`. `build` parses it.
        #[must_use]
        pub fn connection_string(mut self, connection_string: impl Into<String>) -> Self {
            self.choices.connection_string = Some(connection_string.into());
            self
        }

        /// Sets the storage of telemetry that cannot be sent: see [`Storage`].
        ///
        /// Defaults to `AZMON_STORAGE_DIRECTORY`, then to the user's cache directory. `AZMON_STORAGE_DISABLED` disables
        /// it.
        #[must_use]
        pub fn storage(mut self, storage: Storage) -> Self {
            self.choices.storage = Some(storage);
            self
        }

        /// Sets the lookup of environment variables. Defaults to the process's environment.
        #[must_use]
        pub fn environment(
            mut self,
            lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        ) -> Self {
            self.environment = Box::new(lookup);
            self
        }
    };
}

/// Expands to the setters of the builders that map OpenTelemetry's data, for an `impl` block. The type has the fields
/// `choices`, `mapping`, `processors` and `transport`.
macro_rules! mapping_setters {
    () => {
        /// Sets the options of the mapping from OpenTelemetry to Application Insights.
        #[must_use]
        pub fn mapping(mut self, options: MappingOptions) -> Self {
            self.mapping = options;
            self
        }

        /// Adds a closure that may change, redact or drop each item before it is sent.
        ///
        /// It runs on azmon's own thread, after sampling and mapping, and before texts are cut to the service's limits.
        /// A slow processor delays sending, not the application. Processors run in the order in which they were added.
        /// An item that a processor drops is counted as [`DropReason::Processor`](crate::DropReason::Processor). If a
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

        /// Sets the source of Entra ID tokens, for resources that require authentication.
        ///
        /// Defaults to the managed identity of `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`, then to none.
        #[must_use]
        pub fn token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
            self.choices.token_provider = Some(Arc::new(provider));
            self
        }

        #[cfg(feature = "testing")]
        pub(crate) fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
            self.transport = Some(transport);
            self
        }
    };
}

pub(crate) use {builder_setters, mapping_setters};
