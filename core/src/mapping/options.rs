/// How spans become requests and dependencies, where people differ.
#[derive(Debug, Clone)]
pub struct MappingOptions {
    pub(super) client_errors_are_failures: bool,
}

impl Default for MappingOptions {
    fn default() -> Self {
        Self {
            client_errors_are_failures: true,
        }
    }
}

impl MappingOptions {
    /// Sets whether a request that was answered with 4xx counts as failed. Defaults to `true`, as in
    /// the official distributions.
    ///
    /// A span whose status is set decides for itself, whatever this says.
    #[must_use]
    pub fn client_errors_are_failures(mut self, failures: bool) -> Self {
        self.client_errors_are_failures = failures;
        self
    }
}
