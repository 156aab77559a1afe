use http::{HeaderMap, HeaderName};
use opentelemetry::{Array, Key, KeyValue, StringValue, Value, otel_warn};

/// The message whose headers are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderOwner {
    /// Attributes `http.request.header.<name>`.
    Request,
    /// Attributes `http.response.header.<name>`.
    Response,
}

/// An allow-list of headers that become attributes: lists of strings, one element for each header line.
#[derive(Debug, Clone, Default)]
pub struct HeaderCapture {
    headers: Vec<(HeaderName, Key)>,
}

impl HeaderCapture {
    /// Whether no header is captured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Captures the headers of these names as well; case does not matter. A name that is not a valid header name is
    /// skipped, with a warning.
    pub fn add<I>(&mut self, owner: HeaderOwner, names: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let prefix = match owner {
            HeaderOwner::Request => "http.request.header.",
            HeaderOwner::Response => "http.response.header.",
        };
        let headers = names.into_iter().filter_map(|name| {
            let name = name.as_ref();
            let Ok(header) = HeaderName::try_from(name) else {
                otel_warn!(name: "HeaderCapture.NameIgnored", header = format!("{name:?}"));
                return None;
            };
            let key = Key::from(format!("{prefix}{header}"));
            Some((header, key))
        });
        for (name, key) in headers {
            if self.headers.iter().all(|(known, _)| *known != name) {
                self.headers.push((name, key));
            }
        }
    }

    /// The attributes of the captured headers that are present.
    pub fn attributes(&self, headers: &HeaderMap) -> impl Iterator<Item = KeyValue> {
        self.headers.iter().filter_map(|(name, key)| {
            let values: Vec<StringValue> = headers
                .get_all(name)
                .iter()
                .map(|value| {
                    String::from_utf8_lossy(value.as_bytes())
                        .into_owned()
                        .into()
                })
                .collect();
            (!values.is_empty())
                .then(|| KeyValue::new(key.clone(), Value::Array(Array::String(values))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_headers_are_captured() {
        let mut capture = HeaderCapture::default();
        capture.add(HeaderOwner::Request, ["X-Tenant", "not a name"]);
        capture.add(HeaderOwner::Request, ["accept", "x-tenant"]);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "secret".parse().unwrap());
        headers.append("x-tenant", "a".parse().unwrap());
        headers.append("x-tenant", "b".parse().unwrap());
        let attributes: Vec<_> = capture.attributes(&headers).collect();
        let values = Value::Array(Array::String(vec!["a".into(), "b".into()]));
        assert_eq!(
            attributes,
            [KeyValue::new("http.request.header.x-tenant", values)]
        );
    }
}
