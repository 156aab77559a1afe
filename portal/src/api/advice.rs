//! The explanation of each finding: its effect in Azure, and its fix.

use serde::Serialize;

/// Example code for one client library.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fix {
    language: &'static str,
    code: &'static str,
    added: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Advice {
    /// rejected, cut, drawn or costs.
    pub(super) kind: &'static str,
    pub(super) level: &'static str,
    pub(super) why: &'static str,
    pub(super) here: &'static str,
    pub(super) azure: &'static str,
    pub(super) fixes: Vec<Fix>,
}

fn fix(language: &'static str, code: &'static str, added: &[usize]) -> Fix {
    Fix {
        language,
        code,
        added: added.to_vec(),
    }
}

/// The advice for findings of one kind.
pub(super) fn advice(of: &str) -> Advice {
    let advice = |kind, level, why, here, azure, fixes| Advice {
        kind,
        level,
        why,
        here,
        azure,
        fixes,
    };
    match of {
        "refused" => advice(
            "rejected",
            "bad",
            "The item lacks a required field, or has one of another type. Azure refuses it too, with the same status.",
            "not kept; the message names the field",
            "not kept; counted nowhere",
            Vec::new(),
        ),
        "no-role" => advice(
            "drawn",
            "bad",
            "Azure names a node after the role. Without one it draws a node named after the resource, and calls seem to come from nowhere.",
            "placed by the page's origin, or as a node without a name",
            "one node named after the resource, without edges",
            vec![
                fix(
                    "Rust",
                    "Telemetry::builder()\n    .service_name(\"shop\")\n    .build()?;",
                    &[1],
                ),
                fix(
                    "Python",
                    "configure_azure_monitor(\n    resource=Resource.create({\"service.name\": \"shop\"}),\n)",
                    &[1],
                ),
                fix(
                    "Browser JS",
                    "appInsights.addTelemetryInitializer(item => {\n  item.tags[\"ai.cloud.role\"] = \"web\";\n});",
                    &[1],
                ),
                fix(
                    "Node",
                    "appInsights.defaultClient.context.tags[\"ai.cloud.role\"] = \"shop\";",
                    &[0],
                ),
                fix(".NET", "telemetry.Context.Cloud.RoleName = \"shop\";", &[0]),
            ],
        ),
        "name-with-id" => advice(
            "costs",
            "warn",
            "Each id makes an operation of its own, so that no operation has enough calls for a percentile.",
            "one row for each id, up to 2,000",
            "one row for each id; the tables become slow",
            vec![
                fix(
                    "Rust",
                    "Router::new()\n    .route(\"/orders/{id}\", get(order)) // the route is the name\n    .layer(ServerLayer::new())",
                    &[1, 2],
                ),
                fix(
                    "Python",
                    "FastAPIInstrumentor.instrument_app(app)  # names requests by route",
                    &[0],
                ),
            ],
        ),
        "cut" => advice(
            "cut",
            "warn",
            "The service keeps a limited number of characters of each field, and drops the rest without a word.",
            "kept as it was sent",
            "cut at the limit",
            Vec::new(),
        ),
        "key-dropped" => advice(
            "cut",
            "warn",
            "Names of custom dimensions have at most 150 characters; SDKs drop a longer one with its value.",
            "kept as it was sent",
            "dropped with its value",
            Vec::new(),
        ),
        "many-names" => advice(
            "costs",
            "warn",
            "Azure's map leaves out nodes beyond its limit, and tables of names become long and slow.",
            "up to 2,000 are told apart, the rest is counted together",
            "an incomplete map with a warning",
            Vec::new(),
        ),
        "many-series" => advice(
            "costs",
            "warn",
            "Each combination of dimensions is a series that is stored and paid for; Azure stops splitting at its limit.",
            "all are kept",
            "series beyond the limit are dropped",
            Vec::new(),
        ),
        "orphans" => advice(
            "drawn",
            "warn",
            "The parent was sampled out, lost, or sent elsewhere. The transaction is shown in pieces.",
            "hung under a dashed row: parent not received",
            "shown beside the transaction, not inside it",
            Vec::new(),
        ),
        "clock-skew" => advice(
            "drawn",
            "warn",
            "A call begins before its caller or ends after it: the clocks of two machines differ.",
            "shifted to the middle of its caller, and said so",
            "bars outside their parents",
            Vec::new(),
        ),
        "future" => advice(
            "drawn",
            "warn",
            "The item's time is later than its arrival: the sender's clock is ahead.",
            "kept at its time",
            "outside of the time range that pages show",
            Vec::new(),
        ),
        "too-old" => advice(
            "rejected",
            "warn",
            "The service refuses items older than 48 hours. The portal takes them, so that files can be replayed.",
            "kept at its time",
            "refused",
            Vec::new(),
        ),
        "duplicate" => advice(
            "costs",
            "warn",
            "A batch was sent again although it had arrived, or two exporters are installed.",
            "both are kept and counted",
            "both are kept, counted and paid for",
            Vec::new(),
        ),
        "no-operation" => advice(
            "drawn",
            "warn",
            "Without ai.operation.id the request belongs to no transaction, and its logs and calls are not found from it.",
            "a request by itself",
            "a request by itself",
            Vec::new(),
        ),
        _ => advice("drawn", "warn", "", "", "", Vec::new()),
    }
}
