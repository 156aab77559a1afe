//! Child processes that never outlive their task.
//!
//! - A task drops its [`Server`]s when it ends, also after an error or a panic. Each server receives SIGTERM, and
//!   is killed if it does not end in time.
//! - A terminal sends Ctrl-C to a whole process group. Children have their own groups, so only the task receives
//!   the signal, and can end them in the right order: first the senders of telemetry, then the receiver.
//! - A killed task cannot end its children. On Linux the kernel ends them: each child starts through a hidden
//!   subcommand, which requests this from the kernel and then becomes the program.

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

/// The program to run.
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArguments {
    /// Process id of the task that the child belongs to.
    parent: i32,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}
