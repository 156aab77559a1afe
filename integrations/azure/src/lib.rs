#![doc = include_str!("../README.md")]

mod request_id;
mod runtime;
mod span;
#[cfg(feature = "azmon")]
mod token;
mod tracing;

pub use self::request_id::ServiceRequestId;
pub use self::runtime::{propagate_context, propagate_context_with};
#[cfg(feature = "azmon")]
pub use self::token::{CredentialTokens, token_provider};
pub use self::tracing::{AzureTracing, instrument};
