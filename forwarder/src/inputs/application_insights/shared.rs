//! Delivery and counting, shared by HTTP and gRPC.

use std::sync::Arc;

use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::{Acceptance, Batch, Delivery, Protocol, ReceivedItem, Refusal, Sink};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) statistics: InputStatistics,
}

impl Shared {
    pub(super) async fn deliver(
        &self,
        items: Vec<ReceivedItem>,
        rejected: u64,
    ) -> Result<Acceptance, Refusal> {
        let count = items.len() as u64;
        let delivered = if items.is_empty() {
            Ok(Acceptance::default())
        } else {
            let batch = Batch::new([].into(), items);
            let delivery = Delivery::new(Protocol::ApplicationInsights, vec![batch]);
            self.sink.deliver(delivery).await
        };
        match &delivered {
            Ok(accepted) => self.statistics.batch_received(
                count.saturating_sub(accepted.rejected),
                rejected + accepted.rejected,
            ),
            Err(_) => self.statistics.batch_failed(),
        }
        delivered
    }
}
