//! The layers on real servers and clients, over real sockets.
#![cfg(test)]

mod client;
mod client_grpc;
mod correlation;
mod disconnect;
mod excluded;
mod exclusions;
mod fixture;
mod grpc;
mod hooks;
mod hyper_server;
mod layers;
mod metrics;
mod nested;
mod providers;
mod rules;
mod server_attributes;
mod server_names;
mod sizes;
mod span_end;
mod trace_context;
