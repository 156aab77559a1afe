use std::path::Path;
use std::process::{Child, Command};

use crate::error::Result;
use crate::process::ChildArguments;

/// Prepares a program as a child.
pub(crate) fn command(program: &Path) -> Result<Command> {
    Ok(Command::new(program))
}

/// Without signals, a child can only be killed.
pub(super) fn tell_to_end(child: &mut Child) -> Result {
    child.kill()?;
    Ok(())
}

/// Only [`command`] on Unix starts children this way.
pub(crate) fn become_child(_: &ChildArguments) -> Result {
    Err("this system starts children directly".into())
}
