//! The client against a scripted server, in paused time.

mod samples;
mod streams;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value;
use tokio::time::Instant;

use crate::envelope::{Data, Envelope, RequestData, SCHEMA_VERSION, TimeSpan};
use crate::item::Item;
use crate::live_metrics::client::Identity;
use crate::live_metrics::{
    Answer, Call, Calling, Change, Client, Collected, Collector, Configuration, Live,
    MAX_CONFIGURATION, MAX_FILTERS, Machine, Outcome, Request, Transport,
};

#[derive(Debug, Clone)]
enum Step {
    /// Subscribed, the name and the body of a configuration.
    Yes(&'static str, Bytes),
    No,
    Status(u16),
    Refused,
    /// No answer until the call's time is over.
    Hang,
    Headers(&'static [(&'static str, &'static str)]),
}

const YES: Step = Step::Yes("", Bytes::new());

#[derive(Debug)]
struct Server {
    start: Instant,
    steps: Mutex<VecDeque<Step>>,
    sent: Mutex<Vec<(f64, Request)>>,
}

impl Transport for Server {
    fn call(&self, request: Request) -> Calling {
        let now = self.start.elapsed().as_secs_f64();
        self.sent.lock().unwrap().push((now, request));
        let mut steps = self.steps.lock().unwrap();
        // The last answer is given for ever.
        let step = match steps.len() {
            1 => steps[0].clone(),
            _ => steps.pop_front().unwrap(),
        };
        Box::pin(async move {
            let answer = |headers: &[(&'static str, &str)], body| {
                let mut all = HeaderMap::new();
                for (name, value) in headers {
                    all.insert(*name, value.parse().unwrap());
                }
                Ok(Answer {
                    status: 200,
                    headers: all,
                    body,
                })
            };
            match step {
                Step::Yes(etag, body) => answer(
                    &[
                        ("x-ms-qps-subscribed", "true"),
                        ("x-ms-qps-configuration-etag", etag),
                    ],
                    body,
                ),
                Step::No => answer(&[("x-ms-qps-subscribed", "false")], Bytes::new()),
                Step::Headers(headers) => answer(headers, Bytes::new()),
                Step::Status(status) => Ok(Answer {
                    status,
                    ..Answer::default()
                }),
                Step::Refused => Err("connection refused".to_owned()),
                Step::Hang => {
                    tokio::time::sleep(Duration::from_secs(3)).await;
                    Err("timed out".to_owned())
                }
            }
        })
    }

    fn redirect(&self, _from: &str, to: &str) -> Option<String> {
        assert!(to != "defect", "meant");
        to.starts_with("https://good")
            .then(|| "https://good".to_owned())
    }
}

struct Scene {
    server: Arc<Server>,
    live: Arc<Live>,
    is_watched: Arc<AtomicBool>,
    _client: tokio::task::JoinHandle<()>,
}

impl Scene {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let server = Arc::new(Server {
            start: Instant::now(),
            steps: Mutex::new(steps.into_iter().collect()),
            sent: Mutex::default(),
        });
        let is_watched = Arc::new(AtomicBool::new(false));
        let (live, _) = Live::new(is_watched.clone());
        let identity = Identity {
            instrumentation_key: "the key".to_owned(),
            role_name: "shop".to_owned(),
            ..Identity::default()
        };
        let client = Client::new(live.clone(), server.clone(), "http://configured", identity);
        Self {
            server,
            live,
            is_watched,
            _client: tokio::spawn(client.run()),
        }
    }

    /// The calls of so many seconds, with their times.
    async fn sent_until(&self, seconds: f64) -> Vec<(f64, &'static str)> {
        let passed = self.server.start.elapsed();
        // A moment later, so that what is due then is sent.
        let until = Duration::from_secs_f64(seconds + 0.0015);
        tokio::time::sleep(until.saturating_sub(passed)).await;
        let sent = self.server.sent.lock().unwrap();
        let sent = sent.iter().map(|(at, request)| {
            let is_ping = request.address.contains("/ping?");
            // Timers have a grain of a millisecond.
            (
                (at * 100.0).round() / 100.0,
                if is_ping { "ping" } else { "post" },
            )
        });
        sent.collect()
    }

    fn request(&self, index: usize) -> Request {
        self.server.sent.lock().unwrap()[index].1.clone()
    }

    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.request(index).body).unwrap()
    }

