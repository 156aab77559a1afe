use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::process::system::tell_to_end;

/// The time limit for a program to become ready.
const START: Duration = Duration::from_secs(30);
/// The time limit for a program to send its last telemetry and end.
const END: Duration = Duration::from_secs(10);

/// A program that runs until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
}

impl Server {
    /// Starts a program, and waits until it prints a line that contains `ready`. Returns the rest of that line.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        ready: &str,
    ) -> Result<(Self, String)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut server = Self { name, child };
        let said = server.await_line(ready)?;
        Ok((server, said))
    }

    fn await_line(&mut self, ready: &str) -> Result<String> {
        let output = self.child.stdout.take().ok_or("the child has no output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
                // Reading continues without a receiver, so that the child's output never blocks.
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + START;
        let remaining = || deadline.saturating_duration_since(Instant::now());
        while let Ok(line) = lines.recv_timeout(remaining()) {
            if let Some((_, said)) = line.split_once(ready) {
                return Ok(said.trim().to_owned());
            }
        }
        Err(format!("{} did not start; what it printed says why", self.name).into())
    }

    /// Asks the program to end, and waits for its end.
    ///
    /// # Errors
    /// If the program reports a failure, or had to be killed.
    pub(crate) fn stop(mut self) -> Result {
        let status = self.end()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}", self.name).into())
        }
    }

    fn end(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        tell_to_end(&mut self.child)?;
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait()?;
        Err(format!("{} did not end within {END:?}, and was killed", self.name).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{error}");
        }
    }
}
