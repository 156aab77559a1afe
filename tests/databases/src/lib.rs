//! Private PostgreSQL and MariaDB servers for tests.
//!
//! A [`Server`] keeps its data in a temporary folder, and listens on a free port of the loopback address. It ends
//! and removes its data on drop, or when the process that started it ends for any reason: a keeper, a small shell
//! script, holds a pipe to that process, and cleans up when the pipe closes.
//!
//! ```text
//! test process ──pipe──► keeper (sh, unprivileged) ──► postgres | mariadbd
//! ```
//!
//! The programs come from Debian's packages `mariadb-server` and `postgresql`. Neither server runs as root, so
//! root starts them as the package's user.
//!
//! # Examples
//! ```no_run
//! use azmon_test_databases::{Kind, Server};
//!
//! let mut server = Server::start(Kind::Postgres)?;
//! let url = server.url();
//! server.kill()?;
//! server.restart()?; // same data, same URL
//! # Ok::<(), azmon_test_databases::Error>(())
//! ```

mod error;
mod keeper;
mod kind;
mod server;

pub use self::error::Error;
pub use self::kind::Kind;
pub use self::server::{Server, url};
