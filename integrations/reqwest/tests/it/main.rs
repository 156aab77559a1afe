//! The middleware against real local servers.

#![cfg(test)]

mod attributes;
mod concurrency;
mod context;
mod failures;
mod fixture;
mod hooks;
mod metrics;
mod propagation;
mod retries;
mod rules;
mod services;
mod silence;
mod span_end;
