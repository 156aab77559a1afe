//! The attributes of an HTTP call or request, which OpenCensus has apart.

use opentelemetry::trace::SpanKind;

/// The hosts of Application Insights. Calls to them carry telemetry, and are excluded.
const OWN_HOSTS: [&str; 4] = [
    "dc.services.visualstudio.com",
    "rt.services.visualstudio.com",
    ".applicationinsights.azure.com",
    ".livediagnostics.monitor.azure.com",
];

/// The attributes of an HTTP call.
#[derive(Debug, Default)]
pub(super) struct Http {
    url: Option<String>,
    method: Option<String>,
    route: Option<String>,
    path: Option<String>,
    host: Option<String>,
    port: Option<String>,
    user_agent: Option<String>,
    pub(super) status_code: Option<String>,
}

impl Http {
    /// Takes the attributes, each by its name with `take`.
    pub(super) fn take(mut take: impl FnMut(&str) -> Option<String>) -> Self {
        let mut text = |key| take(key).filter(|text| !text.is_empty());
        Self {
            url: text("http.url"),
            method: text("http.method"),
            route: text("http.route"),
            path: text("http.path"),
            host: text("http.host"),
            port: text("http.port"),
            user_agent: text("http.user_agent"),
            status_code: text("http.status_code"),
        }
    }

    /// Host and port of the URL if it is absolute, else of the separate attributes.
    fn authority(&self) -> Option<String> {
        let of_url = self.url.as_deref().and_then(split_url);
        if let Some((_, authority, _)) = of_url {
            return Some(authority.to_owned());
        }
        let host = self.host.as_deref()?;
        Some(match &self.port {
            Some(port) if !has_port(host) => format!("{host}:{port}"),
            _ => host.to_owned(),
        })
    }

    /// Whether the call sends telemetry to Application Insights.
    pub(super) fn is_own(&self) -> bool {
        let Some(authority) = self.authority() else {
            return false;
        };
        let host = authority.split(':').next().unwrap_or_default();
        OWN_HOSTS.iter().any(|own| {
            if own.starts_with('.') {
                host.ends_with(own)
            } else {
                host == *own
            }
        })
    }

    /// The path of the URL, else of the separate attribute.
    fn path(&self) -> Option<&str> {
        match self.url.as_deref() {
            Some(url) => Some(match split_url(url) {
                Some((_, _, rest)) => without_query(rest),
                None => without_query(url),
            }),
            None => self.path.as_deref(),
        }
    }

    /// The URL if it is absolute, else composed of the parts: `http` for port 80, else `https`.
    fn url(&self) -> Option<String> {
        if let Some(url) = &self.url
            && split_url(url).is_some()
        {
            return Some(url.clone());
        }
        let authority = self.authority()?;
        let scheme = if authority.ends_with(":80") {
            "http"
        } else {
            "https"
        };
        let authority = authority.trim_end_matches(match scheme {
            "http" => ":80",
            _ => ":443",
        });
        let path = self.url.as_deref().or(self.path.as_deref()).unwrap_or("/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(format!("{scheme}://{authority}{slash}{path}"))
    }

    /// Whether the span is an HTTP call: a host alone does not suffice.
    fn is_call(&self) -> bool {
        self.method.is_some() || self.path.is_some() || self.status_code.is_some()
    }

    fn is_request(&self) -> bool {
        let others = [
            &self.url,
            &self.route,
            &self.host,
            &self.port,
            &self.user_agent,
        ];
        self.is_call() || others.iter().any(|part| part.is_some())
    }

    /// Writes OpenTelemetry's attributes, and overrides where LocalForwarder's rules differ.
    pub(super) fn write(self, kind: &SpanKind, mut push: impl FnMut(&'static str, String)) {
        let is_server = *kind == SpanKind::Server;
        if is_server && self.is_request() {
            let place = self.route.as_deref().or_else(|| self.path());
            if let Some(name) = name(self.method.as_deref(), place) {
                push("microsoft.request.name", name);
            }
            if let Some(url) = self.url() {
                push("microsoft.request.url", url);
            }
        }
        if !is_server {
            if self.is_call() {
                push("microsoft.dependency.type", "Http".to_owned());
                if let Some(name) = name(self.method.as_deref(), self.path()) {
                    push("microsoft.dependency.name", name);
                }
                if let Some(data) = self.url().or_else(|| self.url.clone()) {
                    push("microsoft.dependency.data", data);
                }
            }
            if let Some(target) = self.authority() {
                push("microsoft.dependency.target", target);
            }
        }
        if let Some(code) = self.status_code {
            push("http.response.status_code", code);
        }
        if let Some(agent) = self.user_agent {
            push("user_agent.original", agent);
        }
    }
}

/// `METHOD place`, or the part of it that is known.
fn name(method: Option<&str>, place: Option<&str>) -> Option<String> {
    match (method, place) {
        (Some(method), Some(place)) => Some(format!("{method} {place}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// Splits an absolute URL into scheme, authority without credentials, and rest.
fn split_url(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let rest = if rest.is_empty() { "/" } else { rest };
    (!scheme.is_empty() && !authority.is_empty()).then_some((scheme, authority, rest))
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

fn has_port(host: &str) -> bool {
    let port = host.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()))
}
