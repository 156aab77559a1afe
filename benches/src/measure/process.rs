use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::protocol::{Answer, Order};
use crate::fixtures::{Addresses, ThreadTimes};
use crate::{Case, Result};

/// The programs that can run a case.
#[derive(Debug)]
pub struct Programs {
    timing: PathBuf,
    counting: Option<PathBuf>,
}

impl Programs {
    /// This program, and the one beside it whose name ends in `-allocations`.
    ///
    /// # Errors
    ///
    /// If the path of this program is unknown.
    pub fn find() -> Result<Self> {
        let timing = env::current_exe()?;
        let mut name = timing.file_stem().unwrap_or_default().to_owned();
        name.push("-allocations");
        let mut counting = timing.with_file_name(name);
        if let Some(extension) = timing.extension() {
            counting.set_extension(extension);
        }
        Ok(Self {
            timing,
            counting: Some(counting).filter(|path| path.is_file()),
        })
    }

    /// The program that measures time.
    #[must_use]
    pub fn timing(&self) -> &Path {
        &self.timing
    }

    /// The program that counts allocations, if it was built.
    #[must_use]
    pub fn counting(&self) -> Option<&Path> {
        self.counting.as_deref()
    }
}

/// The argument that starts a program as the process of a case.
pub(crate) const CASE: &str = "--case";

/// The process of a case. It ends on drop.
#[derive(Debug)]
pub(super) struct Process<'a> {
    case: &'a Case,
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    operations: u64,
}

impl<'a> Process<'a> {
    /// Starts the case in `program`, which may be a wrapper command.
    pub(super) fn start(case: &'a Case, mut program: Command) -> Result<Self> {
        let mut child = program
            .args([CASE, case.id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the process of a case has no pipes".into());
        };
        Ok(Self {
            case,
            child,
            orders: Some(orders),
            answers: BufReader::new(answers),
            operations: 0,
        })
    }

    /// Runs operations without measuring.
    pub(super) fn warm(&mut self, operations: u64) -> Result {
        let answer = self.tell(Order::Warm(operations))?;
        self.check(operations, &answer)
    }

    /// Runs and measures operations.
    pub(super) fn run(&mut self, operations: u64) -> Result<Answer> {
        let answer = self.tell(Order::Run(operations))?;
        self.check(operations, &answer)?;
        Ok(answer)
    }

    /// Requests the figures of the case.
    pub(super) fn figures(&mut self) -> Result<Answer> {
        self.tell(Order::Figures)
    }

    /// Requests the addresses of the server.
    pub(super) fn addresses(&mut self) -> Result<Addresses> {
        let addresses = self.tell(Order::Addresses)?.addresses;
        addresses.ok_or_else(|| format!("{} is no server", self.case.id).into())
    }

    /// Delivers waiting telemetry.
    pub(super) fn settle(&mut self) -> Result {
        self.tell(Order::Settle).map(drop)
    }

    /// The processor time of the process.
    pub(super) fn times(&self) -> Result<ThreadTimes> {
        ThreadTimes::of(self.child.id())
            .ok_or_else(|| "the processor time of threads is known on Linux alone".into())
    }

    /// Ends the process, and waits for it.
    pub(super) fn end(mut self) -> Result {
        self.orders = None;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}", self.case.id).into())
        }
    }

    fn tell(&mut self, order: Order) -> Result<Answer> {
        let gone = || format!("{} ended before it had answered", self.case.id);
        let orders = self.orders.as_mut().ok_or_else(gone)?;
        let mut line = serde_json::to_string(&order)?;
        line.push('\n');
        orders.write_all(line.as_bytes()).map_err(|_| gone())?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(gone().into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// Lost spans would make the case look cheap, so a loss is an error.
    fn check(&mut self, operations: u64, answer: &Answer) -> Result {
        self.operations += operations;
        let Some(spans) = self.case.records else {
            return Ok(());
        };
        let expected = self.operations * spans;
        match answer.delivered {
            Some(delivered) if delivered == expected => Ok(()),
            delivered => Err(format!(
                "{}: {delivered:?} spans were delivered, not {expected}",
                self.case.id
            )
            .into()),
        }
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        self.orders = None;
        // The process of a failed case must not outlive its measurement.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
