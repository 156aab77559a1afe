//! Live Metrics of received telemetry, against a scripted endpoint.

use std::collections::HashSet;

use azmon_forwarder::Forwarder;
use azmon_forwarder::config::ForwarderConfig;
use azmon_forwarder::operation::{metrics_text, statistics_lines};
use serde_json::Value;

use crate::endpoint::{Endpoint, LiveAnswer};
use crate::forwarder::{client, config, is_request, message, span};

const GRPC: &str = "[inputs]\notlp-grpc = \"127.0.0.1:0\"\n";

fn live_config(endpoint: &Endpoint, toml: &str) -> ForwarderConfig {
    let mut config = config(endpoint, toml);
    config.destinations[0].connection_string = endpoint.live_connection_string();
    config
}

async fn send(forwarder: &Forwarder, roles: impl IntoIterator<Item = String>) {
    let mut client = client(forwarder).await;
    for (number, role) in roles.into_iter().enumerate() {
        let spans = vec![span(number as u64, "GET /", Vec::new())];
        client.export(message(&role, spans)).await.unwrap();
    }
}

fn roles(pings: &[(String, Value)]) -> Vec<&str> {
    let mut roles: Vec<_> = pings
        .iter()
        .map(|(_, ping)| ping["RoleName"].as_str().unwrap())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_pings_with_the_key_of_the_destination_and_without_the_forwarders_process() {
    let endpoint = Endpoint::start().await;
    let forwarder = Forwarder::start(live_config(&endpoint, GRPC))
        .await
        .unwrap();
    send(&forwarder, ["shop".to_owned(), "billing".to_owned()]).await;
    let pings = endpoint
        .wait_for_live_calls(|calls| roles(calls).len() == 2)
        .await;
    for (address, ping) in &pings {
        assert!(
            address.starts_with("/QuickPulseService.svc/ping?"),
            "{address}"
        );
        assert!(address.ends_with("ikey=00000000%2D0000%2D0000%2D0000%2D000000000001"));
        assert_eq!(ping["PerformanceCollectionSupported"], false);
        let version = ping["Version"].as_str().unwrap();
        assert!(
            !version.is_empty() && !version.starts_with("lf_"),
            "{version}"
        );
    }
    let ids: HashSet<_> = pings.iter().map(|(_, ping)| &ping["StreamId"]).collect();
    assert_eq!(ids.len(), 2);
    forwarder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_endpoint_that_hangs_or_fails_stops_nothing() {
    for answer in [LiveAnswer::Nothing, LiveAnswer::Failure] {
        let endpoint = Endpoint::start().await;
        endpoint.answer_live(answer);
        let forwarder = Forwarder::start(live_config(&endpoint, GRPC))
            .await
            .unwrap();
        send(&forwarder, (0..20).map(|number| number.to_string())).await;
        // Every stream hangs by now.
        endpoint
            .wait_for_live_calls(|calls| roles(calls).len() == 20)
            .await;
        send(&forwarder, (0..20).map(|number| number.to_string())).await;
        endpoint.wait_for(40, is_request).await;
        forwarder.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn role_instances_beyond_the_limit_are_sent_and_logged_as_not_shown() {
    let endpoint = Endpoint::start().await;
    let forwarder = Forwarder::start(live_config(&endpoint, GRPC))
        .await
        .unwrap();
    send(&forwarder, (0..53).map(|number| number.to_string())).await;
    let counts = forwarder.counts();
    let line = "Live Metrics default: [Servers: 50, LeftOut: 3]";
    let lines = statistics_lines(&counts);
    assert!(lines.iter().any(|one| one == line), "{lines:?}");
    let text = metrics_text(&counts);
    for line in [
        "azmon_forwarder_live_metrics_servers{destination=\"default\"} 50",
        "azmon_forwarder_live_metrics_left_out_total{destination=\"default\"} 3",
    ] {
        assert!(text.lines().any(|one| one == line), "{text}");
    }
    endpoint.wait_for(53, is_request).await;
    forwarder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn excluded_items_and_disabled_live_metrics_send_no_ping() {
    let endpoint = Endpoint::start().await;
    let off = format!("live-metrics = false\n{GRPC}");
    let mut forwarder = Forwarder::start(live_config(&endpoint, &off))
        .await
        .unwrap();
    send(&forwarder, ["off".to_owned()]).await;
    assert_eq!(forwarder.counts().destinations[0].live_metrics, None);
    endpoint.wait_for(1, is_request).await;
    let excluding = format!("{GRPC}[[exclude]]\nrole = \"excluded\"");
    let on = live_config(&endpoint, &excluding);
    forwarder.reload(on).await.unwrap();
    send(&forwarder, ["excluded".to_owned(), "on".to_owned()]).await;
    let pings = endpoint
        .wait_for_live_calls(|calls| !calls.is_empty())
        .await;
    assert_eq!(roles(&pings), ["on"]);
    let live = forwarder.counts().destinations[0].live_metrics.unwrap();
    assert_eq!((live.servers, live.left_out), (1, 0));
    // An ingestion endpoint alone has no live endpoint.
    forwarder.reload(config(&endpoint, GRPC)).await.unwrap();
    assert_eq!(forwarder.counts().destinations[0].live_metrics, None);
    forwarder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_destination_of_a_route_gets_them_and_a_key_of_their_own_goes_before() {
    let (first, second) = (Endpoint::start().await, Endpoint::start().await);
    let routed = format!(
        "{GRPC}[destinations.copy]\nconnection-string = \"{}\"\n[[routes]]\nresource = {{ \"service.name\" = \"*\" }}\n\
         to = [\"default\", \"copy\"]\n",
        second.live_connection_string()
    );
    let mut config = live_config(&first, &routed);
    let copy = config
        .destinations
        .iter_mut()
        .find(|one| one.name == "copy");
    copy.unwrap().live_metrics_key = Some("00000000-0000-0000-0000-000000000002".to_owned());
    let forwarder = Forwarder::start(config).await.unwrap();
    send(&forwarder, ["shop".to_owned()]).await;
    for (endpoint, key) in [(first, "1"), (second, "2")] {
        let pings = endpoint
            .wait_for_live_calls(|calls| !calls.is_empty())
            .await;
        assert_eq!(roles(&pings), ["shop"]);
        let (address, _) = &pings[0];
        assert!(address.ends_with(key), "{address}");
    }
    forwarder.shutdown().await;
}
