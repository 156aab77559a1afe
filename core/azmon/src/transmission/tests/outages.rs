//! An endpoint that fails in every way, and neither duplicates nor loses items that it could have accepted.

use opentelemetry::KeyValue;

use super::*;

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

#[tokio::test(start_paused = true)]
async fn one_batch_that_is_refused_for_ever_keeps_no_other_waiting() {
    for refusal in [
        Script::Status(500),
        Script::Status(503),
        Script::Status(429),
        Script::Unreachable,
        Script::Panic,
    ] {
        let worker = TestWorker::start([]);
        let answer = refusal.clone();
        worker.rule(move |names| has(names, "poison").then(|| answer.clone()));
        worker.push_named("poison");
        sleep(6 * SECOND).await;
        for _ in 0..40 {
            worker.push(2);
            sleep(6 * SECOND).await;
            let sent = worker.report().sent;
            let waiting = *worker.pushed.lock().unwrap() - sent;
            assert_eq!(waiting, 1, "{refusal:?}");
        }
        assert_eq!(worker.transport.arrived_once(), 80, "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_item_that_fails_for_ever_within_a_batch_keeps_no_other_waiting() {
    let worker = TestWorker::start([]);
    worker.rule(|names| {
        let place = names.iter().position(|name| name == "poison")?;
        Some(track(206, &[(place, 500)]))
    });
    worker.push_named("poison");
    for _ in 0..40 {
        worker.push(2);
        sleep(6 * SECOND).await;
    }
    assert_eq!(worker.transport.arrived_once(), 80);
    assert_eq!(worker.report().sent, 80);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_given_up_after_its_age_and_counted() {
    let worker = TestWorker::start([]);
    worker.rule(|names| has(names, "poison").then_some(Script::Status(500)));
    worker.push_named("poison");
    sleep(47 * 3_600 * SECOND).await;
    assert_eq!(worker.report().dropped, 0);
    sleep(3 * 3_600 * SECOND).await;
    assert_eq!(worker.report().dropped, 1);
    let dropped = worker.handle.statistics().dropped;
    assert_eq!(dropped[0].reason, crate::DropReason::Expired);
    let tries = worker.asked().len();
    assert!((50..150).contains(&tries), "{tries} tries");
}

#[tokio::test(start_paused = true)]
async fn exports_in_an_outage_take_no_more_memory_than_they_may() {
    let worker = TestWorker::start([]);
    worker.rule(|_| Some(Script::RetryAfter(503, "86400")));
    let mut refused = 0;
    // Random texts compress badly.
    let pool: String = (0..1 << 18).map(|_| fastrand::alphanumeric()).collect();
    for _ in 0..20 {
        let item = |_| {
            let mut span = span("x");
            let text = || {
                let start = fastrand::usize(..pool.len() - 8_000);
                pool[start..start + 8_000].to_owned()
            };
            let attributes = (0..7).map(|key| KeyValue::new(key.to_string(), text()));
            span.attributes = attributes.collect();
            Item::from(span)
        };
        let items: Vec<_> = (0..5).map(item).collect();
        *worker.pushed.lock().unwrap() += 5;
        let mapper = worker.mapper.clone();
        let export = worker.handle.export(SourceId::MAIN, mapper, items);
        match tokio::time::timeout(SECOND, export).await {
            Ok(Err(crate::error::Undelivered::Dropped(items))) => refused += items,
            Ok(Err(_)) | Err(_) => {}
            Ok(Ok(())) => panic!("an outage"),
        }
        let memory = worker.handle.statistics().memory_bytes;
        assert!(memory < MAX_MEMORY + (1 << 20), "{memory}");
    }
    let report = worker.report();
    assert!(
        report.dropped > 0 && report.dropped == refused as u64,
        "{report:?} {refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wave_of_throttling_is_one_failure() {
    let throttled = Script::SlowRetryAfter(SECOND / 2, 429, "2");
    let worker = TestWorker::start(vec![throttled; 16]);
    for _ in 0..16 {
        worker.push(100);
        sleep(SECOND / 1_000).await;
    }
    sleep(3 * SECOND).await;
    worker.rule(|_| None);
    sleep(60 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 1_600);
    assert!(
        worker.asked().iter().all(|second| *second <= 4),
        "{:?}",
        worker.asked()
    );
}

#[tokio::test(start_paused = true)]
async fn a_storm_is_probed_with_growing_pauses_and_then_everything_arrives() {
    let worker = TestWorker::start([]);
    worker.rule(|_| Some(Script::Status(503)));
    for _ in 0..600 {
        worker.push(2);
        sleep(6 * SECOND).await;
    }
    let tries = worker.asked().len();
    assert!(tries < 30, "{tries} tries in an hour: {:?}", worker.asked());
    worker.rule(|_| None);
    sleep(2 * 3_600 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 1_200);
    assert_eq!(worker.report().sent, 1_200);
}

#[tokio::test(start_paused = true)]
async fn a_bad_item_is_found_and_the_others_arrive() {
    let worker = TestWorker::start([]);
    worker.rule(|names| has(names, "poison").then_some(Script::Status(400)));
    worker.push(500);
    worker.push_named("poison");
    worker.push(523);
    sleep(60 * SECOND).await;
    assert_eq!(worker.transport.arrived_once(), 1_023);
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (1_023, 1));
    assert!(worker.asked().len() < 30, "{}", worker.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_bad_request_that_names_its_items_costs_one_more_request() {
    let worker = TestWorker::start([]);
    worker.rule(|names| {
        let place = names.iter().position(|name| name == "poison")?;
        Some(track(400, &[(place, 400)]))
    });
    worker.push(50);
    worker.push_named("poison");
    worker.push(49);
    sleep(60 * SECOND).await;
    let report = worker.report();
    assert_eq!((report.sent, report.dropped), (99, 1));
    assert_eq!(worker.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_all_bad_are_refused_after_a_bounded_search() {
    let worker = TestWorker::start([]);
    worker.rule(|_| Some(Script::Status(400)));
    for _ in 0..50 {
        worker.push(100);
        sleep(SECOND).await;
    }
    assert_eq!(worker.report().dropped, 5_000);
    assert!(worker.asked().len() < 500, "{}", worker.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_in_every_mixture_loses_and_doubles_nothing() {
    let worker = TestWorker::start([]);
    let random = Mutex::new(fastrand::Rng::with_seed(7));
    let refused = Arc::new(Mutex::new(0));
    let count = refused.clone();
    worker.rule(move |names| {
        let mut random = random.lock().unwrap();
        let mut items = Vec::new();
        for index in 0..names.len() {
            match random.u32(..6) {
                0 => items.push((index, [408, 429, 439, 500, 503][random.usize(..5)])),
                1 => {
                    *count.lock().unwrap() += 1;
                    items.push((index, 400));
                }
                _ => {}
            }
        }
        Some(track(206, &items))
    });
    for _ in 0..20 {
        worker.push(97);
        sleep(6 * SECOND).await;
    }
    worker.rule(|_| None);
    sleep(7_200 * SECOND).await;
    let (report, refused) = (worker.report(), *refused.lock().unwrap());
    assert_eq!((report.sent, report.dropped), (1_940 - refused, refused));
    assert_eq!(worker.transport.arrived_once() as u64, report.sent);
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_that_cannot_be_read_is_tried_again_and_then_counted() {
    let worker = TestWorker::start([]);
    worker.rule(|_| Some(Script::Body(206, "<html>".to_owned())));
    worker.push(3);
    sleep(600 * SECOND).await;
    assert_eq!(worker.asked().len(), 3);
    assert_eq!(worker.report().dropped, 3);
}

#[tokio::test(start_paused = true)]
async fn garbage_that_calls_itself_success_is_success() {
    for body in ["", "OK", "<html>", "[[[[", "{\"errors\":7}"] {
        let worker = TestWorker::start([Script::Body(200, body.to_owned())]);
        worker.push(3);
        sleep(60 * SECOND).await;
        assert_eq!(worker.report().sent, 3, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_delivers_as_many_items_as_possible_and_counts_the_rest() {
    let worker = TestWorker::start([]);
    worker.rule(|names| has(names, "poison").then_some(Script::Status(500)));
    worker.push_named("poison");
    worker.push(2_000);
    let ended = worker.handle.shut_down(5 * SECOND).await;
    assert!(ended.is_err());
    let report = worker.report();
    assert_eq!(report.sent + report.dropped, 2_001);
    assert_eq!(report.sent as usize, worker.transport.arrived_once());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_an_outage_keeps_its_deadline() {
    for outage in [Script::Unreachable, Script::Slow(3_600 * SECOND)] {
        let worker = TestWorker::start([]);
        worker.rule(move |_| Some(outage.clone()));
        worker.push(300);
        let start = Instant::now();
        assert!(worker.handle.shut_down(5 * SECOND).await.is_err());
        assert!(start.elapsed() <= 5 * SECOND, "{:?}", start.elapsed());
        assert_eq!(worker.report().dropped, 300);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_never_opened_is_counted() {
    let worker = TestWorker::start([]);
    let items = vec![Item::from(span("x"))];
    *worker.pushed.lock().unwrap() += 1;
    let mapper = worker.mapper.clone();
    let source = SourceId::next();
    worker.handle.export(source, mapper, items).await.unwrap();
    assert_eq!(worker.report().dropped, 1);
}
