/// Leaves one request without span and metrics, as if its host was
/// [excluded](crate::TraceMiddleware::exclude_hosts).
///
/// # Examples
///
/// ```
/// use azmon_reqwest::{Excluded, TraceMiddleware};
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(TraceMiddleware::new())
///     .build();
/// let request = client.get("http://localhost/ping").with_extension(Excluded);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Excluded;

/// Sends one request without the ids of its trace and without baggage, as if its host was among those
/// [without propagation](crate::TraceMiddleware::no_propagation_hosts).
///
/// # Examples
///
/// ```
/// use azmon_reqwest::{NoPropagation, TraceMiddleware};
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(TraceMiddleware::new())
///     .build();
/// let request = client.get("https://example.com").with_extension(NoPropagation);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPropagation;
