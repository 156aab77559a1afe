//! The keys of a query whose values are secret.

use std::sync::Arc;

use arrayvec::ArrayVec;

/// Keys that are secret as a whole, in lower case without separators.
const SECRET_KEYS: [&str; 10] = [
    "auth", "code", "key", "mac", "otp", "pass", "pin", "sas", "sid", "sig",
];

/// A key that contains one of these is secret, in lower case without separators.
///
/// The first two lines are keys of Azure: Storage, Service Bus, API Management, Functions, Event Grid, Cosmos DB. The
/// others belong to OAuth 2.0 and OpenID Connect, to SAML, WS-Federation and CAS, and to other systems.
const SECRET_PARTS: [&str; 35] = [
    "accountkey",
    "sharedaccesskey",
    "subscriptionkey",
    "functionskey",
    "functionkey",
    "hostkey",
    "masterkey",
    "saskey",
    "connectionstring",
    "accesskey",
    "primarykey",
    "secondarykey",
    "token",
    "secret",
    "assertion",
    "codeverifier",
    "devicecode",
    "usercode",
    "authcode",
    "authorization",
    "bearer",
    "jwt",
    "samlrequest",
    "samlresponse",
    "samlart",
    "wresult",
    "ticket",
    "apikey",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "session",
    "signature",
];
/// A longer key, decoded and without separators, counts as secret: no parameter name is that long.
const MAX_KEY: usize = 128;
/// Maximum number of encodings of a key or a value that are decoded.
const MAX_DECODINGS: usize = 3;
/// A longer value that holds an encoded `=` counts as secret without being decoded.
const MAX_NESTED: usize = 4_096;

/// A key, decoded, in lower case and without separators; `None` if it is too long.
type Key = Option<ArrayVec<u8, MAX_KEY>>;

/// The keys whose values are secret.
#[derive(Debug, Clone)]
pub(super) struct SecretKeys {
    keys: &'static [&'static str],
    parts: &'static [&'static str],
    /// Shared by clones: every request makes one. `None` if the application added no keys.
    own: Option<Arc<OwnKeys>>,
}

/// Keys of the application, in normal form.
#[derive(Debug, Clone, Default)]
struct OwnKeys {
    secret: Vec<Box<[u8]>>,
    public: Vec<Box<[u8]>>,
}

impl SecretKeys {
    pub(super) const DEFAULT: Self = Self {
        keys: &SECRET_KEYS,
        parts: &SECRET_PARTS,
        own: None,
    };

    pub(super) const NONE: Self = Self {
        keys: &[],
        parts: &[],
        own: None,
    };

    /// Adds keys whose values are secret.
    pub(super) fn add_secret<I>(&mut self, keys: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let own = Arc::make_mut(self.own.get_or_insert_default());
        own.secret.extend(keys.into_iter().map(own_key));
    }

    /// Adds keys whose values are public.
    pub(super) fn add_public<I>(&mut self, keys: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let own = Arc::make_mut(self.own.get_or_insert_default());
        own.public.extend(keys.into_iter().map(own_key));
    }

    /// Whether a value is an encoded text that contains a secret parameter.
    pub(super) fn are_inside(&self, value: &str) -> bool {
        let has_nothing = self.parts.is_empty() && self.keys.is_empty() && self.own.is_none();
        let Some(first) = value.find('%').filter(|_| !has_nothing) else {
            return false;
        };
        let encoded = value.get(first..).unwrap_or_default();
        if !contains(encoded.as_bytes(), b"3d") {
            return false;
        }
        if value.len() > MAX_NESTED {
            return true;
        }
        let mut decoded = value.as_bytes().to_vec();
        for _ in 0..MAX_DECODINGS {
            decoded = decode(decoded.iter().copied()).collect();
            let mut pairs = decoded.split(|byte| matches!(byte, b'&' | b';' | b'?' | b'#'));
            let is_secret = pairs.any(|pair| {
                let place = pair.iter().position(|byte| *byte == b'=');
                let key = place.and_then(|place| pair.get(..place));
                key.is_some_and(|key| self.is_secret_key(&normal(key)))
            });
            if is_secret {
                return true;
            }
        }
        false
    }

    /// Whether the value of a key is secret.
    pub(super) fn are_secret(&self, key: &str) -> bool {
        self.is_secret_key(&normal(key.as_bytes()))
    }

    fn is_secret_key(&self, key: &Key) -> bool {
        let Some(key) = key else {
            return !self.parts.is_empty();
        };
        let lists = |keys: &[Box<[u8]>]| keys.iter().any(|known| **known == **key);
        if let Some(own) = &self.own {
            if lists(&own.secret) {
                return true;
            }
            if lists(&own.public) {
                return false;
            }
        }
        self.keys.iter().any(|secret| secret.as_bytes() == &**key)
            || self.parts.iter().any(|part| contains(key, part.as_bytes()))
    }
}

fn own_key(key: impl AsRef<str>) -> Box<[u8]> {
    let key = key.as_ref().bytes();
    key.filter(|byte| !is_separator(*byte))
        .map(|byte| byte.to_ascii_lowercase())
        .collect()
}

/// Brings a key into normal form: decoded up to [`MAX_DECODINGS`] times, in lower case, without separators.
fn normal(key: &[u8]) -> Key {
    let mut normal = ArrayVec::<u8, MAX_KEY>::new();
    for byte in decode(key.iter().copied()) {
        if !is_separator(byte) {
            normal.try_push(byte.to_ascii_lowercase()).ok()?;
        }
    }
    for _ in 1..MAX_DECODINGS {
        if !normal.contains(&b'%') {
            break;
        }
        let encoded = normal.clone();
        normal = decode(encoded.into_iter())
            .filter(|byte| !is_separator(*byte))
            .map(|byte| byte.to_ascii_lowercase())
            .collect();
    }
    Some(normal)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b'+' | b' ' | b'[' | b']')
}

/// Decodes `%` and two digits, once. Other text stays unchanged.
fn decode(bytes: impl Iterator<Item = u8> + Clone) -> impl Iterator<Item = u8> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let byte = rest.next()?;
        if byte != b'%' {
            return Some(byte);
        }
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) else {
            return Some(byte);
        };
        rest = ahead;
        u8::try_from(high * 16 + low).ok()
    })
}

/// ASCII case-insensitive search.
fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
