use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Result;
use crate::process::ChildArguments;

/// Prepares a program as a child that ends with this task.
pub(crate) fn command(program: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("run-child")
        .arg(std::process::id().to_string())
        .arg(program)
        .process_group(0);
    Ok(command)
}

#[expect(
    clippy::needless_pass_by_ref_mut,
    reason = "other systems need it to be mutable"
)]
pub(super) fn tell_to_end(child: &mut Child) -> Result {
    let id = Pid::from_raw(i32::try_from(child.id())?).ok_or("the child has no process id")?;
    kill_process(id, Signal::TERM)?;
    Ok(())
}

/// Replaces this process by a program that the kernel ends together with its parent.
pub(crate) fn become_child(arguments: &ChildArguments) -> Result {
    end_with_parent(arguments.parent)?;
    let (program, rest) = arguments
        .command
        .split_first()
        .ok_or("no program is named")?;
    // `exec` returns only if it fails.
    let error = Command::new(program).args(rest).exec();
    Err(format!("cannot start {}: {error}", program.display()).into())
}

#[cfg(target_os = "linux")]
fn end_with_parent(parent: i32) -> Result {
    use rustix::process::{getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::TERM))?;
    // The parent may have ended before the request to the kernel.
    if getppid().map(|id| id.as_raw_nonzero().get()) != Some(parent) {
        return Err("the task has ended".into());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: i32) -> Result {
    Ok(())
}
