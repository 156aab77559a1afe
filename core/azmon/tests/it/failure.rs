//! Failures of the endpoint.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use azmon::DropReason;

use crate::endpoint::{Endpoint, Reserved, Script, connection_string};
use crate::support::{builder, dropped, span, telemetry};

#[test]
fn spans_that_end_in_an_outage_are_held_and_sent_when_it_is_over() {
    let reserved = Reserved::new();
    let telemetry = telemetry(connection_string(reserved.address()));
    span(&telemetry, "first");
    assert!(telemetry.force_flush().unwrap_err().is_held());
    span(&telemetry, "second");
    assert!(telemetry.force_flush().unwrap_err().is_held());

    let endpoint = reserved.start([Script::Accept, Script::Accept]);
    telemetry.force_flush().unwrap();
    let names: Vec<_> = endpoint
        .received()
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(dropped(&telemetry), []);
}

#[test]
fn an_endpoint_that_hangs_up_without_an_answer_is_tried_again() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let telemetry = telemetry(connection_string(address));
    span(&telemetry, "work");
    let hanging_up = std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        listener
    });
    assert!(telemetry.force_flush().unwrap_err().is_held());

    let endpoint = Endpoint::continue_on(hanging_up.join().unwrap(), [Script::Accept]);
    telemetry.force_flush().unwrap();
    assert_eq!(endpoint.received()[0].names(), ["work"]);
}

#[test]
fn every_retryable_status_keeps_the_items() {
    for status in [401, 403, 408, 429, 439, 500, 502, 503, 504] {
        let endpoint = Endpoint::start([Script::Status(status, None), Script::Accept]);
        let telemetry = telemetry(endpoint.connection_string());
        span(&telemetry, "work");
        assert!(telemetry.force_flush().unwrap_err().is_held(), "{status}");
        telemetry.force_flush().unwrap();
        let [first, second] = &endpoint.received()[..] else {
            panic!("two requests")
        };
        assert_eq!(first.envelopes, second.envelopes, "{status}");
        assert_eq!(dropped(&telemetry), []);
    }
}

#[test]
fn every_final_status_drops_the_items_and_counts_them() {
    for status in [402, 404] {
        let endpoint = Endpoint::start([Script::Status(status, None), Script::Accept]);
        let telemetry = telemetry(endpoint.connection_string());
        span(&telemetry, "refused");
        span(&telemetry, "refused");
        assert!(
            telemetry.force_flush().unwrap_err().is_dropped(),
            "{status}"
        );
        span(&telemetry, "accepted");
        telemetry.force_flush().unwrap();
        assert_eq!(endpoint.received()[1].names(), ["accepted"]);
        assert_eq!(dropped(&telemetry), [(DropReason::Rejected, 2)]);
    }
}

#[test]
fn a_bad_request_is_taken_apart_until_the_bad_items_are_alone() {
    let bad = Script::Status(400, None);
    let script = [bad.clone(), bad, Script::Accept, Script::Accept];
    let endpoint = Endpoint::start(script);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "bad");
    span(&telemetry, "good");
    assert!(telemetry.force_flush().unwrap_err().is_dropped());
    span(&telemetry, "next");
    telemetry.force_flush().unwrap();
    let names: Vec<_> = endpoint.received()[1..]
        .iter()
        .map(|received| received.names())
        .collect();
    assert_eq!(names.len(), 3);
    assert_eq!(dropped(&telemetry), [(DropReason::Rejected, 1)]);
}

