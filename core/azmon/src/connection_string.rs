use std::fmt;
use std::str::FromStr;

use http::Uri;

use crate::envelope::limits;

/// The connection string of an Application Insights resource: its instrumentation key and the endpoints of the service.
///
/// The form is `Key=Value;Key=Value`, as the Azure portal shows it. Keys are case-insensitive. The known keys are
/// `InstrumentationKey` (required), `IngestionEndpoint`, `LiveEndpoint`, `EndpointSuffix`, `Location`, `AADAudience`,
/// `ApplicationId` and `Authorization`. Unknown keys are ignored, because Azure adds new ones. The parser accepts:
///
/// - spaces around pairs, a final `;`, and `=` inside a value
/// - a final `/` or the service's path, such as `/v2/track`, at the end of an endpoint
/// - quotation marks around the whole string or around a value, as shells, YAML and Docker leave them
/// - `http://` endpoints, for a local receiver
///
/// Any other path, and a user or a password in an endpoint, are errors.
///
/// A missing endpoint is derived from `EndpointSuffix` and `Location`, or else defaults to the endpoint of the public
/// cloud.
///
/// [`Display`](fmt::Display) writes a connection string that parses to the same value, key included;
/// [`Debug`](fmt::Debug) hides the key.
///
/// # Examples
///
/// ```
/// let connection: azmon::ConnectionString =
///     "InstrumentationKey=8f2e0d9c-0000-4000-8000-000000000001;IngestionEndpoint=http://127.0.0.1:4320/;".parse()?;
/// assert_eq!(connection.ingestion_endpoint(), "http://127.0.0.1:4320");
/// # Ok::<(), azmon::ParseConnectionStringError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConnectionString {
    instrumentation_key: String,
    ingestion_endpoint: String,
    live_endpoint: String,
    aad_audience: Option<String>,
    application_id: Option<String>,
}

/// Maximum length of a connection string, in bytes; the limit of the .NET and Java distributions.
pub const MAX_CONNECTION_STRING: usize = 4_096;

const DEFAULT_INGESTION_ENDPOINT: &str = "https://dc.services.visualstudio.com";
const DEFAULT_LIVE_ENDPOINT: &str = "https://rt.services.visualstudio.com";

impl ConnectionString {
    /// Makes the connection string of a bare instrumentation key, with the endpoints of the public cloud.
    ///
    /// # Errors
    ///
    /// Fails if the key is empty, is longer than 40 characters, or contains a space or a control character.
    pub fn from_instrumentation_key(key: &str) -> Result<Self, ParseConnectionStringError> {
        Parts {
            instrumentation_key: Some(unquoted(key.trim())),
            ..Parts::default()
        }
        .resolve()
    }

    /// Key of the Application Insights resource.
    #[must_use]
    pub fn instrumentation_key(&self) -> &str {
        &self.instrumentation_key
    }

    /// Endpoint of telemetry, without a final slash.
    #[must_use]
    pub fn ingestion_endpoint(&self) -> &str {
        &self.ingestion_endpoint
    }

    /// Endpoint of Live Metrics, without a final slash.
    #[must_use]
    pub fn live_endpoint(&self) -> &str {
        &self.live_endpoint
    }

    /// The endpoint of Live Metrics. `None` if only the ingestion endpoint is custom, such as a local receiver: then
    /// nothing may go to the public cloud.
    pub(crate) fn own_live_endpoint(&self) -> Option<&str> {
        let is_own = self.ingestion_endpoint == DEFAULT_INGESTION_ENDPOINT
            || self.live_endpoint != DEFAULT_LIVE_ENDPOINT;
        is_own.then_some(&self.live_endpoint)
    }

    /// Audience of Entra ID tokens, in clouds that have their own.
    #[must_use]
    pub fn aad_audience(&self) -> Option<&str> {
        self.aad_audience.as_deref()
    }

    /// Id of the Application Insights resource in its REST API.
    #[must_use]
    pub fn application_id(&self) -> Option<&str> {
        self.application_id.as_deref()
    }
}

