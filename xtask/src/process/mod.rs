//! Child processes that never outlive their task, however that ends.
//!
//! - A task that ends, with an error or in a panic too, drops its [`Server`]s: each is told to end (SIGTERM), waited for,
//!   and killed if it takes too long.
//! - Ctrl-C in a terminal goes to a whole process group. Children have their own, so that only the task gets it and can
//!   end them in the right order: first what sends telemetry, then what receives it.
//! - A task that is killed cannot do any of this. On Linux the kernel then ends its children: each is started through a
//!   hidden subcommand that asks for that and then becomes the program.

mod server;
#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

use std::ffi::OsString;

pub(crate) use self::server::Server;
pub(crate) use self::system::{become_child, command};

/// The program that [`become_child`] becomes.
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArguments {
    /// Process id of the task that the child belongs to.
    parent: i32,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}
