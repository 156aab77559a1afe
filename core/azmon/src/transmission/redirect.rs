use http::Uri;

/// Most redirects in a row, as in the official distributions.
pub(super) const MOST: u32 = 10;

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

/// The endpoint that a redirect from `current` to `location` leads to, if it may be followed.
///
/// Telemetry and its credentials go to another address only over HTTPS, and only to the same host or to
/// another host of the same cloud's service. A plain `http://` endpoint, which is a local receiver, may
/// redirect within its own host.
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
}
