//! The targets that redirects may have, and their lifetime.

use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

/// Maximum number of consecutive redirects, as in the official distributions.
const MAX_REDIRECTS: u32 = 10;
/// Lifetime of a redirect, as in the .NET exporter.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The current endpoint: the configured one, or the one that it redirected to.
#[derive(Debug)]
pub(super) struct Target {
    configured: String,
    redirected: Option<(String, Instant)>,
    in_a_row: u32,
}

/// The action after a redirect.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirected {
    /// Send the batch again at once.
    Followed,
    /// The target is foreign, or the redirects were too many.
    Refused,
}

impl Target {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            configured: endpoint,
            redirected: None,
            in_a_row: 0,
        }
    }

    /// The endpoint at `now`.
    pub(super) fn endpoint(&self, now: Instant) -> &str {
        match &self.redirected {
            Some((endpoint, until)) if now < *until => endpoint,
            _ => &self.configured,
        }
    }

    /// Follows a redirect of an upload to `from`, if it is allowed.
    ///
    /// If several concurrent uploads are redirected, only the first redirect counts.
    pub(super) fn redirect(&mut self, from: &str, location: &str, now: Instant) -> Redirected {
        if from != self.endpoint(now) {
            return Redirected::Followed;
        }
        self.in_a_row += 1;
        match follow(from, location) {
            Some(endpoint) if self.in_a_row <= MAX_REDIRECTS => {
                self.redirected = Some((endpoint, now + LIFETIME));
                Redirected::Followed
            }
            _ => {
                self.reset();
                Redirected::Refused
            }
        }
    }

    /// Notes an answer other than a redirect.
    pub(super) fn answered(&mut self) {
        self.in_a_row = 0;
    }

    /// Returns to the configured endpoint, because the other one is unreachable or fails.
    pub(super) fn reset(&mut self) {
        self.redirected = None;
        self.in_a_row = 0;
    }
}

/// The host names of the service, by cloud; a redirect never leaves its cloud.
const CLOUDS: [&[&str]; 3] = [
    &[
        ".livediagnostics.monitor.azure.com",
        ".monitor.azure.com",
        ".services.visualstudio.com",
        ".applicationinsights.azure.com",
    ],
    &[".monitor.azure.us", ".applicationinsights.azure.us"],
    &[".monitor.azure.cn", ".applicationinsights.azure.cn"],
];

/// The endpoint of a redirect from `current` to `location`, if it may be followed.
///
/// Telemetry and its credentials go to another address only over HTTPS, and only to the same host or to another host of
/// the same cloud's service. A plain `http://` endpoint, which is a local receiver, may redirect within its own host.
pub(super) fn follow(current: &str, location: &str) -> Option<String> {
    let (from, to): (Uri, Uri) = (current.parse().ok()?, location.parse().ok()?);
    let (from_host, to_host) = (host(&from)?, host(&to)?);
    let secure = to.scheme_str() == Some("https");
    let allowed = if from_host == to_host {
        secure || from.scheme_str() == to.scheme_str()
    } else {
        secure && same_cloud(&from_host, &to_host)
    };
    let authority = to.authority()?.as_str();
    let plain = !authority.contains('@');
    (allowed && plain).then(|| format!("{}://{authority}", to.scheme_str().unwrap_or("https")))
}

fn host(uri: &Uri) -> Option<String> {
    uri.host().map(str::to_ascii_lowercase)
}

fn same_cloud(from: &str, to: &str) -> bool {
    CLOUDS.iter().any(|cloud| {
        let belongs = |host: &str| cloud.iter().any(|suffix| host.ends_with(suffix));
        belongs(from) && belongs(to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEST: &str = "https://westeurope-5.in.applicationinsights.azure.com";

    #[test]
    fn another_host_of_the_same_cloud_is_followed() {
        for (from, location, to) in [
            (
                WEST,
                "https://dc.services.visualstudio.com/v2.1/track",
                "https://dc.services.visualstudio.com",
            ),
            (
                WEST,
                "https://WESTEUROPE-5.in.applicationinsights.azure.com:443/x",
                "https://WESTEUROPE-5.in.applicationinsights.azure.com:443",
            ),
            (
                "https://proxy.internal",
                "https://proxy.internal:8443/v2.1/track",
                "https://proxy.internal:8443",
            ),
            (
                "http://127.0.0.1:4320",
                "http://127.0.0.1:4321/v2.1/track",
                "http://127.0.0.1:4321",
            ),
            (
                "http://localhost:1",
                "https://localhost:2/",
                "https://localhost:2",
            ),
        ] {
            assert_eq!(follow(from, location).as_deref(), Some(to), "{location}");
        }
    }

    #[test]
    fn a_foreign_host_another_cloud_and_plain_http_are_not() {
        for location in [
            "https://evil.example/v2.1/track",
            "https://applicationinsights.azure.com.evil.example/",
            "https://x.applicationinsights.azure.us/",
            "http://westeurope-5.in.applicationinsights.azure.com/",
            "https://user:password@westeurope-5.in.applicationinsights.azure.com/",
            "/v2.1/track",
            "https://",
            "not a uri",
            "",
        ] {
            assert_eq!(follow(WEST, location), None, "{location}");
        }
    }

    #[test]
    fn a_wave_of_redirects_is_one_hop() {
        let (mut target, now) = (Target::new("http://a:1".to_owned()), Instant::now());
        for _ in 0..50 {
            let redirected = target.redirect("http://a:1", "http://a:2/x", now);
            assert_eq!(redirected, Redirected::Followed);
        }
        assert_eq!(target.endpoint(now), "http://a:2");
        assert_eq!(target.in_a_row, 1);
    }

    #[test]
    fn a_circle_ends_and_leads_back_to_the_configured_endpoint() {
        let (mut target, now) = (Target::new("http://a:1".to_owned()), Instant::now());
        let mut hops = 0;
        loop {
            let from = target.endpoint(now).to_owned();
            let to = if from == "http://a:1" {
                "http://a:2"
            } else {
                "http://a:1"
            };
            hops += 1;
            if target.redirect(&from, to, now) == Redirected::Refused {
                break;
            }
        }
        assert_eq!(hops, 11);
        assert_eq!(target.endpoint(now), "http://a:1");
    }

    #[test]
    fn a_redirect_holds_for_twelve_hours() {
        let (mut target, now) = (Target::new("http://a:1".to_owned()), Instant::now());
        target.redirect("http://a:1", "http://a:2", now);
        assert_eq!(
            target.endpoint(now + LIFETIME - Duration::from_secs(1)),
            "http://a:2"
        );
        assert_eq!(target.endpoint(now + LIFETIME), "http://a:1");
    }
}
