//! Three services that call each other: a web front, a shop and a stock. `cargo xtask demo` runs them.
//!
//! ```text
//! visitors ─► web ─► shop ─┬─► cache (in memory)
//!                          ├─► shop-db (SQLite)
//!                          └─► stock ─► stock-db (SQLite)
//! ```
//! Some requests are slow, some fail, and an order queries the price of each line separately. The portal thus
//! shows failures, exceptions, slow calls, repeated queries and logs.
//!
//! | Article | Result of its order |
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
    /// The front for visitors; calls the shop.
    Web(Listen),
    /// Products and orders; calls the cache, its database and the stock.
    Shop(Listen),
    /// Reservations; calls its database.
    Stock(Listen),
}

#[derive(Debug, clap::Args)]
struct Listen {
    /// Address and port to listen on; port 0 selects a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// URL of the service that this one calls; none for the stock.
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
