//! Runs a forwarder as a service: statistics, health, signals, and the service manager.

mod health;
mod notify;
mod run;
mod statistics;

pub use self::health::{metrics_text, router as health_router};
pub use self::run::{RunError, run};
pub use self::statistics::statistics_lines;
