//! A tolerant parser of connection strings, with remarks about differences between SDKs.

/// A parsed connection string.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) key: String,
    /// Without a trailing slash.
    pub(super) endpoint: String,
    /// Parts that some SDK interprets differently.
    pub(super) remarks: Vec<String>,
}

const DEFAULT_ENDPOINT: &str = "https://dc.services.visualstudio.com";

impl Connection {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut values: Vec<(String, String)> = Vec::new();
        let mut remarks = Vec::new();
        for part in text.split(';') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let Some((name, value)) = part.split_once('=') else {
                remarks.push(format!("{part:?} has no value and was skipped; Node.js and Python refuse the whole text"));
                continue;
            };
            values.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
        if text.trim().ends_with(';') {
            remarks.push("it ends in a semicolon, which OpenCensus for Python refuses".to_owned());
        }
        let value = |name: &str| {
            let found = values.iter().rev().find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        let key = value("instrumentationkey").ok_or("it has no InstrumentationKey")?;
        if !is_guid(&key) {
            remarks.push(format!("the key {key:?} is no lower-case GUID, which the SDKs for Python and Node.js refuse"));
        }
        if value("authorization").is_some_and(|scheme| scheme != "ikey") {
            remarks.push(
                "Authorization is something other than ikey, which Python refuses".to_owned(),
            );
        }
        let endpoint = match (value("ingestionendpoint"), value("endpointsuffix")) {
            (Some(endpoint), _) => endpoint,
            (None, Some(suffix)) => {
                let location =
                    value("location").map_or(String::new(), |location| format!("{location}."));
                format!("https://{location}dc.{}", suffix.trim_start_matches('.'))
            }
            (None, None) => DEFAULT_ENDPOINT.to_owned(),
        };
        if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
            return Err(format!("the endpoint {endpoint:?} is not a URL"));
        }
        if endpoint.starts_with("http://") {
            remarks.push("the endpoint has no TLS; Node.js turns it into https:// (see azmon portal --listen-tls)".to_owned());
        }
        Ok(Self {
            key,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            remarks,
        })
    }

    /// Host and port of the endpoint.
    pub(super) fn authority(&self) -> (String, u16) {
        let (scheme, rest) = self
            .endpoint
            .split_once("://")
            .unwrap_or(("https", &self.endpoint));
        let authority = rest.split('/').next().unwrap_or(rest);
        let default = if scheme == "http" { 80 } else { 443 };
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host.to_owned(), port.parse().unwrap_or(default))
            }
            _ => (authority.to_owned(), default),
        }
    }
}

fn is_guid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "InstrumentationKey=00000000-0000-0000-0000-00000000abcd";

    fn endpoint(text: &str) -> String {
        Connection::parse(text).unwrap().endpoint
    }

    #[test]
    fn the_endpoint_is_the_named_one_that_of_the_suffix_or_the_default() {
        assert_eq!(
            endpoint(&format!("{KEY};IngestionEndpoint=https://a.example/")),
            "https://a.example"
        );
        assert_eq!(
            endpoint(&format!(
                "{KEY};EndpointSuffix=ai.contoso.com;Location=westus"
            )),
            "https://westus.dc.ai.contoso.com"
        );
        assert_eq!(endpoint(KEY), DEFAULT_ENDPOINT);
        assert_eq!(
            endpoint(&format!(
                "ingestionendpoint=http://localhost:4320;{}",
                KEY.to_uppercase()
            )),
            "http://localhost:4320"
        );
    }

    #[test]
    fn parts_that_other_sdks_refuse_are_remarked() {
        for (text, word) in [
            (format!("{KEY};"), "semicolon"),
            (format!("{KEY};nonsense"), "no value"),
            ("InstrumentationKey=ABC".to_owned(), "GUID"),
            (
                format!("{KEY};IngestionEndpoint=http://localhost"),
                "https://",
            ),
            (format!("{KEY};Authorization=aad"), "Authorization"),
        ] {
            let remarks = Connection::parse(&text).unwrap().remarks;
            assert!(
                remarks.iter().any(|remark| remark.contains(word)),
                "{text}: {remarks:?}"
            );
        }
        assert!(
            Connection::parse("IngestionEndpoint=https://a")
                .unwrap_err()
                .contains("InstrumentationKey")
        );
        assert!(Connection::parse(&format!("{KEY};IngestionEndpoint=localhost")).is_err());
    }

    #[test]
    fn host_and_port_are_found() {
        let authority = |endpoint: &str| {
            Connection::parse(&format!("{KEY};IngestionEndpoint={endpoint}"))
                .unwrap()
                .authority()
        };
        assert_eq!(
            authority("https://a.example"),
            ("a.example".to_owned(), 443)
        );
        assert_eq!(
            authority("http://127.0.0.1:4320/x"),
            ("127.0.0.1".to_owned(), 4320)
        );
        assert_eq!(authority("http://[::1]:4320"), ("[::1]".to_owned(), 4320));
    }
}
