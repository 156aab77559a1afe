//! Tests that need their own process: they run this program again for one ignored test.

use std::process::{Command, Output};

use azmon::envelope::Envelope;

use crate::endpoint::{Endpoint, Script};

/// Variable with the task of the child process.
const TASK: &str = "AZMON_IT_TASK";
const CONNECTION_STRING: &str = "AZMON_IT_CONNECTION_STRING";

/// The command that runs an ignored test with this task.
pub(crate) fn command(test: &str, task: &str, connection_string: String) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(CONNECTION_STRING, connection_string);
    command
}

/// Runs an ignored test, and returns the received items and the output of the process.
pub(crate) fn run(test: &str, task: &str, backtrace: &str) -> (Vec<Envelope<'static>>, Output) {
    let endpoint = Endpoint::start(std::iter::repeat_n(Script::Accept, 1_000));
    let output = command(test, task, endpoint.connection_string())
        .env("RUST_BACKTRACE", backtrace)
        .env_remove("RUST_LIB_BACKTRACE")
        .output()
        .unwrap();
    let requests = endpoint.received().into_iter();
    let envelopes = requests.flat_map(|request| request.envelopes);
    (envelopes.collect(), output)
}

/// The task and the connection string, in the child process.
pub(crate) fn told() -> (String, String) {
    let read = |name| std::env::var(name).unwrap();
    (read(TASK), read(CONNECTION_STRING))
}
