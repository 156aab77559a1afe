//! The token of a portal that other machines can reach.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::server::ApiError;

/// The length of a generated token, in hexadecimal digits.
const LENGTH: usize = 32;
const COOKIE_NAME: &str = "azmon-token";

/// The secret that readers must know.
#[derive(Clone)]
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub(crate) fn new(token: String) -> Self {
        Self(token)
    }

    /// Generates an unpredictable token from the system's random source.
    pub(crate) fn random() -> Result<Self, String> {
        let mut bytes = [0; LENGTH / 2];
        let random = rustls_random(&mut bytes);
        random.map(|()| Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    fn is(&self, offered: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), offered.as_bytes());
        let difference = own
            .iter()
            .zip(other)
            .fold(0, |difference, (a, b)| difference | (a ^ b));
        own.len() == other.len() && difference == 0
    }
}

fn rustls_random(bytes: &mut [u8]) -> Result<(), String> {
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    provider
        .secure_random
        .fill(bytes)
        .map_err(|_| "the system has no source of randomness".to_owned())
}

/// Rejects a request without the token, if one is required. The token is in `Authorization: Bearer`, a cookie, or
/// `?token=`, which sets the cookie.
pub(crate) async fn check(
    State(needed): State<Option<Token>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(needed) = needed else {
        return Ok(next.run(request).await);
    };
    if request.method() == Method::OPTIONS
        || in_header(&request).is_some_and(|offered| needed.is(offered))
        || in_cookies(&request).any(|offered| needed.is(offered))
    {
        return Ok(next.run(request).await);
    }
    let in_query = request.uri().query().and_then(|query| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix("token="))
    });
    if !in_query.is_some_and(|offered| needed.is(offered)) {
        return Err(ApiError::unauthorized(
            "this portal can be reached from other machines and asks for its token; open the address that it printed at its start",
        ));
    }
    let mut response = next.run(request).await;
    let cookie = format!(
        "{COOKIE_NAME}={}; HttpOnly; SameSite=Strict; Path=/",
        needed.as_str()
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn in_header(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn in_cookies(request: &Request) -> impl Iterator<Item = &str> {
    let headers = request.headers().get_all(COOKIE).into_iter();
    headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_taken() {
        let token = Token::new("secret".to_owned());
        assert!(token.is("secret"));
        for other in ["", "secre", "secret1", "Secret"] {
            assert!(!token.is(other), "{other}");
        }
    }

    #[test]
    fn tokens_are_made_up_each_time() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.as_str().len(), LENGTH);
        assert_ne!(one.as_str(), other.as_str());
    }
}