#[test]
fn of_a_partial_success_only_the_retryable_items_are_sent_again() {
    let errors = vec![(0, 400), (1, 500), (3, 429)];
    let endpoint = Endpoint::start([Script::Partial(errors), Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    for name in ["bad", "unlucky", "fine", "throttled"] {
        span(&telemetry, name);
    }
    assert!(telemetry.force_flush().unwrap_err().is_held());
    telemetry.force_flush().unwrap();
    assert_eq!(endpoint.received()[1].names(), ["unlucky", "throttled"]);
    assert_eq!(dropped(&telemetry), [(DropReason::Rejected, 1)]);
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_halves() {
    let endpoint = Endpoint::start([Script::Status(413, None), Script::Accept, Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    for name in ["a", "b", "c"] {
        span(&telemetry, name);
    }
    telemetry.force_flush().unwrap();
    let mut halves: Vec<_> = endpoint.received()[1..]
        .iter()
        .map(|received| received.names())
        .collect();
    halves.sort();
    assert_eq!(halves, [vec!["a"], vec!["b", "c"]]);
    assert_eq!(dropped(&telemetry), []);
}

#[test]
fn a_single_item_that_is_too_large_is_dropped_and_counted() {
    let endpoint = Endpoint::start([Script::Status(413, None), Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "refused");
    assert!(telemetry.force_flush().unwrap_err().is_dropped());
    assert_eq!(dropped(&telemetry), [(DropReason::TooLarge, 1)]);
}

#[test]
fn a_redirect_is_followed_within_the_host_and_remembered() {
    let target = Endpoint::start([Script::Accept, Script::Accept]);
    let location = format!("http://{}/v2.1/track", target.address());
    let source = Endpoint::start([Script::Status(308, Some(("location", location)))]);
    let telemetry = telemetry(source.connection_string());
    for name in ["first", "second"] {
        span(&telemetry, name);
        telemetry.force_flush().unwrap();
    }
    assert_eq!(source.received().len(), 1);
    let names: Vec<_> = target
        .received()
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn a_redirect_to_a_foreign_host_is_not_followed() {
    let foreign = Endpoint::start([Script::Accept]);
    let location = format!("http://localhost:{}/v2.1/track", foreign.address().port());
    let source = Endpoint::start([
        Script::Status(307, Some(("location", location))),
        Script::Accept,
    ]);
    let telemetry = telemetry(source.connection_string());
    span(&telemetry, "work");
    assert!(telemetry.force_flush().unwrap_err().is_held());
    telemetry.force_flush().unwrap();
    assert!(foreign.received().is_empty());
    assert_eq!(source.received().len(), 2);
}

#[test]
fn a_circle_of_redirects_ends() {
    let reserved = Reserved::new();
    let location = format!("http://{}/", reserved.address());
    let circle = Script::Status(307, Some(("location", location)));
    let endpoint = reserved.start(std::iter::repeat_n(circle, 11).chain([Script::Accept]));
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "work");
    assert!(telemetry.force_flush().unwrap_err().is_held());
    assert_eq!(endpoint.received().len(), 11);
    telemetry.force_flush().unwrap();
}

#[test]
fn items_that_a_full_queue_refuses_are_counted_and_all_others_arrive() {
    const SPANS: u64 = 20_000;
    let endpoint = Endpoint::start(std::iter::repeat_n(Script::Accept, 100_000));
    let telemetry = builder(endpoint.connection_string())
        .max_queue_items(1)
        .build()
        .unwrap();
    for _ in 0..SPANS {
        span(&telemetry, "burst");
    }
    telemetry.force_flush().unwrap();
    let arrived: usize = endpoint
        .received()
        .iter()
        .map(|received| received.envelopes.len())
        .sum();
    let [(reason, refused)] = dropped(&telemetry)[..] else {
        panic!("one reason")
    };
    assert_eq!(reason, DropReason::QueueFull);
    assert_eq!(arrived as u64 + refused, SPANS);
}

#[test]
fn a_shutdown_in_an_outage_keeps_its_deadline_and_reports_losses() {
    let reserved = Reserved::new();
    let telemetry = telemetry(connection_string(reserved.address()));
    span(&telemetry, "lost");
    let error = telemetry.shutdown(Duration::from_millis(100)).unwrap_err();
    assert!(error.is_dropped(), "{error}");
    assert!(error.to_string().starts_with("1 items"), "{error}");
    assert_eq!(dropped(&telemetry), [(DropReason::Shutdown, 1)]);
}

#[test]
fn a_shutdown_does_not_wait_for_an_endpoint_that_never_answers() {
    let endpoint = Endpoint::start([Script::Hold]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "lost");
    assert!(
        telemetry
            .shutdown(Duration::from_millis(100))
            .unwrap_err()
            .is_dropped()
    );
    assert_eq!(dropped(&telemetry), [(DropReason::Shutdown, 1)]);
}
