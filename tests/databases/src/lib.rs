//! Private PostgreSQL and MariaDB servers for tests.
//!
//! A [`Server`] has its own data in a temporary folder, listens on a free port of the loopback address, and is
//! gone with all its data when it is dropped, or when the process that started it ends in whatever way: a
//! keeper, a small shell script, holds a pipe to that process, and cleans up when the pipe closes.
//!
//! ```text
//! test process ──pipe──► keeper (sh, unprivileged) ──► postgres | mariadbd
//! ```
//!
//! The programs are those of Debian's packages `mariadb-server` and `postgresql`. Neither server starts as root, so root starts them
//! as the user that the package has made for it.
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
