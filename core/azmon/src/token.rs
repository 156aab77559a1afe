//! Access tokens of Microsoft Entra ID, for resources that require authentication.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::SystemTime;

/// The error of a [`TokenProvider`]. Its text is logged, so it must not hold a secret.
pub type TokenError = Box<dyn Error + Send + Sync>;

/// The future of [`TokenProvider::token`].
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send + 'a>>;

/// Provides the access tokens that authenticate telemetry with Microsoft Entra ID.
///
/// `azmon_azure::token_provider` makes one from any credential of the Azure SDK. A closure that returns a future is a
/// provider as well.
///
/// # Calls
///
/// The worker calls it, in its own single-threaded Tokio runtime with I/O and time enabled, and with
/// telemetry suppressed, so that a traced credential does not record the exporter's own calls. It caches
/// the token, so a provider needs no cache. It asks again 5 minutes before the token expires, or at half
/// of its life if it lives for less than 10 minutes, and once more when the service answers 401. Calls do
/// not overlap.
///
/// # Cancel safety
///
/// The future is dropped if it takes longer than 30 s. Dropping it must leave the provider usable.
pub trait TokenProvider: Send + Sync {
    /// Obtains a token for `scope`, such as `https://monitor.azure.com//.default`.
    ///
    /// # Errors
    ///
    /// Fails if no token can be obtained. Telemetry is then held, and the provider is called again later.
    fn token<'a>(&'a self, scope: &'a str) -> TokenFuture<'a>;
}

impl<F, R> TokenProvider for F
where
    F: Fn(&str) -> R + Send + Sync,
    R: Future<Output = Result<Token, TokenError>> + Send + 'static,
{
    fn token<'a>(&'a self, scope: &'a str) -> TokenFuture<'a> {
        Box::pin(self(scope))
    }
}

/// An access token and its expiry. Its `Debug` output hides the secret.
#[derive(Clone)]
pub struct Token {
    secret: String,
    expires_on: SystemTime,
}

impl Token {
    /// Makes a token of the text that follows `Bearer ` in the header.
    #[must_use]
    pub fn new(secret: impl Into<String>, expires_on: SystemTime) -> Self {
        Self {
            secret: secret.into(),
            expires_on,
        }
    }

    /// Returns the text that follows `Bearer ` in the header.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns the expiry of the token.
    #[must_use]
    pub fn expires_on(&self) -> SystemTime {
        self.expires_on
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("secret", &"REDACTED")
            .field("expires_on", &self.expires_on)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_secret() {
        let token = Token::new("abc.def", SystemTime::UNIX_EPOCH);
        assert!(!format!("{token:?}").contains("abc"));
        assert_eq!(token.secret(), "abc.def");
    }

    #[test]
    fn a_closure_is_a_provider_and_an_object() {
        let provider: Box<dyn TokenProvider> = Box::new(|scope: &str| {
            let token = Token::new(scope, SystemTime::UNIX_EPOCH);
            async move { Ok(token) }
        });
        let token = futures_executor::block_on(provider.token("scope")).unwrap();
        assert_eq!(token.secret(), "scope");
    }
}
