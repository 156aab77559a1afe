use std::sync::Arc;
use std::time::Duration;

use crate::ConnectionString;
use crate::envelope::tags;
use crate::error::BuildErrorKind;
use crate::item::{Producer, QueueLimits, queue};
use crate::mapping::Mapper;
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{
    HttpTransport, LiveTransport, NetworkSettings, Transport, Worker, WorkerExtensions,
    WorkerHandle, WorkerOptions,
};

/// Maximum size of encoded batches in memory, in bytes: some hundred thousand items.
const MAX_MEMORY: usize = 32 << 20;

/// The inputs of a worker.
pub(crate) struct WorkerBuilder<'a> {
    pub(crate) connection: &'a ConnectionString,
    /// `None` for HTTP.
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) network: NetworkSettings,
    pub(crate) storage: StorageSettings,
    pub(crate) max_export_delay: Duration,
    pub(crate) limits: QueueLimits,
    pub(crate) mapper: Arc<Mapper>,
    pub(crate) processors: TelemetryProcessors,
}

impl WorkerBuilder<'_> {
    /// Starts a worker with its queue.
    pub(crate) fn start(self) -> Result<(Producer, WorkerHandle), BuildErrorKind> {
        self.start_with(WorkerExtensions::default())
    }

    /// Starts a worker with extensions.
    pub(crate) fn start_with(
        self,
        mut extensions: WorkerExtensions,
    ) -> Result<(Producer, WorkerHandle), BuildErrorKind> {
        let endpoint = self.connection.ingestion_endpoint();
        let transport: Arc<dyn Transport> = match self.transport {
            Some(transport) => transport,
            None => {
                let transport = HttpTransport::new(endpoint, self.network)?;
                if let Some(endpoint) = self.connection.own_live_endpoint() {
                    if let Some(work) = &mut extensions.live {
                        work.connect(LiveTransport::new(&transport), endpoint, &self.mapper);
                    }
                    if let Some(streams) = &mut extensions.streams {
                        let version = self.mapper.tag(tags::INTERNAL_SDK_VERSION);
                        let transport = Arc::new(LiveTransport::new(&transport));
                        streams.connect(transport, endpoint, version.unwrap_or_default());
                    }
                }
                Arc::new(transport)
            }
        };
        let options = WorkerOptions {
            endpoint: endpoint.to_owned(),
            transport,
            storage: self.storage,
            max_memory: MAX_MEMORY,
            max_export_delay: self.max_export_delay,
            processors: self.processors,
        };
        let (producer, consumer) = queue(self.limits);
        let (handle, worker) = Worker::new(options, consumer, self.mapper);
        worker
            .with(extensions)
            .spawn()
            .map_err(BuildErrorKind::Worker)?;
        Ok((producer, handle))
    }
}
