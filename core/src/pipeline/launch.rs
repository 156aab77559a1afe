use std::io;
use std::sync::Arc;

use crate::mapping::Mapper;
use crate::pipeline::{Producer, QueueLimits, queue};
use crate::transmission::{Transmitter, Worker, WorkerOptions};

/// Starts a worker with its queue.
pub(crate) fn launch(
    options: WorkerOptions,
    limits: QueueLimits,
    mapper: Arc<Mapper>,
) -> io::Result<(Producer, Transmitter)> {
    let (producer, consumer) = queue(limits);
    let (transmitter, worker) = Worker::new(options, consumer, mapper);
    worker.spawn()?;
    Ok((producer, transmitter))
}
