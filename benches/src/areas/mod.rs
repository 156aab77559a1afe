//! The kinds of work, each with azmon's and the bare cases.

pub mod client;
pub mod database;
pub mod export;
pub mod pipeline;
pub mod portal;
pub mod server;
pub mod service;
pub mod tower_client;

use crate::Area;

/// All areas, in the order of the report.
#[must_use]
pub fn all() -> Vec<Area> {
    vec![
        service::area(),
        server::area(),
        client::area(),
        tower_client::area(),
        database::area(),
        database::many(),
        export::area(),
        pipeline::area(),
        portal::area(),
    ]
}
