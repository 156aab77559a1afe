//! Integration tests: real clients and real sockets against the crate's inputs.
#![cfg(test)]

mod application_insights;
mod endpoint;
mod forwarder;
mod live_metrics;
mod local_forwarder_config;
mod ocagent;
mod opencensus;
mod opencensus_mapping;
mod otlp_clients;
mod otlp_grpc;
mod otlp_http;
mod otlp_metrics;
mod processing;
mod replicas;
mod support;
