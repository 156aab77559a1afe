//! Items of Application Insights, over gRPC and HTTP.

use azmon::envelope::{Data, tags};
use azmon_forwarder::Forwarder;
use azmon_forwarder::config::{InputConfig, InputKind};
use azmon_forwarder::proto::contracts;
use azmon_forwarder::proto::contracts::ai_telemetry_service_client::AiTelemetryServiceClient;
use serde_json::json;
use tonic::transport::Channel;

use crate::endpoint::Endpoint;
use crate::forwarder::{ANY, address, config};
use crate::support::{named, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_of_application_insights_pass_as_they_are() {
    let endpoint = Endpoint::start().await;
    let mut config = config(&endpoint, "");
    for kind in [
        InputKind::ApplicationInsightsHttp,
        InputKind::ApplicationInsightsGrpc,
    ] {
        config.inputs.push(InputConfig::new(kind, ANY));
    }
    let forwarder = Forwarder::start(config).await.unwrap();
    let item = |name: &str| {
        json!({
            "name": "Microsoft.ApplicationInsights.Event",
            "time": "2026-11-30T12:00:00Z",
            "iKey": "own-key",
            "sampleRate": 50.0,
            "tags": {"ai.cloud.role": "browser"},
            "data": {"baseType": "EventData", "baseData": {"ver": 2, "name": name}},
        })
    };
    let http = address(&forwarder, InputKind::ApplicationInsightsHttp);
    for (path, body, status) in [
        (
            "v2.1/track",
            json!([item("array"), item("array 2")]).to_string(),
            200,
        ),
        (
            "/v2/track/",
            format!("{}\n{}\n", item("line"), item("line 2")),
            200,
        ),
        ("v2/track", format!("{}\nno json", item("partial")), 206),
        ("v2/track", "no json".to_owned(), 400),
        ("v2/track", String::new(), 400),
        ("v1/other", "{}".to_owned(), 404),
    ] {
        let url = format!("http://{http}/{path}");
        let answer = reqwest::Client::new()
            .post(url)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        if status == 206 {
            let answer: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(answer["itemsReceived"], 2);
            assert_eq!(answer["itemsAccepted"], 1);
            assert_eq!(answer["errors"][0]["index"], 1);
        }
    }
    let grpc = address(&forwarder, InputKind::ApplicationInsightsGrpc);
    let channel = Channel::from_shared(format!("http://{grpc}")).unwrap();
    let mut client = AiTelemetryServiceClient::new(channel.connect().await.unwrap());
    let telemetry = |data| contracts::Telemetry {
        date_time: "2026-11-30T12:00:00.1234567Z".to_owned(),
        instrumentation_key: "own-key".to_owned(),
        sampling_rate: Some(25.0),
        tags: [("ai.internal.sdkVersion".to_owned(), "x:1".to_owned())].into(),
        data: Some(data),
        ..contracts::Telemetry::default()
    };
    let request = |code: &str, success| {
        contracts::telemetry::Data::Request(contracts::Request {
            name: format!("request {code}"),
            response_code: code.to_owned(),
            success,
            duration: Some(prost_types::Duration {
                seconds: 1,
                nanos: 0,
            }),
            ..contracts::Request::default()
        })
    };
    let dependency = contracts::telemetry::Data::Dependency(contracts::Dependency {
        name: "call".to_owned(),
        ..contracts::Dependency::default()
    });
    let point = |name: &str| contracts::DataPoint {
        name: name.to_owned(),
        value: 3.0,
        count: Some(2),
        kind: contracts::DataPointType::Aggregation as i32,
        ..contracts::DataPoint::default()
    };
    let metric = contracts::telemetry::Data::Metric(contracts::Metric {
        metrics: vec![point("first"), point("second")],
        ..contracts::Metric::default()
    });
    let batch = contracts::TelemetryBatch {
        items: vec![
            telemetry(request("200", None)),
            telemetry(request("503", None)),
            telemetry(dependency),
            telemetry(metric),
            contracts::Telemetry::default(),
        ],
    };
    let answers = client
        .send_telemetry_batch(tokio_stream::iter([batch]))
        .await;
    assert!(
        answers
            .unwrap()
            .into_inner()
            .message()
            .await
            .unwrap()
            .is_none()
    );
    forwarder.shutdown().await;

    let envelopes = endpoint.envelopes();
    for event in ["array", "array 2", "line", "line 2", "partial"] {
        let event = named(&envelopes, event);
        assert_eq!(
            (event.i_key.as_ref(), event.sample_rate),
            ("own-key", Some(50.0))
        );
        assert_eq!(tag(event, tags::CLOUD_ROLE), Some("browser"));
    }
    for (name, expected) in [("request 200", true), ("request 503", false)] {
        let request = named(&envelopes, name);
        assert!(matches!(&request.data, Data::Request(data) if data.success == expected));
        assert_eq!(tag(request, tags::INTERNAL_SDK_VERSION), Some("lf_x:1"));
        assert_eq!(request.sample_rate, Some(25.0));
    }
    let call = named(&envelopes, "call");
    assert!(matches!(&call.data, Data::RemoteDependency(data) if data.success));
    let metric = named(&envelopes, "first");
    assert!(matches!(&metric.data, Data::Metric(data) if data.metrics.len() == 2));
}