    fn header(&self, index: usize, name: &str) -> Option<String> {
        let request = self.request(index);
        let mut headers = request.headers.into_iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }
}

fn request(milliseconds: u64, success: bool) -> Envelope<'static> {
    let data = RequestData {
        ver: SCHEMA_VERSION,
        id: "1".into(),
        name: "GET /".into(),
        duration: TimeSpan(Duration::from_millis(milliseconds)),
        success,
        response_code: "200".into(),
        source: None,
        url: None,
        properties: [("b".into(), "2".into()), ("a".into(), "1".into())]
            .into_iter()
            .collect(),
        measurements: std::iter::empty().collect(),
    };
    Envelope::new(std::time::SystemTime::UNIX_EPOCH, Data::Request(data))
}

fn metric(point: &Value, name: &str) -> (f64, f64) {
    let metrics = point["Metrics"].as_array().unwrap();
    let found = metrics.iter().find(|metric| metric["Name"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not in {point:#}"));
    (
        found["Value"].as_f64().unwrap(),
        found["Weight"].as_f64().unwrap(),
    )
}

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

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

#[tokio::test(start_paused = true)]
async fn a_configuration_comes_with_a_ping_and_replaces_the_one_before_between_two_points() {
    let configuration = |id: &str| {
        body(&format!(
            r#"{{"ETag":"x","Metrics":[{{"Id":"{id}","TelemetryType":"Request","FilterGroups":[],"Projection":"Count()","Aggregation":"Sum","BackEndAggregation":"Sum"}}],
            "DocumentStreams":[{{"Id":"s","DocumentFilterGroups":[{{"TelemetryType":"Request","Filters":{{"Filters":[]}}}}]}}],"QuotaInfo":null}}"#
        ))
    };
    let scene = Scene::new([
        Step::Yes("one", configuration("a")),
        Step::Yes("two", configuration("b")),
        Step::Yes("two", body("not read again")),
    ]);
    scene.sent_until(0.0).await;
    scene.live.observe(&request(100, true));
    scene.sent_until(1.0).await;
    scene.live.observe(&request(100, true));
    scene.sent_until(2.0).await;
    let etag = |index| scene.header(index, "x-ms-qps-configuration-etag").unwrap();
    assert_eq!(
        (etag(0), etag(1), etag(2)),
        (String::new(), "one".to_owned(), "two".to_owned())
    );
    let (first, second) = (scene.body(1), scene.body(2));
    assert_eq!(metric(&first[0], "a"), (1.0, 1.0));
    assert_eq!(metric(&second[0], "b"), (1.0, 1.0));
    let names = second[0]["Metrics"].to_string();
    assert!(!names.contains(r#""a""#), "{names}");
    let document = &first[0]["Documents"][0];
    assert_eq!(document["DocumentType"], "Request");
    assert_eq!(document["DocumentStreamIds"], serde_json::json!(["s"]));
    assert_eq!(document["Duration"], "PT0.1S");
    let properties = serde_json::json!([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]);
    assert_eq!(document["Properties"], properties);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_read_is_reported_with_each_post_and_not_asked_for_again() {
    let large = Bytes::from(vec![b' '; MAX_CONFIGURATION + 1]);
    for (refused, reason) in [(body("{garbage"), "not readable"), (large, "larger than")] {
        let scene = Scene::new([Step::Yes("bad", refused)]);
        scene.sent_until(2.0).await;
        for index in [1, 2] {
            assert_eq!(
                scene
                    .header(index, "x-ms-qps-configuration-etag")
                    .as_deref(),
                Some("bad")
            );
            let body = scene.body(index);
            let errors = body[0]["CollectionConfigurationErrors"].as_array().unwrap();
            let [error] = errors.as_slice() else {
                panic!("{errors:?}")
            };
            let kind = "CollectionConfigurationFailureToCreateUnexpected";
            assert_eq!(error["CollectionConfigurationErrorType"], kind);
            assert!(
                error["Message"].as_str().unwrap().contains(reason),
                "{error}"
            );
            assert_eq!(
                error["Data"][0],
                serde_json::json!({"key": "ETag", "value": "bad"})
            );
        }
    }
}

#[test]
fn of_a_thousand_filters_as_many_hold_as_may_and_the_others_are_reported() {
    let filter = r#"{"FieldName":"Name","Predicate":"Contains","Comparand":"x"}"#;
    let metric = |id: usize| {
        format!(
            r#"{{"Id":"{id}","TelemetryType":"Request","FilterGroups":[{{"Filters":[{}]}}],"Projection":"Count()","Aggregation":"Sum"}}"#,
            [filter; 10].join(",")
        )
    };
    let metrics: Vec<_> = (0..100).map(metric).collect();
    let text = format!(r#"{{"Metrics":[{}]}}"#, metrics.join(","));
    let configuration = Configuration::read("e", text.as_bytes());
    assert_eq!(configuration.metrics.len(), MAX_FILTERS / 10);
    let errors = configuration.errors();
    assert_eq!(errors.len(), 64, "no more are reported");
    assert!(errors[0].message.contains("more than 256 filters"));
}

#[test]
fn errors_name_the_part_that_is_wrong_and_the_rest_applies() {
    let text = r#"{"Metrics":[
        {"Id":"a","TelemetryType":"PerformanceCounter","Projection":"x","Aggregation":"Sum"},
        {"Id":"b","TelemetryType":"Request","Projection":"*","Aggregation":"Sum"},
        {"Id":"c","TelemetryType":"Request","Projection":"Count()","Aggregation":"Median"},
        {"Id":"d","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum","FilterGroups":[{"Filters":[{"FieldName":"Nme","Predicate":"Equal","Comparand":"x"}]}]},
        {"Id":"e","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum","FilterGroups":null},
        {"Id":"e","TelemetryType":"Request","Projection":"Count()","Aggregation":"Sum"}],
      "DocumentStreams":[
        {"Id":"s","DocumentFilterGroups":[
            {"TelemetryType":"Request","Filters":{"Filters":[{"FieldName":"Success","Predicate":"Contains","Comparand":"true"}]}},
            {"TelemetryType":"Trace","Filters":{"Filters":[]}},
            {"TelemetryType":"Metric","Filters":{"Filters":[]}}]},
        {"Id":"s"}]}"#;
    let configuration = Configuration::read("tag", text.as_bytes());
    let errors = configuration.errors().iter().map(|error| {
        let of = &error.data[0];
        let kind = error.collection_configuration_error_type;
        (kind, of.key.as_str(), of.value.as_str())
    });
    assert_eq!(
        errors.collect::<Vec<_>>(),
        [
            ("MetricTelemetryTypeUnsupported", "MetricId", "a"),
            ("MetricFailureToCreate", "MetricId", "b"),
            ("MetricFailureToCreate", "MetricId", "c"),
            ("MetricFailureToCreateFilterUnexpected", "MetricId", "d"),
            ("MetricDuplicateIds", "MetricId", "e"),
            (
                "DocumentStreamFailureToCreateFilterUnexpected",
                "DocumentStreamId",
                "s"
            ),
            (
                "CollectionConfigurationFailureToCreateUnexpected",
                "DocumentStreamId",
                "s"
            ),
            ("DocumentStreamDuplicateIds", "DocumentStreamId", "s"),
        ]
    );
    let filter = &configuration.errors()[3];
    let data: Vec<_> = filter.data.iter().map(|pair| pair.key.as_str()).collect();
    let expected = [
        "MetricId",
        "FilterFieldName",
        "FilterPredicate",
        "FilterComparand",
        "ETag",
    ];
    assert_eq!(data, expected);
    assert_eq!(configuration.metrics.len(), 1);
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    collector.observe(&request(1, true), 1, Duration::ZERO);
    let collected = collector.take(Duration::from_secs(1)).unwrap();
    assert_eq!(
        collected.documents,
        [],
        "requests of the stream were refused"
    );
    assert_eq!(collected.metrics.last().unwrap().value, 1.0);
}

#[test]
fn samples_are_bounded_by_the_quotas_and_it_is_said() {
    let text = r#"{"DocumentStreams":[{"Id":"s","DocumentFilterGroups":[{"TelemetryType":"Request","Filters":{"Filters":[]}}]}],
        "QuotaInfo":{"InitialQuota":1e9,"MaxQuota":1e9,"QuotaAccrualRatePerSec":1e9}}"#;
    let configuration = Configuration::read("tag", text.as_bytes());
    let mut collector = Collector::new(Arc::new(configuration), Duration::ZERO);
    let observe = |collector: &mut Collector| {
        for number in 0..10_000 {
            // The second half half a second later, so that quotas have grown again.
            let time = Duration::from_millis(500 + number / 5_000 * 500);
            collector.observe(&request(1, true), 1, time);
        }
    };
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(collected.documents.len(), 1_000);
    let usual = Configuration::read("tag", text.replace("QuotaInfo", "Other").as_bytes());
    let mut collector = Collector::new(Arc::new(usual), Duration::ZERO);
    observe(&mut collector);
    let collected = collector.take(Duration::from_secs(2)).unwrap();
    assert_eq!(
        collected.documents.len(),
        3,
        "three, and half of one a second"
    );
    assert_eq!(collected.metrics[0].value, 5_000.0, "all were counted");
}

#[test]
fn what_finds_no_room_is_counted_all_the_same() {
    let (live, unsampled) = Live::new(Arc::default());
    let span = |kind, status| {
        Item::from(SpanData {
            span_kind: kind,
            status,
            ..crate::fixtures::span("work")
        })
    };
    let work = || span(SpanKind::Internal, Status::Unset);
    assert!(live.offer(work()).is_err(), "no reader is subscribed");
    live.start(Arc::default());
    let given_back = (0..20_000).filter(|_| live.offer(work()).is_err()).count();
    assert_eq!(given_back + unsampled.len(), 20_000);
    assert!(given_back > 0);
    for kind in [SpanKind::Server, SpanKind::Consumer, SpanKind::Client] {
        for status in [Status::Unset, Status::error("failed")] {
            live.miss(&mut span(kind.clone(), status));
        }
    }
    let calls = |collected: &Collected, name: &str| {
        let name = format!(r"\ApplicationInsights\{name}");
        let mut metrics = collected.metrics.iter();
        metrics.find(|metric| metric.name == name).unwrap().clone()
    };
    let collected = live.take().unwrap();
    let dependencies = calls(&collected, "Dependency Call Duration");
    assert_eq!(dependencies.weight, given_back as u64 + 2);
    assert_eq!(dependencies.value, 125.0);
    assert_eq!(calls(&collected, "Request Duration").weight, 4);
    let rate = |name| calls(&collected, name).value;
    // Halves of an interval whose length is not known.
    let (failed, all) = (rate("Requests Failed/Sec"), rate("Requests/Sec"));
    assert!((failed * 2.0 - all).abs() < all / 1_000.0, "{failed} {all}");
    let failed = rate("Dependency Calls Failed/Sec");
    assert!((failed * 4.0 - all).abs() < all / 1_000.0, "{failed} {all}");
    // A point that was not taken does not reach the next reader.
    live.miss(&mut work());
    live.stop();
    live.miss(&mut work());
    live.start(Arc::default());
    let collected = live.take().unwrap();
    assert_eq!(calls(&collected, "Dependency Call Duration").weight, 0);
}
