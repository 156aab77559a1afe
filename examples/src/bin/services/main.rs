//! Three services that call each other, as `cargo xtask demo` runs them: a web front, a shop and a stock.
//!
//! ```text
//! visitors ─► web ─► shop ─┬─► cache (in memory)
//!                          ├─► shop-db (SQLite)
//!                          └─► stock ─► stock-db (SQLite)
//! ```
//! Some of what is asked for is slow, some fails, and an order asks for the price of each of its lines with a query of
//! its own, so that the portal has something to show: failures, exceptions, slow calls, repeated queries, logs.
//!
//! | Article | What its order does |
//! |---|---|
//! | any | 201 |
//! | `silk` | the reservation waits for 300 ms |
//! | `glass` | the stock has none left: 409 everywhere |
//! | `gold` | the shop fails with an exception: 500, and 502 at the front |

mod cache;
mod database;
mod service;
mod shop;
mod stock;
mod web;

use std::error::Error;
use std::net::SocketAddr;

use clap::{Parser, Subcommand};

/// One of the three services of the demo.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    service: Service,
}

#[derive(Debug, Subcommand)]
enum Service {
    /// What visitors see; asks the shop.
    Web(Listen),
    /// Products and orders; asks the cache, its database and the stock.
    Shop(Listen),
    /// Reservations; asks its database.
    Stock(Listen),
}

#[derive(Debug, clap::Args)]
struct Listen {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// URL of the service that this one asks; none for the stock.
    #[arg(long, value_name = "URL", default_value = "")]
    upstream: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().service {
        Service::Web(Listen { listen, upstream }) => {
            service::run("web", listen, async || Ok(web::routes(upstream))).await
        }
        Service::Shop(Listen { listen, upstream }) => {
            service::run("shop", listen, async || shop::routes(upstream).await).await
        }
        Service::Stock(Listen { listen, .. }) => service::run("stock", listen, stock::routes).await,
    }
}
