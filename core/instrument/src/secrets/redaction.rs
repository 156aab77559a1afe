use std::borrow::Cow;

use super::secret_keys::SecretKeys;

/// Replaces a secret value.
pub const REDACTED: &str = "REDACTED";

/// Decides which values of a query are secret, and replaces them by [`REDACTED`].
///
/// By default, values are secret if their key looks secret: `token`, `access_token`, `api_key`, `password`, `sig`,
/// `code`, `subscription-key`, `AccountKey` and similar keys. The default includes the four keys that the semantic
/// conventions name (`AWSAccessKeyId`, `Signature`, `sig`, `X-Goog-Signature`). Keys are compared after decoding; case,
/// `-`, `_` and `.` are ignored. An ambiguous text is read in the way that hides more: `;` and `?` also begin a
/// parameter, the value of a secret ends only at `&`, and a value that is itself an encoded URL with a secret is
/// hidden.
///
/// Parameters of a path (`/a;token=…`) are treated in the same way. Credentials of URLs are always replaced, and
/// fragments always removed.
///
/// # Examples
///
/// ```
/// use azmon_instrument::http::Redaction;
///
/// let redaction = Redaction::default().with_keys(["iban"]).without_keys(["code"]);
/// assert_eq!(redaction.query("code=7&IBAN=DE00&sig=x"), "code=7&IBAN=REDACTED&sig=REDACTED");
/// ```
#[derive(Debug, Clone)]
pub struct Redaction {
    keys: SecretKeys,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            keys: SecretKeys::DEFAULT,
        }
    }
}

impl Redaction {
    /// Redacts only the credentials and the fragment of a URL.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            keys: SecretKeys::NONE,
        }
    }

    /// Adds keys whose values are secret.
    #[must_use]
    pub fn with_keys<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.keys.add_secret(keys);
        self
    }

    /// Marks keys as public although they look secret: `code` of a product, `session` of a conference. The whole key
    /// must match.
    #[must_use]
    pub fn without_keys<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.keys.add_public(keys);
        self
    }

    /// Replaces the secrets of a query without its question mark.
    #[must_use]
    pub fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        self.parameters(query, b"&;?", b"&")
    }

    /// Replaces the secrets of a path: the values of parameters such as `/a;token=…`.
    #[must_use]
    pub fn path<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let Some(start) = path.find(';') else {
            return Cow::Borrowed(path);
        };
        let (names, parameters) = path.split_at(start);
        match self.parameters(parameters, b";", b"/") {
            Cow::Borrowed(_) => Cow::Borrowed(path),
            Cow::Owned(redacted) => Cow::Owned([names, &redacted].concat()),
        }
    }

    /// Replaces the credentials and the secrets of a URL, and removes its fragment.
    #[must_use]
    pub fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        // A fragment, credentials, or the value of a parameter.
        let is_mark = |byte| matches!(byte, b'#' | b'@' | b'=');
        if url.bytes().any(is_mark) {
            self.url_with_marks(url)
        } else {
            Cow::Borrowed(url)
        }
    }

    fn url_with_marks<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let (start, credentials, rest) = credentials_of(url);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let hidden = match credentials {
            None => "",
            Some(credentials) if credentials.contains(':') => "REDACTED:REDACTED",
            Some(_) => REDACTED,
        };
        let path = self.path(path);
        let query = query.map(|query| self.query(query));
        let is_unchanged = credentials.is_none()
            && matches!(path, Cow::Borrowed(_))
            && matches!(query, None | Some(Cow::Borrowed(_)));
        if is_unchanged {
            return Cow::Borrowed(url);
        }
        let (mark, query) = match &query {
            Some(query) => ("?", &**query),
            None => ("", ""),
        };
        Cow::Owned([start, hidden, &path, mark, query].concat())
    }

    /// Redacts parameters. `begin` separates parameters, and `end` ends the value of a secret one.
    fn parameters<'a>(&self, text: &'a str, begin: &[u8], end: &[u8]) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let next = |from: usize, separators: &[u8]| {
            let rest = bytes.get(from..).unwrap_or_default();
            let length = rest.iter().position(|byte| separators.contains(byte));
            length.map_or(bytes.len(), |length| from + length)
        };
        let mut redacted = String::new();
        let (mut copied, mut place) = (0, 0);
        while place < bytes.len() {
            let pair_end = next(place, begin);
            let pair = text.get(place..pair_end).unwrap_or_default();
            let Some((key, value)) = pair.split_once('=') else {
                place = pair_end + 1;
                continue;
            };
            if self.keys.are_secret(key) {
                let value = place + key.len() + 1;
                redacted.push_str(text.get(copied..value).unwrap_or_default());
                redacted.push_str(REDACTED);
                copied = next(value, end);
                place = copied + 1;
            } else if self.keys.are_inside(value) {
                redacted.push_str(text.get(copied..place + key.len() + 1).unwrap_or_default());
                redacted.push_str(REDACTED);
                copied = pair_end;
                place = pair_end + 1;
            } else {
                place = pair_end + 1;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        redacted.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(redacted)
    }
}

