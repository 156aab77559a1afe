//! When the worker sends batches, and when it sends them again.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_span_waits_for_others_no_longer_than_the_delay() {
    let worker = TestWorker::start([]);
    sleep(2 * SECOND).await;
    worker.push(1);
    sleep(SECOND).await;
    worker.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(worker.asked(), [7]);
    worker.push(1);
    sleep(60 * SECOND).await;
    assert_eq!(worker.asked(), [7, 63 + 5]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once() {
    let worker = TestWorker::start([]);
    worker.push(99);
    sleep(SECOND).await;
    assert!(worker.asked().is_empty());
    worker.push(1);
    sleep(SECOND).await;
    assert_eq!(worker.asked(), [1]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_growing_pauses() {
    let failures = [
        Script::Unreachable,
        Script::Status(503),
        Script::Panic,
        Script::Status(429),
    ];
    let worker = TestWorker::start(failures);
    worker.push(1);
    sleep(120 * SECOND).await;
    let asked = worker.transport.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 5);
    for (pair, longest) in asked.windows(2).zip([1, 2, 4, 8]) {
        let (pause, longest) = (pair[1] - pair[0], SECOND * longest);
        assert!(
            pause >= longest / 2 && pause <= longest + SECOND / 10,
            "{pause:?} of {longest:?}"
        );
    }
    assert_eq!(worker.report().sent, 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let worker = TestWorker::start([
        Script::RetryAfter(429, "120"),
        Script::RetryAfter(503, "30"),
    ]);
    worker.push(1);
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked(), [5, 125, 155]);
}

#[tokio::test(start_paused = true)]
async fn exports_and_flushes_obey_retry_after_and_say_that_items_are_held() {
    let worker = TestWorker::start([Script::RetryAfter(503, "3600")]);
    worker.push(1);
    sleep(10 * SECOND).await;
    for held in 2..20 {
        let error = worker.export(1).await.unwrap_err();
        let expected =
            format!("{held} items are held, to be sent again: the endpoint is out of reach");
        assert_eq!(error.to_string(), expected);
        assert_eq!(worker.flush(60 * SECOND).await.unwrap_err(), error);
    }
    assert_eq!(worker.asked(), [5]);
    sleep(3_600 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 19);
    assert_eq!(worker.report().sent, 19);
}

#[tokio::test(start_paused = true)]
async fn a_flush_tries_once_in_a_pause_that_the_service_did_not_ask_for() {
    let worker = TestWorker::start([Script::Unreachable, Script::Unreachable]);
    worker.push(1);
    sleep(5 * SECOND + SECOND / 10).await;
    assert!(worker.flush(60 * SECOND).await.is_err());
    assert_eq!(worker.asked(), [5, 5]);
    worker.flush(60 * SECOND).await.unwrap();
    assert_eq!(worker.transport.arrived_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_one_upload_probes_until_the_endpoint_answers() {
    let worker = TestWorker::start([Script::RetryAfter(503, "60"), Script::Slow(10 * SECOND)]);
    worker.push(100);
    sleep(SECOND).await;
    for _ in 0..5 {
        worker.push(100);
        sleep(SECOND).await;
    }
    sleep(120 * SECOND).await;
    assert_eq!(worker.asked(), [0, 60, 70, 70, 70, 70, 70]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_its_retry_does_not_keep_the_worker_from_taking_more() {
    let worker = TestWorker::start([Script::RetryAfter(503, "3600")]);
    let more_than_the_queue_holds = 2 * LIMITS.items;
    for _ in 0..more_than_the_queue_holds / LIMITS.batch {
        worker.push(LIMITS.batch);
        sleep(SECOND).await;
    }
    assert_eq!(worker.asked(), [0]);
    assert_eq!(worker.report().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn uploads_run_side_by_side_up_to_a_limit() {
    let worker = TestWorker::start(vec![Script::Slow(60 * SECOND); 40]);
    for _ in 0..40 {
        worker.push(100);
        sleep(SECOND / 100).await;
    }
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked().len(), 40);
    assert_eq!(worker.transport.running.lock().unwrap().1, 16);
}

#[tokio::test(start_paused = true)]
async fn an_endless_delay_waits_for_a_full_batch_or_a_flush() {
    let worker = TestWorker::set_up(Setup {
        delay: Duration::MAX,
        ..Setup::default()
    });
    worker.push(1);
    sleep(100_000 * SECOND).await;
    assert!(worker.asked().is_empty() && worker.handle.is_alive());
    worker.flush(SECOND).await.unwrap();
    assert_eq!(worker.report().sent, 1);
    worker.push(100);
    sleep(SECOND).await;
    assert_eq!(worker.report().sent, 101);
}

#[tokio::test(start_paused = true)]
async fn items_behind_a_step_that_processors_drop_are_sent_in_time() {
    let mut processors = TelemetryProcessors::default();
    let mut seen = 0;
    processors.add(move |_| {
        seen += 1;
        match seen {
            ..=4_096 => crate::ItemDecision::Drop,
            _ => crate::ItemDecision::Keep,
        }
    });
    let worker = TestWorker::set_up(Setup {
        processors,
        ..Setup::default()
    });
    worker.push(4_096 + 50);
    sleep(6 * SECOND).await;
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (50, 4_096));
}
