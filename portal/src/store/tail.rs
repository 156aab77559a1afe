//! Notifies waiting readers of commits.

use tokio::sync::watch;

/// The number of commits since the store was opened.
pub(crate) type Receiver = watch::Receiver<u64>;

#[derive(Debug)]
pub(super) struct Sender(watch::Sender<u64>);

impl Sender {
    pub(super) fn new() -> (Self, Receiver) {
        let (sender, receiver) = watch::channel(0);
        (Self(sender), receiver)
    }

    pub(super) fn arrived(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}
