//! Dependencies: the kind of call, and its name, type, target and data.

use crate::replay::expected::network::{peer, peer_and_port};
use crate::replay::expected::{Answer, http};
use crate::replay::input::Input;

const DATABASE: [&str; 2] = ["db.system.name", "db.system"];
const RPC: [&str; 2] = ["rpc.system.name", "rpc.system"];
const AZURE: [&str; 2] = ["azure.resource_provider.namespace", "az.namespace"];
const GEN_AI: [&str; 2] = ["gen_ai.provider.name", "gen_ai.system"];
const DESTINATION: [&str; 3] = [
    "messaging.destination.name",
    "messaging.destination",
    "message_bus.destination",
];

/// Database systems whose dependency type is `SQL`.
const SQL: [&str; 13] = [
    "mssql",
    "microsoft.sql_server",
    "oracle",
    "oracle.db",
    "db2",
    "ibm.db2",
    "derby",
    "mariadb",
    "sqlite",
    "other_sql",
    "hsqldb",
    "h2",
    "h2database",
];

/// The kind of a dependency, by the first attribute that determines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `http.request.method` or `http.method`.
    Http,
    /// `db.system.name` or `db.system`.
    Database,
    /// `rpc.system.name` or `rpc.system`.
    Rpc,
    /// `azure.resource_provider.namespace` or `az.namespace`.
    Azure,
    /// A producer, or a client with `messaging.system`.
    Messaging,
    /// `gen_ai.provider.name` or `gen_ai.system`.
    GenAi,
    /// An internal span.
    InProcess,
    /// Any other client.
    Other,
}

impl Call {
    /// The kind of call of an input.
    #[must_use]
    pub fn of(input: &Input) -> Self {
        let attributes = &input.attributes;
        let is_client = input.kind == "CLIENT";
        let table = [
            (attributes.has_any(&http::METHOD), Self::Http),
            (attributes.has_any(&DATABASE), Self::Database),
            (attributes.has_any(&RPC), Self::Rpc),
            (attributes.has_any(&AZURE), Self::Azure),
            (input.kind == "PRODUCER", Self::Messaging),
            (
                is_client && attributes.has("messaging.system"),
                Self::Messaging,
            ),
            (attributes.has_any(&GEN_AI), Self::GenAi),
            (is_client, Self::Other),
        ];
        let found = table.iter().find(|(is_it, _)| *is_it);
        found.map_or(Self::InProcess, |(_, call)| *call)
    }
}

pub(super) fn name(input: &Input) -> Answer {
    let from_http = || match Call::of(input) {
        Call::Http => templated(input).or(|| http::method_and_path(input)),
        _ => Answer::none(),
    };
    Answer::first(&input.attributes, &["microsoft.dependency.name"])
        .or(from_http)
        .or(|| Answer::of(&input.name))
}

/// The span's name, if it is the method and a template, which is better than the path.
fn templated(input: &Input) -> Answer {
    let method = Answer::first(&input.attributes, &["http.request.method", "http.method"]);
    let is_templated = method.text.as_ref().is_some_and(|method| {
        let rest = input.name.strip_prefix(method.as_str());
        rest.is_some_and(|rest| rest.starts_with(' ') && rest.contains('{'))
    });
    if is_templated {
        method.map(|_| input.name.clone())
    } else {
        Answer::none()
    }
}