/// Splits a URL into the text before its credentials, the credentials, and the text from `@` on.
fn credentials_of(url: &str) -> (&str, Option<&str>, &str) {
    let Some(start) = url.find("://").map(|place| place + 3) else {
        return ("", None, url);
    };
    let (scheme, rest) = url.split_at(start);
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..authority_end].rfind('@') {
        Some(at) => (scheme, Some(&rest[..at]), &rest[at..]),
        None => (scheme, None, rest),
    }
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
    fn secrets_of_azure_oauth_and_saml_are_replaced() {
        let redaction = Redaction::default();
        for key in [
            "subscription-key",
            "Ocp-Apim-Subscription-Key",
            "AccountKey",
            "SharedAccessKey",
            "SharedAccessSignature",
            "x-functions-key",
            "code",
            "aeg-sas-key",
            "aeg-sas-token",
            "sig",
            "client_secret",
            "client_assertion",
            "assertion",
            "code_verifier",
            "device_code",
            "id_token",
            "SAMLResponse",
            "wresult",
            "ticket",
            "otp",
            "user[password]",
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
        ] {
            let query = format!("a=1&{key}=x&b=2");
            let redacted = format!("a=1&{key}=REDACTED&b=2");
            assert_eq!(redaction.query(&query), redacted);
        }
    }

    #[test]
    fn a_text_that_can_be_read_in_two_ways_is_read_so_that_more_is_hidden() {
        let redaction = Redaction::default();
        for (query, redacted) in [
            ("%74oken=x", "%74oken=REDACTED"),
            ("%2574oken=x", "%2574oken=REDACTED"),
            ("to%6Ben=x&a=1", "to%6Ben=REDACTED&a=1"),
            ("a=1;token=x", "a=1;token=REDACTED"),
            ("token=x;y&a=1", "token=REDACTED&a=1"),
            ("next=/cb?code=x&a=1", "next=/cb?code=REDACTED&a=1"),
            (
                "next=https%3A%2F%2Fh%2Fcb%3Fcode%3Dx&a=1",
                "next=REDACTED&a=1",
            ),
            ("next=%252Fcb%253Fsig%253Dx", "next=REDACTED"),
            ("%zz=1&token%=x", "%zz=1&token%=REDACTED"),
        ] {
            assert_eq!(redaction.query(query), redacted);
        }
        let long = "k".repeat(200);
        assert_eq!(
            redaction.query(&format!("{long}=x")),
            format!("{long}=REDACTED")
        );
    }

    #[test]
    fn other_queries_are_borrowed() {
        let redaction = Redaction::default();
        for query in [
            "",
            "x=1&monkey=2",
            "token",
            "q=a+token",
            "page=2;sort=up",
            "next=%2Fa%3Fb%3Dc",
            "a=%",
            "a=%3",
        ] {
            assert!(matches!(redaction.query(query), Cow::Borrowed(same) if same == query));
        }
    }

    #[test]
    fn the_list_is_configurable() {
        let none = Redaction::none();
        assert_eq!(none.query("token=a"), "token=a");
        let own = Redaction::none().with_keys(["iban"]);
        assert_eq!(own.query("token=a&IBAN=b"), "token=a&IBAN=REDACTED");
        let more = Redaction::default().with_keys(["customer-iban"]);
        assert_eq!(
            more.query("token=a&customerIban=b"),
            "token=REDACTED&customerIban=REDACTED"
        );
        let less = Redaction::default().without_keys(["code", "session_id"]);
        assert_eq!(
            less.query("code=7&SessionId=3&session=x"),
            "code=7&SessionId=3&session=REDACTED"
        );
    }

    #[test]
    fn parameters_of_a_path_are_redacted() {
        let redaction = Redaction::default();
        for (path, redacted) in [
            ("/a;jsession=x/b", "/a;jsession=REDACTED/b"),
            ("/a;v=1;token=x;y/b;c", "/a;v=1;token=REDACTED/b;c"),
            ("/a;v=1/b", "/a;v=1/b"),
            ("/token=x", "/token=x"),
        ] {
            assert_eq!(redaction.path(path), redacted);
        }
    }

    #[test]
    fn urls_lose_their_credentials_secrets_and_fragments() {
        let redaction = Redaction::default();
        for (url, redacted) in [
            (
                "https://u:p@h:1/a?b=c",
                "https://REDACTED:REDACTED@h:1/a?b=c",
            ),
            ("https://u@h", "https://REDACTED@h"),
            ("https://u:p@x@h/", "https://REDACTED:REDACTED@h/"),
            ("https://h/a@b?sig=1#f", "https://h/a@b?sig=REDACTED"),
            ("https://h?q=@#access_token=1", "https://h?q=@"),
            ("https://h/a;token=x/b", "https://h/a;token=REDACTED/b"),
            ("/a?key=1", "/a?key=REDACTED"),
            ("https://h/", "https://h/"),
        ] {
            assert_eq!(redaction.url(url), redacted);
        }
        assert_eq!(
            Redaction::none().url("http://u:p@h#x"),
            "http://REDACTED:REDACTED@h"
        );
    }
}
