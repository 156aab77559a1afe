//! [W3C Baggage](https://www.w3.org/TR/baggage/): converts the header `baggage` to OpenTelemetry's [`Baggage`] and
//! back.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use opentelemetry::baggage::{Baggage, BaggageMetadata};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::BAGGAGE;

/// Maximum number of members that are read (section 3.3.2); further members are ignored.
const MAX_MEMBERS: usize = 64;
/// Maximum size of all headers, in bytes (section 3.3.2). A longer list is ignored as a whole.
const MAX_BYTES: usize = 8_192;

/// Characters that a value must encode (section 3.3.1.3).
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'\\');

/// The members of all `baggage` headers, in order. `None` if no header is readable.
pub(super) fn read(headers: &HeaderMap) -> Option<Baggage> {
    let texts = || {
        let values = headers.get_all(BAGGAGE).iter();
        values.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
    };
    let bytes: usize = texts().map(str::len).sum();
    if bytes == 0 || bytes > MAX_BYTES {
        return None;
    }
    let mut baggage = Baggage::new();
    let members = texts().flat_map(|text| text.split(','));
    for (key, value, metadata) in members.take(MAX_MEMBERS).filter_map(member) {
        baggage.insert_with_metadata(key.to_owned(), value, metadata);
    }
    Some(baggage)
}

/// Splits `key=value;properties` into the key, the decoded value and the unchanged properties.
fn member(text: &str) -> Option<(&str, String, BaggageMetadata)> {
    let (pair, properties) = text.split_once(';').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    Some((key.trim(), value.into_owned(), properties.trim().into()))
}

/// The baggage keys that are propagated; by default all.
#[derive(Debug, Clone, Default)]
pub struct BaggageKeys(Option<Arc<Vec<String>>>);

impl BaggageKeys {
    /// Propagates only these keys and those that were added before.
    pub fn add<I>(&mut self, keys: I)
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let listed = Arc::make_mut(self.0.get_or_insert_default());
        listed.extend(keys.into_iter().map(Into::into));
    }

    /// Whether only listed keys are propagated.
    pub(super) fn are_listed(&self) -> bool {
        self.0.is_some()
    }

    fn have(&self, key: &str) -> bool {
        let listed = self.0.as_deref();
        listed.is_none_or(|keys| keys.iter().any(|listed| listed == key))
    }
}

/// The value of the header; `None` if no member is left to send.
pub(super) fn write(baggage: &Baggage, keys: &BaggageKeys) -> Option<HeaderValue> {
    let mut text = String::new();
    for (key, (value, metadata)) in baggage {
        if !keys.have(key.as_str()) {
            continue;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(key.as_str());
        text.push('=');
        text.extend(utf8_percent_encode(value.as_str(), ENCODED));
        if !metadata.as_str().is_empty() {
            text.push(';');
            text.push_str(metadata.as_str());
        }
    }
    if text.is_empty() {
        return None;
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| (BAGGAGE, value.parse().unwrap()));
        values.collect()
    }

    fn pairs(values: &[&str]) -> Vec<(String, String, String)> {
        let Some(baggage) = read(&headers(values)) else {
            return Vec::new();
        };
        let mut pairs: Vec<_> = baggage
            .iter()
            .map(|(key, (value, metadata))| {
                let text = [key.as_str(), value.as_str(), metadata.as_str()];
                let [key, value, metadata] = text.map(str::to_owned);
                (key, value, metadata)
            })
            .collect();
        pairs.sort();
        pairs
    }

    fn pair(key: &str, value: &str, metadata: &str) -> (String, String, String) {
        (key.to_owned(), value.to_owned(), metadata.to_owned())
    }

    #[test]
    fn members_of_all_headers_are_read() {
        let all = [pair("a", "1", ""), pair("b", "2", ""), pair("c", "3", "")];
        assert_eq!(pairs(&["a=1, b=2", "c=3"]), all);
        assert_eq!(pairs(&["a=1,b = 2 ,c=3"]), all);
    }

    #[test]
    fn values_are_decoded_and_properties_are_kept() {
        let read = pairs(&["user=Am%C3%A9lie%20%3D;ttl=1 ; secure", "x=a=b"]);
        let expected = [
            pair("user", "Amélie =", "ttl=1 ; secure"),
            pair("x", "a=b", ""),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_member_that_cannot_be_read_leaves_the_others() {
        assert_eq!(pairs(&["none,=,a=%ff,b=2"]), [pair("b", "2", "")]);
    }

    #[test]
    fn lists_beyond_the_limits_are_cut_or_left_out() {
        let many: Vec<_> = (0..100).map(|number| format!("k{number}=1")).collect();
        assert_eq!(pairs(&[&many.join(",")]).len(), MAX_MEMBERS);
        let long = format!("a={}", "x".repeat(MAX_BYTES));
        assert_eq!(pairs(&[&long, "b=2"]), []);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut baggage = Baggage::new();
        baggage.insert("user", "Amélie, \"100 %\"; \\=");
        baggage.insert_with_metadata("x", "1", "ttl=1");
        let headers =
            HeaderMap::from_iter([(BAGGAGE, write(&baggage, &BaggageKeys::default()).unwrap())]);
        let read = read(&headers).unwrap();
        for key in ["user", "x"] {
            assert_eq!(read.get_with_metadata(key), baggage.get_with_metadata(key));
        }
        assert_eq!(write(&Baggage::new(), &BaggageKeys::default()), None);
    }

    #[test]
    fn only_listed_keys_are_written() {
        let mut baggage = Baggage::new();
        baggage.insert("tenant", "blue");
        baggage.insert("user", "ada");
        let mut keys = BaggageKeys::default();
        keys.add(["tenant"]);
        assert_eq!(write(&baggage, &keys).unwrap(), "tenant=blue");
        let mut none = BaggageKeys::default();
        none.add(Vec::<String>::new());
        assert_eq!(write(&baggage, &none), None);
    }
}
