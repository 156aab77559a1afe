//! Delivery and counting, shared by the agent's services.

use std::sync::Arc;
use std::time::Duration;

use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::opencensus::node::Nodes;
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::{Batch, Delivery, Protocol, Refusal, Sink};

/// The number of retries for a refused delivery, after the sink's delays. The protocol has no retry response, so
/// the stream waits instead.
const ATTEMPTS: u32 = 10;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) nodes: Nodes,
    pub(super) names: OperationNames,
    pub(super) deltas: Deltas,
    pub(super) statistics: InputStatistics,
    pub(super) node_events: bool,
}

impl Shared {
    /// Delivers a message's items, and waits while the sink has no room. `rejected` items could not be read.
    pub(super) async fn deliver(&self, batch: Batch, rejected: u64) -> Result<(), Refusal> {
        if batch.items.is_empty() {
            self.statistics.batch_received(0, rejected);
            return Ok(());
        }
        let items = batch.items.len() as u64;
        let delivery = Delivery::new(Protocol::OpenCensus, vec![batch]);
        let mut attempt = 1;
        loop {
            match self.sink.deliver(delivery.clone()).await {
                Ok(accepted) => {
                    let kept = items.saturating_sub(accepted.rejected);
                    self.statistics
                        .batch_received(kept, rejected + accepted.rejected);
                    return Ok(());
                }
                Err(refusal) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(refusal.retry_after().min(LONGEST_PAUSE)).await;
                }
                Err(refusal) => {
                    self.statistics.batch_failed();
                    return Err(refusal);
                }
            }
        }
    }
}
