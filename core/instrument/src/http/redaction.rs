use std::borrow::Cow;
use std::sync::Arc;

/// What stands in the place of a secret.
pub const REDACTED: &str = "REDACTED";

/// Keys that are secret when they contain one of these, in any case.
const SECRET_PARTS: [&str; 16] = [
    "accesskey",
    "access_key",
    "access-key",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "secret",
    "session",
    "signature",
    "token",
];

/// Keys that are secret when they are one of these, in any case.
const SECRET_KEYS: [&str; 7] = ["auth", "code", "jwt", "key", "pwd", "sas", "sig"];

/// Which values of a query are secret, and leave as [`REDACTED`].
///
/// By default those whose keys look like it: `token`, `access_token`, `api_key`, `password`, `sig`, `code`
/// and the like. That includes the four that the semantic conventions name (`AWSAccessKeyId`, `Signature`,
/// `sig`, `X-Goog-Signature`).
#[derive(Debug, Clone)]
pub struct Redaction {
    keys: &'static [&'static str],
    parts: &'static [&'static str],
    /// Shared by clones, which every request makes: where there are none, it shares nothing.
    own_keys: Option<Arc<Vec<String>>>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            keys: &SECRET_KEYS,
            parts: &SECRET_PARTS,
            own_keys: None,
        }
    }
}

impl Redaction {
    /// Nothing is secret but credentials in a URL.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            keys: &[],
            parts: &[],
            own_keys: None,
        }
    }

    /// Makes the values of these keys secret too. Case does not matter.
    #[must_use]
    pub fn with_keys<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let own_keys = self.own_keys.get_or_insert_default();
        Arc::make_mut(own_keys).extend(keys.into_iter().map(Into::into));
        self
    }

    /// A query, without its question mark, with its secrets replaced.
    #[must_use]
    pub fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        if !query.split('&').any(|pair| self.is_secret_pair(pair)) {
            return Cow::Borrowed(query);
        }
        let mut redacted = String::with_capacity(query.len() + REDACTED.len());
        for (index, pair) in query.split('&').enumerate() {
            if index > 0 {
                redacted.push('&');
            }
            match pair.split_once('=') {
                Some((key, _)) if self.is_secret(key) => {
                    redacted.push_str(key);
                    redacted.push('=');
                    redacted.push_str(REDACTED);
                }
                _ => redacted.push_str(pair),
            }
        }
        Cow::Owned(redacted)
    }

    /// A URL with its credentials, and the secrets of its query, replaced.
    #[must_use]
    pub fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let url = without_credentials(url);
        let Some((start, query)) = url.split_once('?') else {
            return url;
        };
        let (query, fragment) = query.split_at(query.find('#').unwrap_or(query.len()));
        match self.query(query) {
            Cow::Borrowed(_) => url,
            Cow::Owned(query) => Cow::Owned([start, "?", &query, fragment].concat()),
        }
    }

    fn is_secret_pair(&self, pair: &str) -> bool {
        pair.split_once('=')
            .is_some_and(|(key, _)| self.is_secret(key))
    }

    fn is_secret(&self, key: &str) -> bool {
        let is_key = |secret: &str| secret.eq_ignore_ascii_case(key);
        let mut own_keys = self.own_keys.iter().flat_map(|keys| keys.iter());
        self.keys.iter().any(|secret| is_key(secret))
            || own_keys.any(|secret| is_key(secret))
            || self.parts.iter().any(|part| contains(key, part))
    }
}

/// Case is ignored.
fn contains(text: &str, part: &str) -> bool {
    text.as_bytes()
        .windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Cow::Borrowed(url);
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((credentials, _)) = rest[..authority_end].rsplit_once('@') else {
        return Cow::Borrowed(url);
    };
    let after = &rest[credentials.len()..];
    let hidden = if credentials.contains(':') {
        "REDACTED:REDACTED"
    } else {
        REDACTED
    };
    Cow::Owned([scheme, "://", hidden, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_looking_keys_are_replaced() {
        let redaction = Redaction::default();
        for (query, redacted) in [
            ("sig=abc&x=1", "sig=REDACTED&x=1"),
            ("x=1&AWSAccessKeyId=abc", "x=1&AWSAccessKeyId=REDACTED"),
            (
                "Signature=a&X-Goog-Signature=b",
                "Signature=REDACTED&X-Goog-Signature=REDACTED",
            ),
            (
                "access_token=a&refreshToken=b",
                "access_token=REDACTED&refreshToken=REDACTED",
            ),
            ("PASSWORD=", "PASSWORD=REDACTED"),
            ("token=a=b", "token=REDACTED"),
            ("&&token=a&", "&&token=REDACTED&"),
        ] {
            assert_eq!(redaction.query(query), redacted);
        }
    }

    #[test]
    fn other_queries_are_borrowed() {
        let redaction = Redaction::default();
        for query in ["", "x=1&monkey=2", "token", "q=a+token"] {
            assert!(matches!(redaction.query(query), Cow::Borrowed(same) if same == query));
        }
    }

    #[test]
    fn the_list_is_configurable() {
        let none = Redaction::none();
        assert_eq!(none.query("token=a"), "token=a");
        let own = Redaction::none().with_keys(["iban"]);
        assert_eq!(own.query("token=a&IBAN=b"), "token=a&IBAN=REDACTED");
        let more = Redaction::default().with_keys(["iban"]);
        assert_eq!(more.query("token=a&iban=b"), "token=REDACTED&iban=REDACTED");
    }

    #[test]
    fn urls_lose_their_credentials_and_secrets() {
        let redaction = Redaction::default();
        for (url, redacted) in [
            (
                "https://u:p@h:1/a?b=c",
                "https://REDACTED:REDACTED@h:1/a?b=c",
            ),
            ("https://u@h", "https://REDACTED@h"),
            ("https://u:p@x@h/", "https://REDACTED:REDACTED@h/"),
            ("https://h/a@b?sig=1#f", "https://h/a@b?sig=REDACTED#f"),
            ("https://h?q=@#token=1", "https://h?q=@#token=1"),
            ("/a?key=1", "/a?key=REDACTED"),
            ("https://h/", "https://h/"),
        ] {
            assert_eq!(redaction.url(url), redacted);
        }
        assert_eq!(
            Redaction::none().url("http://u:p@h"),
            "http://REDACTED:REDACTED@h"
        );
    }
}
