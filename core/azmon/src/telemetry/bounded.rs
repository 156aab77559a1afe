//! Work that may take longer than there is time.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

/// Work under way on a thread of its own.
#[derive(Debug)]
pub(super) struct Work(Result<Receiver<OTelSdkResult>, String>);

/// Runs `work` on a thread of its own.
pub(super) fn spawn(work: impl FnOnce() -> OTelSdkResult + Send + 'static) -> Work {
    let (sender, receiver) = sync_channel(1);
    let started = std::thread::Builder::new()
        .name("azmon-flush".to_owned())
        // The waiting may be over.
        .spawn(move || drop(sender.send(work())));
    Work(started.map(|_| receiver).map_err(|error| error.to_string()))
}

impl Work {
    /// Waits for the work no longer than `timeout`.
    pub(super) fn wait(self, timeout: Duration) -> OTelSdkResult {
        let receiver = self.0.map_err(OTelSdkError::InternalFailure)?;
        let result = receiver.recv_timeout(timeout);
        result.unwrap_or(Err(OTelSdkError::Timeout(timeout)))
    }
}

/// Runs `work` on a thread of its own, and waits for it no longer than `timeout`.
///
/// The SDK's reader has no limit of its own: a callback of an instrument, or a destination that does
/// not answer, would hold whoever flushes.
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
