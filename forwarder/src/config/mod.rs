//! The configuration of a forwarder: its own format in TOML, and LocalForwarder's in XML.
//!
//! ```
//! use azmon_forwarder::config::ForwarderConfig;
//!
//! let config = ForwarderConfig::from_toml(
//!     "forwarder.toml",
//!     r#"
//!         [inputs]
//!         otlp-grpc = "127.0.0.1:4317"
//!
//!         [destinations.default]
//!         connection-string = "InstrumentationKey=00000000-0000-0000-0000-000000000001"
//!     "#,
//! )?;
//! assert_eq!(config.destinations.len(), 1);
//! # Ok::<(), azmon_forwarder::config::ConfigError>(())
//! ```

mod error;
mod local_forwarder;
mod model;
mod source;
mod toml_file;
mod validate;
mod xml;

pub use self::error::{ConfigError, ConfigWarning};
pub use self::local_forwarder::LocalForwarderConfig;
pub use self::model::{
    Adaptive, CONNECTION_STRING, Condition, DEFAULT_DESTINATION, Destination, ExcludeRule,
    ForwarderConfig, InputConfig, InputKind, Redaction, Route, Sampling,
};

pub use self::source::ConfigSource;
