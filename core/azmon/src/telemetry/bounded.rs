//! Operations with a timeout that they do not have themselves.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

/// An operation that runs on its own thread.
#[derive(Debug)]
pub(super) struct Work(Result<Receiver<OTelSdkResult>, String>);

/// Runs `work` on its own thread.
pub(super) fn spawn(work: impl FnOnce() -> OTelSdkResult + Send + 'static) -> Work {
    let (sender, receiver) = sync_channel(1);
    let started = std::thread::Builder::new()
        .name("azmon-flush".to_owned())
        // The receiver may have stopped waiting.
        .spawn(move || drop(sender.send(work())));
    Work(started.map(|_| receiver).map_err(|error| error.to_string()))
}

impl Work {
    /// Waits for the operation, at most for `timeout`.
    pub(super) fn wait(self, timeout: Duration) -> OTelSdkResult {
        let receiver = self.0.map_err(OTelSdkError::InternalFailure)?;
        let result = receiver.recv_timeout(timeout);
        result.unwrap_or(Err(OTelSdkError::Timeout(timeout)))
    }
}

/// Runs `work` on its own thread, and waits for it at most for `timeout`.
///
/// The SDK's reader has no timeout: a callback of an instrument, or a destination that does not answer, would block the
/// caller of a flush.
pub(super) fn bounded(
    timeout: Duration,
    work: impl FnOnce() -> OTelSdkResult + Send + 'static,
) -> OTelSdkResult {
    spawn(work).wait(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_never_ends_is_left_alone() {
        let (_held, wait) = sync_channel::<()>(0);
        let result = bounded(Duration::from_millis(1), move || {
            let _ = wait.recv();
            Ok(())
        });
        assert!(
            matches!(result, Err(OTelSdkError::Timeout(_))),
            "{result:?}"
        );
        assert!(bounded(Duration::from_secs(60), || Ok(())).is_ok());
    }
}
