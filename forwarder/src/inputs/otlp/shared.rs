//! Delivery and counting, shared by the services of OTLP.

use std::sync::Arc;

use crate::inputs::delta::Deltas;
use crate::inputs::names::OperationNames;
use crate::inputs::otlp::read::Read;
use crate::inputs::otlp::resource::Resources;
use crate::inputs::{Budget, InputStatistics, Limits};
use crate::sink::{Acceptance, Delivery, Protocol, Refusal, Sink};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) resources: Resources,
    pub(super) names: OperationNames,
    pub(super) deltas: Deltas,
    pub(super) statistics: InputStatistics,
}

impl Shared {
    /// Delivers the items of a message, and counts them.
    pub(super) async fn deliver(&self, read: Result<Read, Refusal>) -> Result<Acceptance, Refusal> {
        let Read { batches, rejected } = match read {
            Ok(read) => read,
            Err(refusal) => {
                self.statistics.batch_failed();
                return Err(refusal);
            }
        };
        let delivery = Delivery::new(Protocol::Otlp, batches);
        let items = delivery.len() as u64;
        let accepted = if delivery.is_empty() {
            Ok(Acceptance::default())
        } else {
            self.sink.deliver(delivery).await
        };
        match &accepted {
            Ok(accepted) => {
                let refused = rejected.count + accepted.rejected;
                let kept = items.saturating_sub(accepted.rejected);
                self.statistics.batch_received(kept, refused);
            }
            Err(_) => self.statistics.batch_failed(),
        }
        accepted.map(|accepted| Acceptance {
            rejected: accepted.rejected + rejected.count,
            message: match rejected.reason {
                Some(reason) if accepted.message.is_empty() => reason.to_owned(),
                Some(reason) => format!("{reason}; {}", accepted.message),
                None => accepted.message,
            },
        })
    }
}
