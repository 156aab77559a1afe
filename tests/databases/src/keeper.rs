use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Error, Kind};

/// The shell script that owns a server and its data.
#[derive(Debug)]
pub(crate) struct Keeper {
    process: Child,
    /// Taken to end the keeper.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    pub(crate) fn new(kind: Kind, port: u16) -> Result<Self, Error> {
        let script = format!(
            "port={port}\n{}\n{}",
            kind.functions(),
            include_str!("keeper.sh")
        );
        let mut process = shell(kind)?
            .arg("-c")
            .arg(script)
            .env("PATH", kind.path()?)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C goes only to the tests; the keeper notices their end.
            .process_group(0)
            .spawn()
            .map_err(Error::io("cannot start a shell"))?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (commands, answers) = pipes.ok_or_else(|| Error::new("the shell has no pipes"))?;
        Ok(Self {
            process,
            commands: Some(commands),
            answers: BufReader::new(answers),
        })
    }

    /// Sends `command`, and waits for its completion.
    pub(crate) fn command(&mut self, command: &str) -> Result<(), Error> {
        if let Some(commands) = &mut self.commands {
            writeln!(commands, "{command}").map_err(Error::io("the keeper is gone"))?;
        }
        let mut said = String::new();
        loop {
            let start = said.len();
            let length = self
                .answers
                .read_line(&mut said)
                .map_err(Error::io("the keeper is gone"))?;
            match said.get(start..).unwrap_or_default().trim_end() {
                "ok" => return Ok(()),
                "failed" => {
                    return Err(Error::new(format!("cannot {command} the server:\n{said}")));
                }
                _ if length == 0 => return Err(Error::new(format!("the keeper is gone:\n{said}"))),
                _ => {}
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.commands = None;
        // A failed wait needs no handling.
        let _ = self.process.wait();
    }
}

/// A shell of an unprivileged user.
fn shell(kind: Kind) -> Result<Command, Error> {
    let process = fs::metadata("/proc/self").map_err(Error::io("cannot tell who runs this"))?;
    if process.uid() != 0 {
        return Ok(Command::new("sh"));
    }
    let user = kind.user();
    let mut command = Command::new("setpriv");
    command.args([
        &format!("--reuid={user}"),
        &format!("--regid={user}"),
        "--clear-groups",
        "sh",
    ]);
    command.env_remove("TMPDIR");
    Ok(command)
}
