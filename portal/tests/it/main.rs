//! The portal over real sockets.
#![cfg(test)]

mod answers;
mod api;
mod browser;
mod client;
mod command;
mod forward;
mod golden;
mod hostile;
mod limits;
mod pages;
