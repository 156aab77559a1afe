//! The portal over real sockets.
#![cfg(test)]

mod answers;
mod api;
mod browser;
mod client;
mod command;
mod contract;
mod golden;
mod hostile;
mod limits;
mod pages;
mod query;
