//! The worker over time, with a paused clock that advances while every task waits.

mod damage;
mod endurance;
mod lines;
mod metrics;
mod outages;
mod scripted;
mod sending;
mod storage;

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

use self::scripted::{LIMITS, MAX_MEMORY, SECOND, Script, Setup, TestWorker, track};
use crate::fixtures::span;
use crate::item::{Item, Producer, QueueLimits, queue};
use crate::mapping::{Mapper, MappingOptions};
use crate::storage::StorageSettings;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{
    Reply, SendError, Sending, SourceId, Transport, Worker, WorkerHandle, WorkerOptions,
};
