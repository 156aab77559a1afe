//! A process that forks. The child has no worker thread: its errors say so, and new telemetry starts a worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fork::{Fork, WEXITSTATUS, WIFEXITED, fork, waitpid};

use crate::child::{run, told};
use crate::support::{dropped, name, span, telemetry};

/// The exit code of a forked process that succeeded.
const AS_EXPECTED: i32 = 7;

/// In a process of its own, which forks.
#[test]
#[ignore = "other tests run it in a child process"]
#[expect(
    clippy::exit,
    reason = "a return would run the test harness in the child"
)]
fn forks() {
    let (_, connection_string) = told();
    let of_parent = telemetry(connection_string.clone());
    span(&of_parent, "of the parent");
    match fork().unwrap() {
        Fork::Child => {
            // The test harness must not run in the child.
            let is_as_expected = catch_unwind(AssertUnwindSafe(|| {
                in_child(&of_parent, connection_string);
            }));
            std::process::exit(is_as_expected.map_or(1, |()| AS_EXPECTED));
        }
        Fork::Parent(child) => {
            let status = waitpid(child).unwrap();
            assert!(WIFEXITED(status));
            assert_eq!(WEXITSTATUS(status), AS_EXPECTED);
        }
    }
    span(&of_parent, "of the parent, later");
    let report = of_parent.shutdown(Duration::from_secs(10)).unwrap();
    assert_eq!((report.traces.sent, report.traces.dropped), (2, 0));
}

fn in_child(of_parent: &azmon::Telemetry, connection_string: String) {
    span(of_parent, "lost");
    assert!(of_parent.force_flush().unwrap_err().is_forked());
    let error = of_parent.shutdown(Duration::from_secs(10)).unwrap_err();
    assert!(error.is_forked(), "{error}");
    assert!(error.to_string().contains("build telemetry after the fork"));
    let own = telemetry(connection_string);
    span(&own, "of the child");
    let report = own.shutdown(Duration::from_secs(10)).unwrap();
    assert_eq!((report.traces.sent, report.traces.dropped), (1, 0));
    assert_eq!(dropped(&own), []);
}

#[test]
fn a_forked_process_says_that_it_has_no_worker_and_starts_its_own() {
    let (envelopes, output) = run("fork::forks", "fork", "0");
    assert!(output.status.success(), "{output:?}");
    let mut names: Vec<_> = envelopes.iter().map(name).collect();
    names.sort();
    assert_eq!(
        names,
        ["of the child", "of the parent", "of the parent, later"]
    );
}
