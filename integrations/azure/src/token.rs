//! Credentials of the Azure SDK as token providers for telemetry.

use std::sync::Arc;
use std::time::SystemTime;

use azmon::{Token, TokenError, TokenFuture, TokenProvider};
use azure_core::credentials::TokenCredential;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt;

/// Authenticates telemetry with Microsoft Entra ID, by any credential of the Azure SDK.
///
/// The calls of the credential are never recorded, even if the credential is instrumented.
///
/// # Examples
///
/// ```no_run
/// use azmon::Telemetry;
/// use azure_identity::ManagedIdentityCredential;
///
/// let credential = ManagedIdentityCredential::new(None)?;
/// let telemetry = Telemetry::builder()
///     .token_provider(azmon_azure::token_provider(credential))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn token_provider(credential: Arc<dyn TokenCredential>) -> CredentialTokens {
    CredentialTokens { credential }
}

/// The [`TokenProvider`] that [`token_provider`] makes.
#[derive(Debug, Clone)]
pub struct CredentialTokens {
    credential: Arc<dyn TokenCredential>,
}

impl TokenProvider for CredentialTokens {
    fn token<'a>(&'a self, scope: &'a str) -> TokenFuture<'a> {
        let suppressed = Context::current().with_telemetry_suppressed();
        let token = async move {
            let token = self.credential.get_token(&[scope], None).await?;
            let expires_on = SystemTime::from(token.expires_on);
            Ok::<_, TokenError>(Token::new(token.token.secret(), expires_on))
        };
        Box::pin(token.with_context(suppressed))
    }
}
