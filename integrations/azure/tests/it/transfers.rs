//! Partitioned transfers, which the SDK runs in its own tasks.

use std::sync::Arc;

use azmon_azure::propagate_context;
use azure_core::Bytes;
use azure_core::http::{Request, RequestContent, StatusCode};
use azure_storage_blob::models::{BlobClientDownloadOptions, BlobClientUploadOptions};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};

use crate::fixture::{Recorder, Service, active, at_most, header, response};

const SIZE: usize = 10_000;
const PART: usize = 1_000;

/// Stores one blob, and accepts any upload.
fn storage() -> Arc<Service> {
    Service::new(|request| {
        let answer = match range(request) {
            None => response(StatusCode::Created, &[], ""),
            Some((from, to)) => {
                let to = to.min(SIZE - 1);
                let range = format!("bytes {from}-{to}/{SIZE}");
                let headers = [("content-range", range.as_str()), ("etag", "\"1\"")];
                response(StatusCode::PartialContent, &headers, vec![7; to + 1 - from])
            }
        };
        Some(Ok(answer))
    })
}

fn range(request: &Request) -> Option<(usize, usize)> {
    let (from, to) = header(request, "range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_in_parts_is_one_trace() {
    let recorder = Recorder::new();
    let service = storage();
    let blob = recorder.container(&service).blob_client("blob");
    let parent = recorder.parent();
    let options = BlobClientDownloadOptions {
        parallel: at_most(4),
        partition_size: at_most(PART),
        ..BlobClientDownloadOptions::default()
    };
    let download = async {
        let result = blob.download(Some(options)).await.unwrap();
        result.body.collect().await.unwrap()
    };
    let content = download.with_context(parent.clone()).await;
    assert_eq!(content.len(), SIZE);
    let requests = recorder.requests();
    assert_eq!(requests.len(), SIZE / PART);
    let trace = parent.span().span_context().trace_id();
    for span in recorder.spans() {
        assert_eq!(span.span_context.trace_id(), trace, "{span:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_into_a_buffer_is_one_trace() {
    let recorder = Recorder::new();
    let service = storage();
    let blob = recorder.container(&service).blob_client("blob");
    let parent = recorder.parent();
    let options = BlobClientDownloadOptions {
        parallel: at_most(4),
        partition_size: at_most(PART),
        ..BlobClientDownloadOptions::default()
    };
    let mut buffer = vec![0; SIZE];
    blob.download_into(&mut buffer, Some(options))
        .with_context(parent.clone())
        .await
        .unwrap();
    assert!(buffer.iter().all(|byte| *byte == 7));
    let requests = recorder.requests();
    assert_eq!(requests.len(), SIZE / PART);
    let trace = parent.span().span_context().trace_id();
    for span in recorder.spans() {
        assert_eq!(span.span_context.trace_id(), trace, "{span:#?}");
    }
}

/// The SDK has no span for such an upload: its calls are children of the caller's span. The caller's own span
/// groups them.
#[tokio::test]
async fn an_upload_in_blocks_is_held_together_by_a_span_of_the_caller() {
    let recorder = Recorder::new();
    let service = storage();
    let blob = recorder.container(&service).blob_client("blob");
    let span = recorder.provider.tracer("test").start("upload");
    let upload = Context::new().with_span(span);
    let options = BlobClientUploadOptions {
        parallel: at_most(4),
        partition_size: std::num::NonZero::new(PART as u64),
        ..BlobClientUploadOptions::default()
    };
    let content = RequestContent::from(Bytes::from(vec![7; SIZE]).to_vec());
    blob.upload(content, Some(options))
        .with_context(upload.clone())
        .await
        .unwrap();
    let mut calls = recorder.spans();
    calls.retain(|span| span.name.starts_with("Storage."));
    for call in &calls {
        assert_eq!(call.parent_span_id, active(&upload), "{call:#?}");
    }
    let named = |name: &str| {
        calls
            .iter()
            .filter(|call| call.name.ends_with(name))
            .count()
    };
    assert_eq!(named(".stageBlock"), SIZE / PART);
    assert_eq!(named(".commitBlockList"), 1);
    assert_eq!(calls.len(), SIZE / PART + 1);
}

#[test]
fn the_context_can_be_propagated_again() {
    propagate_context().unwrap();
    propagate_context().unwrap();
}
