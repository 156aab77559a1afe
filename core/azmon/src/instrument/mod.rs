//! What the integrations share: propagation, exclusions, attributes, and the operation's name.

mod bounded_table;
mod error_chain;
pub mod exclude;
mod hash;
mod hook;
pub mod http;
mod identity;
mod operation;
pub mod propagation;
mod providers;
mod recent;
mod route_names;
mod same_text;
mod sample_rate;
mod start_span;

pub use self::error_chain::ErrorChain;
pub use self::hook::Hook;
pub use self::identity::Identity;
pub use self::operation::OperationName;
pub use self::providers::{Providers, Resolved};
pub use self::recent::{recent_address, recent_path, recent_text};
pub use self::route_names::{RouteName, RouteNames};
pub use self::sample_rate::SampleRate;
pub use self::start_span::{NewSpan, Recording, SpanContent, StartSpan, StartedSpan};
pub use crate::pipeline::{LateAttributes, NewRecord, SpanRecord};