impl FromStr for ConnectionString {
    type Err = ParseConnectionStringError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_CONNECTION_STRING {
            return Err(Kind::TooLong(text.len()).into());
        }
        if text.trim().is_empty() {
            return Err(Kind::Empty.into());
        }
        Parts::split(unquoted(text.trim()))?.resolve()
    }
}

/// Removes the quotation marks that enclose the whole text.
fn unquoted(text: &str) -> &str {
    let inside = |mark| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('"').or_else(|| inside('\'')).map_or(text, str::trim)
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "InstrumentationKey={};IngestionEndpoint={};LiveEndpoint={}",
            self.instrumentation_key, self.ingestion_endpoint, self.live_endpoint
        )?;
        if let Some(audience) = &self.aad_audience {
            write!(f, ";AADAudience={audience}")?;
        }
        if let Some(id) = &self.application_id {
            write!(f, ";ApplicationId={id}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("instrumentation_key", &"[redacted]")
            .field("ingestion_endpoint", &self.ingestion_endpoint)
            .field("live_endpoint", &self.live_endpoint)
            .field("aad_audience", &self.aad_audience)
            .field("application_id", &self.application_id)
            .finish()
    }
}

/// The values of the known keys, unchanged.
#[derive(Default)]
struct Parts<'a> {
    instrumentation_key: Option<&'a str>,
    ingestion_endpoint: Option<&'a str>,
    live_endpoint: Option<&'a str>,
    endpoint_suffix: Option<&'a str>,
    location: Option<&'a str>,
    aad_audience: Option<&'a str>,
    application_id: Option<&'a str>,
    authorization: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, Kind> {
        let mut parts = Self::default();
        let pairs = text.split(';').map(str::trim).enumerate();
        for (index, pair) in pairs.filter(|(_, pair)| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(Kind::NotAPair(index + 1))?;
            if let Some(slot) = parts.slot(key.trim()) {
                *slot = Some(unquoted(value.trim())).filter(|value| !value.is_empty());
            }
        }
        Ok(parts)
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        let slots = [
            ("InstrumentationKey", &mut self.instrumentation_key),
            ("IngestionEndpoint", &mut self.ingestion_endpoint),
            ("LiveEndpoint", &mut self.live_endpoint),
            ("EndpointSuffix", &mut self.endpoint_suffix),
            ("Location", &mut self.location),
            ("AADAudience", &mut self.aad_audience),
            ("ApplicationId", &mut self.application_id),
            ("Authorization", &mut self.authorization),
        ];
        slots
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, slot)| slot)
    }

    fn resolve(self) -> Result<ConnectionString, ParseConnectionStringError> {
        if self
            .authorization
            .is_some_and(|scheme| !scheme.eq_ignore_ascii_case("ikey"))
        {
            return Err(Kind::UnknownAuthorization.into());
        }
        Ok(ConnectionString {
            instrumentation_key: instrumentation_key(self.instrumentation_key)?,
            ingestion_endpoint: self.endpoint(
                "IngestionEndpoint",
                self.ingestion_endpoint,
                "dc",
                DEFAULT_INGESTION_ENDPOINT,
            )?,
            live_endpoint: self.endpoint(
                "LiveEndpoint",
                self.live_endpoint,
                "live",
                DEFAULT_LIVE_ENDPOINT,
            )?,
            aad_audience: self.aad_audience.map(str::to_owned),
            application_id: self.application_id.map(str::to_owned),
        })
    }

    fn endpoint(
        &self,
        key: &'static str,
        explicit: Option<&str>,
        service: &str,
        default: &str,
    ) -> Result<String, Kind> {
        if let Some(explicit) = explicit {
            return endpoint(key, explicit);
        }
        let Some(suffix) = self.endpoint_suffix.map(|suffix| suffix.trim_matches('.')) else {
            return Ok(default.to_owned());
        };
        let location = self
            .location
            .map(|location| location.trim_matches('.'))
            .unwrap_or_default();
        if !location.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Kind::Location);
        }
        let dot = if location.is_empty() { "" } else { "." };
        endpoint(
            "EndpointSuffix",
            &format!("https://{location}{dot}{service}.{suffix}"),
        )
    }
}

