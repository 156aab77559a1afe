//! RPC calls, messages, calls to Azure and to models.

use super::*;

#[test]
fn remote_procedure_calls_keep_host_port_and_status() {
    let new = texts([
        ("rpc.system.name", "grpc"),
        ("rpc.response.status_code", "UNAVAILABLE"),
        ("server.address", "grpc.local"),
        ("server.port", "50051"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &new),
        ["GRPC", "grpc.local:50051", "", "UNAVAILABLE"]
    );
    let old = [
        ("rpc.system", "java_rmi".into()),
        ("rpc.grpc.status_code", 14.into()),
    ];
    assert_eq!(
        call(SpanKind::Client, &old),
        ["java_rmi", "java_rmi", "", "14"]
    );
    let wcf = texts([("rpc.system", "dotnet_wcf")]);
    assert_eq!(call(SpanKind::Client, &wcf)[0], "WCF Service");
}

#[test]
fn messages_go_to_and_come_from_peer_and_destination() {
    let kafka = texts([
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "orders"),
        ("server.address", "broker"),
        ("server.port", "9092"),
    ]);
    assert_eq!(
        call(SpanKind::Producer, &kafka)[..2],
        ["Queue Message | kafka", "broker/orders"]
    );
    assert_eq!(
        call(SpanKind::Client, &kafka)[..2],
        ["kafka", "broker/orders"]
    );
    assert_eq!(call(SpanKind::Internal, &kafka)[..2], ["InProc", ""]);
    let received = data(SpanKind::Consumer, &kafka);
    assert_eq!(received["source"], "broker/orders");
    assert_eq!(
        received["properties"],
        json!({"messaging.system": "kafka", "server.port": "9092"})
    );
    let unknown = texts([("messaging.destination", "orders")]);
    assert_eq!(
        call(SpanKind::Producer, &unknown)[..2],
        ["Queue Message", "orders"]
    );
}

#[test]
fn the_azure_sdk_is_recognised_by_both_names_of_its_namespace() {
    for key in ["az.namespace", "azure.resource_provider.namespace"] {
        let hub = texts([
            (key, "Microsoft.EventHub"),
            ("messaging.system", "eventhubs"),
            ("messaging.destination.name", "hub"),
            ("server.address", "ns.servicebus.windows.net"),
        ]);
        let target = "ns.servicebus.windows.net/hub";
        assert_eq!(
            call(SpanKind::Client, &hub)[..2],
            ["Microsoft.EventHub", target]
        );
        let produced = call(SpanKind::Producer, &hub);
        assert_eq!(
            produced[..2],
            ["Queue Message | Microsoft.EventHub", target]
        );
        let internal = call(SpanKind::Internal, &hub);
        assert_eq!(internal[..2], ["InProc | Microsoft.EventHub", ""]);
        assert_eq!(
            data(SpanKind::Client, &hub)["properties"][key],
            "Microsoft.EventHub"
        );
    }
}

#[test]
fn storage_has_one_name_for_all_parts_that_the_sdk_names() {
    for namespace in ["Storage.Blob.Container", "Storage.Queue"] {
        let storage = texts([("az.namespace", namespace)]);
        let internal = call(SpanKind::Internal, &storage);
        assert_eq!(internal[..2], ["InProc | Microsoft.Storage", ""]);
        assert_eq!(call(SpanKind::Client, &storage)[0], "Microsoft.Storage");
        let properties = &data(SpanKind::Internal, &storage)["properties"];
        assert_eq!(properties["az.namespace"], namespace);
    }
    for namespace in [
        "Storage",
        "storage.blob",
        "Microsoft.Storage",
        "KeyVault.Secrets",
    ] {
        let other = texts([("az.namespace", namespace)]);
        assert_eq!(call(SpanKind::Client, &other)[0], namespace);
    }
}

#[test]
fn generative_ai_is_recognised_by_both_names_of_its_system_which_stay_properties() {
    for key in ["gen_ai.system", "gen_ai.provider.name"] {
        let chat = texts([(key, "openai"), ("server.address", "api.openai.com")]);
        assert_eq!(
            call(SpanKind::Client, &chat)[..2],
            ["GenAI | openai", "openai"]
        );
        assert_eq!(call(SpanKind::Internal, &chat)[..2], ["GenAI | openai", ""]);
        assert_eq!(data(SpanKind::Client, &chat)["properties"][key], "openai");
    }
}

#[test]
fn the_first_kind_of_call_wins() {
    let all = [
        ("http.request.method", "Http"),
        ("db.system.name", "postgresql"),
        ("rpc.system", "GRPC"),
        ("az.namespace", "Microsoft.Storage"),
        ("messaging.system", "kafka"),
        ("gen_ai.system", "GenAI | openai"),
        ("server.address", "Dependency"),
    ];
    let values = [
        "GET",
        "postgresql",
        "grpc",
        "Microsoft.Storage",
        "kafka",
        "openai",
        "h",
    ];
    let pairs: Vec<_> = all
        .iter()
        .zip(values)
        .map(|((key, _), value)| (*key, value.into()))
        .collect();
    for (first, (_, expected)) in all.iter().enumerate() {
        assert_eq!(call(SpanKind::Client, &pairs[first..])[0], *expected);
    }
}

#[test]
fn the_name_of_the_other_service_is_the_target_of_every_kind_of_call() {
    for key in ["service.peer.name", "peer.service"] {
        for kind in [
            ("http.request.method", "GET"),
            ("rpc.system.name", "grpc"),
            ("messaging.system", "kafka"),
            ("db.system.name", "postgresql"),
            ("network.protocol.name", "smtp"),
        ] {
            let attributes = texts([
                kind,
                ("server.address", "10.0.0.7"),
                ("server.port", "8080"),
                (key, "stock"),
            ]);
            let target = call(SpanKind::Client, &attributes)[1].clone();
            assert_eq!(target, "stock", "{key} {kind:?}");
        }
    }
    let both = texts([
        ("http.request.method", "GET"),
        ("peer.service", "old"),
        ("service.peer.name", "new"),
    ]);
    assert_eq!(call(SpanKind::Client, &both)[1], "new");
}
