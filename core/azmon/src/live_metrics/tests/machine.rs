//! The state machine of pings and posts, and the failures of a server.

use std::time::Duration;

use super::{Scene, Step, YES, body, metric, request};
use crate::live_metrics::{Call, Change, Machine, Outcome};

#[tokio::test(start_paused = true)]
async fn without_a_subscription_it_pings_every_five_seconds_and_collects_nothing() {
    let scene = Scene::new([Step::No]);
    let sent = scene.sent_until(10.0).await;
    assert_eq!(sent, [(0.0, "ping"), (5.0, "ping"), (10.0, "ping")]);
    assert!(!scene.is_watched());
    let ping = scene.body(0);
    assert_eq!(ping["InvariantVersion"], 5);
    assert_eq!(ping["RoleName"], "shop");
    assert_eq!(ping["StreamId"].as_str().unwrap().len(), 32);
    let address = scene.request(0).address;
    assert!(
        address
            .ends_with("/QuickPulseService.svc/ping?api-version=2024-04-01-preview&ikey=the%20key")
    );
    let ticks = scene.header(0, "x-ms-qps-transmission-time").unwrap();
    assert!(
        ticks.parse::<u64>().unwrap() > 638_000_000_000_000_000,
        "{ticks}"
    );
    assert_eq!(
        scene.header(0, "x-ms-qps-invariant-version").as_deref(),
        Some("5")
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscription_lets_it_post_each_second_until_it_ends() {
    let scene = Scene::new([YES, YES, YES, Step::No]);
    scene.sent_until(0.0).await;
    assert!(scene.is_watched());
    for (milliseconds, success) in [(100, true), (300, false)] {
        scene.live.observe(&request(milliseconds, success));
    }
    scene.sent_until(2.0).await;
    let [first] = scene
        .body(1)
        .as_array()
        .unwrap()
        .clone()
        .try_into()
        .unwrap();
    let of = |name: &str| metric(&first, &format!(r"\ApplicationInsights\{name}"));
    let near = |(value, weight): (f64, f64), expected: f64, weighted: f64| {
        assert!((value - expected).abs() < 0.02, "{value} {expected}");
        assert_eq!(weight, weighted);
    };
    near(of("Requests/Sec"), 2.0, 1.0);
    near(of("Request Duration"), 200.0, 2.0);
    near(of("Requests Failed/Sec"), 1.0, 1.0);
    near(of("Requests Succeeded/Sec"), 1.0, 1.0);
    near(of("Dependency Calls/Sec"), 0.0, 1.0);
    assert_eq!(
        first["Documents"],
        serde_json::json!([]),
        "there is no stream"
    );
    let second = &scene.body(2)[0];
    assert_eq!(metric(second, r"\ApplicationInsights\Requests/Sec").0, 0.0);
    let sent = scene.sent_until(8.0).await;
    let expected = [
        (0.0, "ping"),
        (1.0, "post"),
        (2.0, "post"),
        (3.0, "post"),
        (8.0, "ping"),
    ];
    assert_eq!(sent, expected);
    assert!(!scene.is_watched());
}

#[tokio::test(start_paused = true)]
async fn points_that_fail_are_sent_again_ten_at_most() {
    let failures = std::iter::repeat_n(Step::Refused, 12);
    let scene = Scene::new([YES].into_iter().chain(failures).chain([YES]));
    scene.sent_until(0.0).await;
    scene.live.observe(&request(100, true));
    scene.sent_until(14.0).await;
    let points = |index| scene.body(index).as_array().unwrap().len();
    assert_eq!((points(1), points(2), points(10)), (1, 2, 10));
    assert_eq!((points(12), points(13), points(14)), (10, 10, 1));
    let requests = |index: usize| {
        let points = scene.body(index);
        let name = r"\ApplicationInsights\Request Duration";
        metric(&points[0], name).1
    };
    assert_eq!((requests(10), requests(11)), (1.0, 0.0), "the oldest goes");
    let sent = scene.body(10);
    let times = sent.as_array().unwrap().iter();
    let times: Vec<_> = times.map(|point| &point["TransmissionTime"]).collect();
    assert!(times.iter().all(|time| *time == times[0]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn after_twenty_seconds_of_failure_it_stops_and_asks_a_minute_later() {
    let scene = Scene::new([YES, Step::Status(503)]);
    let sent = scene.sent_until(140.0).await;
    assert_eq!(sent[20], (20.0, "post"));
    assert_eq!(sent[21..], [(80.0, "ping"), (140.0, "ping")]);
    assert!(!scene.is_watched());
}

#[tokio::test(start_paused = true)]
async fn points_that_could_not_be_sent_are_gone_after_it_has_given_up() {
    let failures = std::iter::repeat_n(Step::Refused, 20);
    let scene = Scene::new([YES].into_iter().chain(failures).chain([YES]));
    let sent = scene.sent_until(81.0).await;
    assert_eq!(sent[20..], [(20.0, "post"), (80.0, "ping"), (81.0, "post")]);
    assert_eq!(scene.body(22).as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_outlives_its_subscription() {
    let text = r#"{"Metrics":[{"Id":"a","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum"}],
        "DocumentStreams":[
            {"Id":"s","DocumentFilterGroups":[{"TelemetryType":"Request","Filters":{}}]},
            {"Id":"failed","DocumentFilterGroups":[{"TelemetryType":"Request",
                "Filters":{"Filters":[{"FieldName":"Success","Predicate":"Equal","Comparand":"false"}]}}]}],
        "QuotaInfo":{"InitialQuota":1,"MaxQuota":1,"QuotaAccrualRatePerSec":0}}"#;
    let again = Step::Yes("one", body("not read again"));
    let scene = Scene::new([Step::Yes("one", body(text)), Step::No, again]);
    scene.sent_until(6.0).await;
    let etag = |index| scene.header(index, "x-ms-qps-configuration-etag");
    assert_eq!((etag(1), etag(2)), (etag(2), Some("one".to_owned())));
    for success in [true, false] {
        scene.live.observe(&request(1, success));
    }
    scene.sent_until(7.0).await;
    let post = &scene.body(3)[0];
    assert_eq!(metric(post, "a"), (2.0, 2.0));
    // The second would be a sample for those that failed.
    assert_eq!(post["Documents"].as_array().unwrap().len(), 1);
    assert_eq!(post["GlobalDocumentQuotaReached"], true);
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_for_a_minute_it_asks_once_a_minute_until_it_gets_one() {
    let failures = std::iter::repeat_n(Step::Status(401), 14);
    let scene = Scene::new(failures.chain([Step::No]));
    let sent = scene.sent_until(185.0).await;
    let times: Vec<_> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times[11..], [55.0, 60.0, 120.0, 180.0, 185.0]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_called_one_call_after_the_other() {
    let scene = Scene::new([YES, Step::Hang]);
    let sent = scene.sent_until(90.0).await;
    let times: Vec<_> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times[..4], [0.0, 1.0, 4.0, 7.0]);
    // The first call that began after twenty seconds is the last.
    assert_eq!(times[7..], [19.0, 22.0, 82.0]);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_answers_count_as_failures() {
    for headers in [
        &[][..],
        &[("x-ms-qps-subscribed", "perhaps")],
        &[("x-ms-qps-configuration-etag", "x")],
    ] {
        let scene = Scene::new([Step::Headers(headers)]);
        let sent = scene.sent_until(60.0).await;
        assert_eq!(sent.len(), 13, "{headers:?}");
        assert!(!scene.is_watched());
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_is_late_once() {
    let scene = Scene::new([YES]);
    scene.sent_until(1.0).await;
    scene.live.observe(&request(100, true));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let sent = scene.sent_until(3_603.0).await;
    let late = sent.iter().filter(|(at, _)| *at > 1.5).count();
    assert!((2..=4).contains(&late), "{sent:?}");
    let point = &scene.body(2)[0];
    let (rate, _) = metric(point, r"\ApplicationInsights\Requests/Sec");
    assert!(rate < 0.01, "one request in an hour: {rate}");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_wants_to_get_again_it_gets_and_its_hint_holds() {
    let scene = Scene::new([
        Step::Headers(&[
            ("x-ms-qps-subscribed", "false"),
            ("x-ms-qps-service-polling-interval-hint", "7000"),
            ("x-ms-qps-auth-status", "opaque"),
        ]),
        Step::Headers(&[
            ("x-ms-qps-subscribed", "false"),
            ("x-ms-qps-service-polling-interval-hint", "1"),
        ]),
        Step::Headers(&[
            ("x-ms-qps-subscribed", "true"),
            ("x-ms-qps-service-polling-interval-hint", "600001"),
        ]),
        Step::No,
    ]);
    let sent = scene.sent_until(22.0).await;
    let expected = [
        (0.0, "ping"),
        (7.0, "ping"),
        (14.0, "ping"),
        (15.0, "post"),
        (22.0, "ping"),
    ];
    assert_eq!(sent, expected);
    assert_eq!(scene.header(0, "x-ms-qps-auth-status"), None);
    for index in [1, 2, 3, 4] {
        let echoed = scene.header(index, "x-ms-qps-auth-status");
        assert_eq!(echoed.as_deref(), Some("opaque"), "{index}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_may_be_followed_is_until_nothing_is_heard() {
    const REDIRECT: &str = "x-ms-qps-service-endpoint-redirect-v2";
    let foreign = Step::Headers(&[
        ("x-ms-qps-subscribed", "false"),
        (REDIRECT, "https://bad/x"),
    ]);
    let good = Step::Headers(&[
        ("x-ms-qps-subscribed", "false"),
        (REDIRECT, "https://good/x"),
    ]);
    let scene = Scene::new([foreign, good, Step::Refused]);
    scene.sent_until(200.0).await;
    let host = |index| {
        let address = scene.request(index).address;
        address
            .split("/QuickPulseService.svc/")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (host(0), host(1)),
        (host(1), "http://configured".to_owned())
    );
    assert_eq!(host(2), "https://good");
    let last = scene.server.sent.lock().unwrap().len() - 1;
    assert_eq!(host(last), "http://configured");
}

#[tokio::test(start_paused = true)]
async fn after_a_defect_it_begins_again_a_while_later() {
    let defect = Step::Headers(&[
        ("x-ms-qps-subscribed", "true"),
        ("x-ms-qps-service-endpoint-redirect-v2", "defect"),
    ]);
    let scene = Scene::new([YES, defect, Step::No]);
    let sent = scene.sent_until(11.0).await;
    let expected = [(0.0, "ping"), (1.0, "post"), (6.0, "ping"), (11.0, "ping")];
    assert_eq!(sent, expected);
    assert!(!scene.is_watched());
}

#[test]
fn silence_is_counted_from_calls_and_a_late_answer_delays_the_next_call() {
    let seconds = Duration::from_secs;
    let mut machine = Machine::new(seconds(0));
    machine.begin(seconds(0));
    assert_eq!(machine.end(Outcome::Subscribed, seconds(3)), Change::Start);
    assert_eq!(machine.next(), (seconds(3), Call::Post));
    machine.begin(seconds(19));
    assert_eq!(machine.end(Outcome::Failed, seconds(22)), Change::None);
    machine.begin(seconds(22));
    assert_eq!(machine.end(Outcome::Failed, seconds(25)), Change::Stop);
}