fn instrumentation_key(key: Option<&str>) -> Result<String, Kind> {
    let key = key
        .filter(|key| !key.is_empty())
        .ok_or(Kind::NoInstrumentationKey)?;
    if key.chars().count() > limits::INSTRUMENTATION_KEY {
        return Err(Kind::InstrumentationKeyTooLong);
    }
    if key
        .chars()
        .any(|character| character.is_whitespace() || character.is_control())
    {
        return Err(Kind::InstrumentationKeyWithSpace);
    }
    if key.contains(QUOTATION_MARKS) {
        return Err(Kind::InstrumentationKeyWithQuote);
    }
    Ok(key.to_owned())
}

/// Quotation marks of keyboards and of word processors.
const QUOTATION_MARKS: [char; 6] = ['"', '\'', '“', '”', '‘', '’'];
/// Paths of the service that some tools print as part of the endpoint.
const KNOWN_PATHS: [&str; 3] = ["/v2/track", "/v2.1/track", "/QuickPulseService.svc"];

fn endpoint(key: &'static str, value: &str) -> Result<String, Kind> {
    let scheme = value
        .split_once("://")
        .map(|(scheme, _)| scheme)
        .ok_or(Kind::NoScheme(key))?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(Kind::UnknownScheme(key));
    }
    let value = value.trim_end_matches('/');
    let value = KNOWN_PATHS
        .iter()
        .find_map(|path| value.strip_suffix(path))
        .unwrap_or(value)
        .trim_end_matches('/');
    // An address without a host consists of the scheme only.
    let uri: Uri = if value.contains("://") {
        value.parse().map_err(|_| Kind::NotAnAddress(key))?
    } else {
        return Err(Kind::NotAnAddress(key));
    };
    let host = uri.host().unwrap_or_default();
    if host.is_empty() || uri.query().is_some() {
        return Err(Kind::NotAnAddress(key));
    }
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(Kind::WithCredentials(key));
    }
    if !matches!(uri.path(), "" | "/") {
        return Err(Kind::WithPath(key));
    }
    Ok(value.to_owned())
}

/// The text is not a connection string.
///
/// The message names the invalid part, and never contains the instrumentation key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct ParseConnectionStringError(#[from] Kind);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Kind {
    #[error("the connection string is empty")]
    Empty,
    #[error("the connection string has {0} bytes, more than {MAX_CONNECTION_STRING}")]
    TooLong(usize),
    #[error(
        "part {0} of the connection string has no `=`; the form is InstrumentationKey=…;IngestionEndpoint=…"
    )]
    NotAPair(usize),
    #[error("the connection string has no InstrumentationKey")]
    NoInstrumentationKey,
    #[error(
        "InstrumentationKey is longer than {} characters",
        limits::INSTRUMENTATION_KEY
    )]
    InstrumentationKeyTooLong,
    #[error("InstrumentationKey holds a space or a control character")]
    InstrumentationKeyWithSpace,
    #[error("InstrumentationKey holds a quotation mark")]
    InstrumentationKeyWithQuote,
    #[error("{0} holds a user or a password")]
    WithCredentials(&'static str),
    #[error("{0} has a path of its own: write the scheme and the host alone")]
    WithPath(&'static str),
    #[error("{0} has no scheme: write https://… or, for a local receiver, http://…")]
    NoScheme(&'static str),
    #[error("{0} has a scheme other than https and http")]
    UnknownScheme(&'static str),
    #[error("{0} is not the address of a host")]
    NotAnAddress(&'static str),
    #[error("Location holds something other than letters and digits")]
    Location,
    #[error(
        "Authorization is something other than ikey; for Entra ID, set APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
    )]
    UnknownAuthorization,
}

#[cfg(test)]
mod tests;
