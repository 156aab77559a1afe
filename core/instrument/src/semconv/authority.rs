/// A host and its port, as in a URL or in the header `host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host: a name or an address. An IPv6 address has no brackets.
    pub host: &'a str,
    /// The port, if the authority has one.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Splits an authority. Credentials and the final dot of a fully qualified name are removed.
    ///
    /// Text after a colon that is not a port stays part of the host.
    #[must_use]
    pub fn parse(authority: &'a str) -> Self {
        let is_name = |byte| !matches!(byte, b'@' | b':' | b'[' | b']');
        if authority.bytes().all(is_name) {
            return Self {
                host: authority.strip_suffix('.').unwrap_or(authority),
                port: None,
            };
        }
        Self::parse_unusual(authority)
    }

    fn parse_unusual(authority: &'a str) -> Self {
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        if let Some((address, rest)) = authority
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            let port = rest.strip_prefix(':').map(str::parse);
            return match port {
                Some(Ok(port)) => Self {
                    host: address,
                    port: Some(port),
                },
                None if rest.is_empty() => Self {
                    host: address,
                    port: None,
                },
                _ => Self {
                    host: authority,
                    port: None,
                },
            };
        }
        let named = authority
            .split_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = match named {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        Self {
            host: host.strip_suffix('.').unwrap_or(host),
            port,
        }
    }
}

/// The host and the port of an authority, by default the port of the scheme; `None` if the authority is empty.
#[must_use]
pub fn server<'a>(authority: &'a str, scheme: &str) -> Option<(&'a str, u16)> {
    let Authority { host, port } = Authority::parse(authority);
    let port = port.unwrap_or_else(|| default_port(scheme));
    (!host.is_empty()).then_some((host, port))
}

/// The default port of a scheme: 443 for `https`, else 80.
#[must_use]
pub fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_taken_apart() {
        for (authority, host, port) in [
            ("example.com", "example.com", None),
            ("example.com:8080", "example.com", Some(8080)),
            ("example.com.:443", "example.com", Some(443)),
            ("user:secret@example.com:1", "example.com", Some(1)),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]:80", "::1", Some(80)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("example.com:", "example.com:", None),
            ("example.com:65536", "example.com:65536", None),
            ("::1", "::1", None),
            ("[::1]:99999", "[::1]:99999", None),
            ("[::1]junk", "[::1]junk", None),
            ("", "", None),
        ] {
            assert_eq!(
                Authority::parse(authority),
                Authority { host, port },
                "{authority}"
            );
        }
    }
}
