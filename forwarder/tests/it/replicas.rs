//! Replicas behind a TCP load balancer.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use azmon::envelope::tags;
use azmon_forwarder::Forwarder;
use azmon_forwarder::config::InputKind;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Channel;

use crate::endpoint::Endpoint;
use crate::forwarder::{address, config, is_request, message, span};
use crate::support::{name, tag};

const REPLICAS: usize = 3;
const CLIENTS: u64 = 12;
const MESSAGES: u64 = 20;
const SPANS: u64 = 25;

/// Forwards each connection to the next replica that accepts connections.
async fn balancer(replicas: Vec<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let balancer = listener.local_addr().unwrap();
    let turn = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (replicas, turn) = (replicas.clone(), turn.clone());
            tokio::spawn(async move {
                for _ in 0..replicas.len() {
                    let replica = turn.fetch_add(1, Ordering::Relaxed) % replicas.len();
                    if let Ok(mut server) = TcpStream::connect(replicas[replica]).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                }
            });
        }
    });
    balancer
}

/// Sends each message until a replica has accepted it, with a new connection after each failure, like real
/// clients.
async fn send_all(balancer: SocketAddr, client: u64) {
    let mut connection = reconnect(balancer).await;
    for number in 0..MESSAGES {
        let first = (client * MESSAGES + number) * SPANS;
        let spans: Vec<_> = (first..first + SPANS)
            .map(|number| span(number, &format!("span {number}"), Vec::new()))
            .collect();
        while connection
            .export(message("shop", spans.clone()))
            .await
            .is_err()
        {
            connection = reconnect(balancer).await;
        }
    }
}

/// Connects to a replica that is not shutting down.
async fn reconnect(balancer: SocketAddr) -> TraceServiceClient<Channel> {
    loop {
        if let Ok(client) = TraceServiceClient::connect(format!("http://{balancer}")).await {
            return client;
        }
    }
}

async fn replica(endpoint: &Endpoint, sampling: &str) -> Forwarder {
    let toml = format!("{sampling}\n[inputs]\notlp-grpc = \"127.0.0.1:0\"");
    let mut config = config(endpoint, &toml);
    config.standard_metrics = false;
    Forwarder::start(config).await.unwrap()
}

async fn replicas(endpoint: &Endpoint, sampling: &str) -> (Vec<Forwarder>, SocketAddr) {
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(replica(endpoint, sampling).await);
    }
    let addresses = replicas
        .iter()
        .map(|one| address(one, InputKind::OtlpGrpc))
        .collect();
    (replicas, balancer(addresses).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_replicas_accept_arrives_though_one_of_them_ends() {
    let endpoint = Endpoint::start().await;
    let (mut replicas, balancer) = replicas(&endpoint, "").await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(send_all(balancer, client)))
        .collect();
    endpoint.wait_for(500, is_request).await;
    replicas.remove(1).shutdown().await;
    for client in clients {
        client.await.unwrap();
    }
    for replica in replicas {
        let counts = replica.counts();
        assert!(counts.inputs[0].counts.batches_received > 0, "{counts:?}");
        replica.shutdown().await;
    }
    let mut arrived: HashMap<String, u32> = HashMap::new();
    for envelope in endpoint.envelopes().iter().filter(|one| is_request(one)) {
        *arrived.entry(name(envelope).to_owned()).or_default() += 1;
    }
    let missing: Vec<_> = (0..CLIENTS * MESSAGES * SPANS)
        .map(|number| format!("span {number}"))
        .filter(|name| !arrived.contains_key(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_decide_alike_about_a_trace() {
    let endpoint = Endpoint::start().await;
    let sampling = "[sampling]\nkind = \"fixed\"\npercent = 50";
    let (replicas, balancer) = replicas(&endpoint, sampling).await;
    // Each connection reaches another replica.
    for _ in &replicas {
        let mut client = reconnect(balancer).await;
        let spans = (0..200).map(|number| span(number, "x", Vec::new()));
        client
            .export(message("shop", spans.collect()))
            .await
            .unwrap();
    }
    for replica in replicas {
        assert_eq!(replica.counts().inputs[0].counts.items_received, 200);
        replica.shutdown().await;
    }
    let mut kept: HashMap<String, usize> = HashMap::new();
    for envelope in endpoint.envelopes().iter().filter(|one| is_request(one)) {
        let trace = tag(envelope, tags::OPERATION_ID).unwrap();
        *kept.entry(trace.to_owned()).or_default() += 1;
    }
    assert!((60..140).contains(&kept.len()), "{}", kept.len());
    assert!(kept.values().all(|count| *count == REPLICAS), "{kept:?}");
}
