use http::Method;
use opentelemetry::otel_warn;

use super::error::{ExclusionError, Reason};
use super::host::HostPattern;
use super::opencensus::OpenCensusLists;
use super::path::PathPattern;
use super::user_agent::UserAgentPattern;
use crate::semconv::Authority;

/// Exclusion lists. A request that matches any entry is excluded.
///
/// # Examples
///
/// ```
/// use azmon_instrument::exclude::Exclusions;
///
/// let exclusions = Exclusions::new()
///     .with_paths(["/healthz", "glob:/assets/**.css"])?
///     .with_hosts(["*.internal", "localhost:5000"])?;
/// assert!(exclusions.excludes_path("/healthz?verbose"));
/// assert!(exclusions.excludes_host("api.internal:8080", None));
/// assert!(Exclusions::new().with_paths(["regex:("]).is_err());
/// # Ok::<(), azmon_instrument::exclude::ExclusionError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    hosts: Vec<HostPattern>,
    methods: Vec<Method>,
    opencensus: OpenCensusLists,
    paths: Vec<PathPattern>,
    user_agents: Vec<UserAgentPattern>,
}

/// The part of a request that an entry is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The host, and its port.
    Host,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The header `user-agent`.
    UserAgent,
}

impl Exclusions {
    /// Excludes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Excludes the requests that OpenCensus for Python excludes, by exactly its rules.
    ///
    /// `paths` are the entries of `BLACKLIST_PATHS`, later `EXCLUDELIST_PATHS`, for incoming requests. An entry
    /// excludes a request if the path after its first slash, with the query, begins with the entry: `health` excludes
    /// `/healthcare`, and `/health` excludes nothing. `None` stands for OpenCensus's default, `_ah/health`.
    ///
    /// `hostnames` are the entries of `BLACKLIST_HOSTNAMES`, later `EXCLUDELIST_HOSTNAMES`, for outgoing requests only.
    /// An entry excludes a request if it equals the host, with the port if the URL has one.
    #[must_use]
    pub fn opencensus<P, H>(paths: Option<P>, hostnames: H) -> Self
    where
        P: IntoIterator<Item: Into<String>>,
        H: IntoIterator<Item: Into<String>>,
    {
        let strings = |entries: P| entries.into_iter().map(Into::into).collect();
        let opencensus = OpenCensusLists {
            paths: paths.map_or_else(OpenCensusLists::default_paths, strings),
            hostnames: hostnames.into_iter().map(Into::into).collect(),
        };
        Self {
            opencensus,
            ..Self::default()
        }
    }

