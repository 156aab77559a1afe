//! What the integrations share: propagation, exclusions, attributes, and the operation's name.

pub mod exclude;
pub mod http;
mod operation;
pub mod propagation;
mod providers;
mod recent;
mod route_names;

pub use self::operation::OperationName;
pub use self::providers::{Providers, Resolved, StartSpan, StartedSpan};
pub use self::recent::{recent_address, recent_text};
pub use self::route_names::{RouteName, RouteNames};
