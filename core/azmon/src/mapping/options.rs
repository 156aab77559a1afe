/// Options of the mapping: optional rules for requests, dependencies, custom events and metrics, and values that
/// override the resource.
#[derive(Debug, Clone)]
pub struct MappingOptions {
    pub(super) client_errors_are_failures: bool,
    pub(super) event_names_are_custom_events: bool,
    pub(super) role_name: Option<String>,
    pub(super) role_instance: Option<String>,
    pub(super) application_version: Option<String>,
    pub(super) host_name: Option<String>,
    pub(super) metric_namespaces: Option<bool>,
}

impl Default for MappingOptions {
    fn default() -> Self {
        Self {
            client_errors_are_failures: true,
            event_names_are_custom_events: false,
            role_name: None,
            role_instance: None,
            application_version: None,
            host_name: None,
            metric_namespaces: None,
        }
    }
}

impl MappingOptions {
    /// Sets whether an HTTP status 4xx is a failure of a request or a dependency. Defaults to `true`, as in the
    /// official distributions.
    ///
    /// A span status that is set takes precedence.
    #[must_use]
    pub fn client_errors_are_failures(mut self, failures: bool) -> Self {
        self.client_errors_are_failures = failures;
        self
    }

    /// Sets whether a log record with an event name becomes a custom event of that name. Defaults to `false`, as in the
    /// official distributions: only `microsoft.custom_event.name` makes a custom event.
    ///
    /// Names that the macros of `tracing` generate, such as `event src/main.rs:12`, never count.
    #[must_use]
    pub fn event_names_are_custom_events(mut self, custom_events: bool) -> Self {
        self.event_names_are_custom_events = custom_events;
        self
    }

    /// Sets the role's name, `ai.cloud.role`. Defaults to the name in the resource.
    #[must_use]
    pub fn role_name(mut self, name: impl Into<String>) -> Self {
        self.role_name = Some(name.into());
        self
    }

    /// Sets the name of the role's instance, `ai.cloud.roleInstance`. Defaults to the instance in the resource.
    #[must_use]
    pub fn role_instance(mut self, instance: impl Into<String>) -> Self {
        self.role_instance = Some(instance.into());
        self
    }

    /// Sets the version of the application, `ai.application.ver`. Defaults to the version in the resource.
    #[must_use]
    pub fn application_version(mut self, version: impl Into<String>) -> Self {
        self.application_version = Some(version.into());
        self
    }

    /// Sets the name of this host, which is the role's instance if neither an option nor the resource names one.
    /// Defaults to the system's host name.
    #[must_use]
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.host_name = Some(name.into());
        self
    }

    /// Sets whether the namespace of a metric is the name of its meter. Defaults to the variable
    /// `APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN`, then to `false`: Azure Monitor then keeps all metrics in one
    /// namespace.
    #[must_use]
    pub fn metric_namespaces(mut self, namespaces: bool) -> Self {
        self.metric_namespaces = Some(namespaces);
        self
    }

    /// Applies the setting of the environment unless the code has set one.
    #[must_use]
    pub(crate) fn or_metric_namespaces(mut self, namespaces: Option<bool>) -> Self {
        self.metric_namespaces = self.metric_namespaces.or(namespaces);
        self
    }
}
