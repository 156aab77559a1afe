use std::sync::Arc;
use std::time::Duration;

use crate::ConnectionString;
use crate::error::BuildErrorKind;
use crate::item::{Producer, QueueLimits, queue};
use crate::mapping::Mapper;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Extras, HttpTransport, Transmitter, Transport, Worker, WorkerOptions};

/// What a worker is started with.
pub(crate) struct Launch<'a> {
    pub(crate) connection: &'a ConnectionString,
    /// `None` for HTTP.
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) max_export_delay: Duration,
    pub(crate) limits: QueueLimits,
    pub(crate) mapper: Arc<Mapper>,
    pub(crate) processors: TelemetryProcessors,
}

impl Launch<'_> {
    /// Starts a worker with its queue.
    pub(crate) fn start(self) -> Result<(Producer, Transmitter), BuildErrorKind> {
        self.start_with(Extras::default())
    }

    /// Starts a worker that does more than to send what waits in its queue.
    pub(crate) fn start_with(
        self,
        extras: Extras,
    ) -> Result<(Producer, Transmitter), BuildErrorKind> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new()?),
        };
        let options = WorkerOptions {
            endpoint: self.connection.ingestion_endpoint().to_owned(),
            transport,
            max_export_delay: self.max_export_delay,
            processors: self.processors,
        };
        let (producer, consumer) = queue(self.limits);
        let (transmitter, worker) = Worker::new(options, consumer, self.mapper);
        worker.with(extras).spawn()?;
        Ok((producer, transmitter))
    }
}
