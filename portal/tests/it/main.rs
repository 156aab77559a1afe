//! The portal over real sockets.
#![cfg(test)]

mod answers;
mod answers_of_api;
mod api;
mod browser;
mod checks;
mod client;
mod command;
mod contract;
mod differential;
mod durability;
mod forward;
mod forward_load;
mod golden;
mod hostile;
mod limits;
mod live;
mod live_clients;
mod open_census;
mod otlp;
mod pages;
mod python;
mod query;
mod query_api;
mod secure;
mod story;
mod tools;
