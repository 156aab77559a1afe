use std::sync::mpsc::sync_channel;
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

/// Runs `work` on a thread of its own, and waits for it no longer than `timeout`.
///
/// The SDK's reader has no limit of its own: a callback of an instrument, or a destination that does
/// not answer, would hold whoever flushes.
pub(super) fn bounded(
    timeout: Duration,
    work: impl FnOnce() -> OTelSdkResult + Send + 'static,
) -> OTelSdkResult {
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new()
        .name("azmon-flush".to_owned())
        // Nobody may wait any more.
        .spawn(move || drop(sender.send(work())))
        .map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
    let result = receiver.recv_timeout(timeout);
    result.unwrap_or(Err(OTelSdkError::Timeout(timeout)))
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