pub(super) fn dependency_type(input: &Input) -> Answer {
    let first = |keys: &[&'static str]| Answer::first(&input.attributes, keys);
    let messaging = first(&["messaging.system"]);
    // The portal's views read these custom dimensions, so they are kept.
    let azure = first(&AZURE).text.unwrap_or_default();
    let gen_ai = first(&GEN_AI).text.unwrap_or_default();
    first(&["microsoft.dependency.type"]).or(|| match (Call::of(input), input.kind.as_str()) {
        (Call::Http, _) => Answer::of("Http"),
        (Call::Database, _) => first(&DATABASE).map(|system| {
            if SQL.contains(&system.as_str()) {
                "SQL".to_owned()
            } else {
                system
            }
        }),
        (Call::Rpc, _) => first(&RPC).map(|system| match system.as_str() {
            "grpc" => "GRPC".to_owned(),
            "dotnet_wcf" => "WCF Service".to_owned(),
            _ => system,
        }),
        (Call::Azure, "PRODUCER") => Answer::of(format!("Queue Message | {azure}")),
        (Call::Azure, "INTERNAL") => Answer::of(format!("InProc | {azure}")),
        (Call::Azure, _) => Answer::of(azure),
        (Call::Messaging, "PRODUCER") => messaging
            .map(|system| format!("Queue Message | {system}"))
            .or(|| Answer::of("Queue Message")),
        (Call::Messaging, _) => messaging,
        (Call::GenAi, _) => Answer::of(format!("GenAI | {gen_ai}")),
        (Call::InProcess, _) => Answer::of("InProc"),
        (Call::Other, _) => Answer::of("Dependency"),
    })
}

pub(super) fn target(input: &Input) -> Answer {
    let attributes = &input.attributes;
    let first = |keys: &[&'static str]| Answer::first(attributes, keys);
    let is_internal = input.kind == "INTERNAL";
    first(&["microsoft.dependency.target"]).or(|| match Call::of(input) {
        Call::Http => http::target(input),
        Call::Database => database_target(input),
        Call::Rpc => peer_and_port(attributes, &[]).or(|| first(&RPC)),
        Call::InProcess => Answer::none(),
        Call::Azure | Call::GenAi if is_internal => Answer::none(),
        Call::Azure | Call::Messaging => message_address(input)
            .or(|| peer_and_port(attributes, &[]))
            .or(|| first(&["messaging.system"])),
        Call::GenAi => Answer {
            from: Vec::new(),
            ..first(&GEN_AI)
        },
        Call::Other => peer_and_port(attributes, &[]),
    })
}

pub(super) fn data(input: &Input) -> Answer {
    let first = |keys: &[&'static str]| Answer::first(&input.attributes, keys);
    first(&["microsoft.dependency.data"]).or(|| match Call::of(input) {
        Call::Http => http::url(input),
        Call::Database => first(&[
            "db.query.text",
            "db.statement",
            "db.operation.name",
            "db.operation",
        ]),
        _ => Answer::none(),
    })
}

/// `peer/destination`, or the destination.
pub(super) fn message_address(input: &Input) -> Answer {
    let destination = Answer::first(&input.attributes, &DESTINATION);
    if destination.text.is_none() {
        return destination;
    }
    peer(&input.attributes)
        .join("/", destination.clone())
        .or(|| destination)
}

fn database_target(input: &Input) -> Answer {
    let first = |keys: &[&'static str]| Answer::first(&input.attributes, keys);
    let system = first(&DATABASE);
    let port = default_database_port(system.text.as_deref().unwrap_or_default());
    let server = peer_and_port(&input.attributes, port.as_slice());
    let database = first(&["db.namespace", "db.name"]);
    let both = server.clone().join("|", database.clone());
    both.or(|| server).or(|| database).or(|| system)
}

/// The default port of a database system.
#[must_use]
pub fn default_database_port(system: &str) -> Option<u16> {
    let table: [(&[&str], u16); 11] = [
        (&["postgresql"], 5432),
        (&["mysql", "mariadb"], 3306),
        (&["mssql", "microsoft.sql_server"], 1433),
        (&["oracle", "oracle.db"], 1521),
        (&["db2", "ibm.db2"], 50000),
        (&["h2", "h2database"], 8082),
        (&["derby"], 1527),
        (&["cassandra"], 9042),
        (&["redis"], 6379),
        (&["memcached"], 11211),
        (&["mongodb"], 27017),
    ];
    let found = table.iter().find(|(systems, _)| systems.contains(&system));
    found.map(|(_, port)| *port)
}