    /// Adds paths.
    ///
    /// # Errors
    /// Names the first invalid entry.
    pub fn with_paths<I>(self, entries: I) -> Result<Self, ExclusionError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(Subject::Path, entries)
    }

    /// Adds hosts.
    ///
    /// # Errors
    /// Names the first invalid entry.
    pub fn with_hosts<I>(self, entries: I) -> Result<Self, ExclusionError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(Subject::Host, entries)
    }

    /// Adds methods. Lower-case letters are converted to upper case.
    ///
    /// # Errors
    /// Names the first entry that is not a method.
    pub fn with_methods<I>(self, entries: I) -> Result<Self, ExclusionError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(Subject::Method, entries)
    }

    /// Adds user agents.
    ///
    /// # Errors
    /// Names the first invalid entry.
    pub fn with_user_agents<I>(self, entries: I) -> Result<Self, ExclusionError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(Subject::UserAgent, entries)
    }

    fn with<I>(mut self, subject: Subject, entries: I) -> Result<Self, ExclusionError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        for entry in entries {
            self.add(subject, entry.as_ref())?;
        }
        Ok(self)
    }

    /// Adds the valid entries and warns of each invalid one by name.
    ///
    /// Builders that return no error use this, and so do lists from the environment.
    pub fn add_valid<I>(&mut self, subject: Subject, entries: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        for entry in entries {
            if let Err(error) = self.add(subject, entry.as_ref()) {
                otel_warn!(name: "Exclusions.EntryIgnored", error = format!("{error}"));
            }
        }
    }

    /// Adds one entry.
    ///
    /// # Errors
    /// The entry is invalid.
    pub fn add(&mut self, subject: Subject, entry: &str) -> Result<(), ExclusionError> {
        let added = match subject {
            Subject::Host => HostPattern::parse(entry).map(|host| self.hosts.push(host)),
            Subject::Method => parse_method(entry).map(|method| self.methods.push(method)),
            Subject::Path => PathPattern::parse(entry).map(|path| self.paths.push(path)),
            Subject::UserAgent => {
                UserAgentPattern::parse(entry).map(|agent| self.user_agents.push(agent))
            }
        };
        added.map_err(|reason| ExclusionError::new(entry, reason))
    }

    /// Adds all exclusions of `other`.
    pub fn merge(&mut self, other: Self) {
        self.hosts.extend(other.hosts);
        self.methods.extend(other.methods);
        self.opencensus.paths.extend(other.opencensus.paths);
        self.opencensus.hostnames.extend(other.opencensus.hostnames);
        self.paths.extend(other.paths);
        self.user_agents.extend(other.user_agents);
    }

    /// Whether an incoming request is excluded by its request line: its method, or its path with the query.
    #[must_use]
    pub fn excludes_target(&self, method: &Method, path_and_query: &str) -> bool {
        self.methods.contains(method) || self.excludes_path(path_and_query)
    }

    /// Whether hosts or user agents are listed, so that the headers of an incoming request can exclude it.
    #[doc(hidden)]
    #[must_use]
    pub fn concern_headers(&self) -> bool {
        !self.hosts.is_empty() || !self.user_agents.is_empty()
    }

    /// Whether an incoming request is excluded by its headers.
    ///
    /// `authority` is the host of the request, with its port if one is given; it is empty if the request names no host.
    /// `default_port` is the port of a host without one.
    #[must_use]
    pub fn excludes_caller(
        &self,
        authority: &str,
        default_port: u16,
        user_agent: Option<&str>,
    ) -> bool {
        self.excludes_name(authority, Some(default_port))
            || user_agent.is_some_and(|user_agent| {
                self.user_agents
                    .iter()
                    .any(|pattern| pattern.matches(user_agent))
            })
    }

    /// Whether a path, with or without a query, is excluded.
    #[must_use]
    pub fn excludes_path(&self, path_and_query: &str) -> bool {
        if self.paths.is_empty() && self.opencensus.paths.is_empty() {
            return false;
        }
        let path = path_and_query
            .split_once('?')
            .map_or(path_and_query, |(path, _)| path);
        self.paths.iter().any(|pattern| pattern.matches(path))
            || self.opencensus.excludes_url(path_and_query)
    }

    /// Whether outgoing requests to a host are excluded.
    ///
    /// `authority` is the host as in the URL, with its port if the URL has one. `default_port` is the port of the
    /// scheme.
    #[must_use]
    #[inline]
    pub fn excludes_host(&self, authority: &str, default_port: Option<u16>) -> bool {
        self.excludes_name(authority, default_port) || self.opencensus.excludes_hostname(authority)
    }

    #[inline]
    fn excludes_name(&self, authority: &str, default_port: Option<u16>) -> bool {
        !self.hosts.is_empty() && self.lists_host(authority, default_port)
    }

    fn lists_host(&self, authority: &str, default_port: Option<u16>) -> bool {
        let Authority { host, port } = Authority::parse(authority);
        let port = port.or(default_port);
        self.hosts.iter().any(|pattern| pattern.matches(host, port))
    }
}

fn parse_method(entry: &str) -> Result<Method, Reason> {
    let name = entry.trim().to_ascii_uppercase();
    Method::from_bytes(name.as_bytes()).map_err(|_| Reason::Method)
}
