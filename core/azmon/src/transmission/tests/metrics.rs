//! When the worker sends metrics of its own.

use super::*;
use crate::item::record_of;
use crate::metrics::{BuiltinMetrics, BuiltinOptions};

const METRICS: BuiltinOptions = BuiltinOptions {
    standard_metrics: false,
    performance_counters: false,
    interval: Duration::from_secs(60),
    statistics_interval: None,
    compute_type: "unknown",
};

#[tokio::test(start_paused = true)]
async fn standard_metrics_are_sent_at_their_interval_if_there_are_any() {
    let mut counted = None;
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            standard_metrics: true,
            ..METRICS
        };
        let (metrics, spans) = BuiltinMetrics::new(&options, mapper);
        counted = Some(spans);
        metrics
    });
    let spans = counted.unwrap();
    spans.count(&mut record_of(span("x")));
    sleep(150 * SECOND).await;
    spans.count(&mut record_of(span("y")));
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked(), [60, 180]);
}

#[tokio::test(start_paused = true)]
async fn performance_counters_are_sent_at_every_interval() {
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            performance_counters: true,
            ..METRICS
        };
        BuiltinMetrics::new(&options, mapper).0
    });
    sleep(200 * SECOND).await;
    assert_eq!(worker.asked(), [60, 120, 180]);
}

#[tokio::test(start_paused = true)]
async fn statistics_tell_of_others_but_not_of_themselves() {
    let worker = TestWorker::start_with([], |mapper| {
        let options = BuiltinOptions {
            statistics_interval: Some(900 * SECOND),
            ..METRICS
        };
        BuiltinMetrics::new(&options, mapper).0
    });
    worker.push(1);
    sleep(4_000 * SECOND).await;
    assert_eq!(worker.asked(), [5, 900]);
}
