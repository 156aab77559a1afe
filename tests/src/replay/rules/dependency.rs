//! Dependencies.

use crate::replay::expected::{Call, default_database_port};
use crate::replay::rule::{Difference, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "data.name",
        when: |d| !d.input.is_request() && has(d, "microsoft.dependency.name"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.name",
        when: |d| is(d, Call::Http),
        reason: "METHOD and path for HTTP calls of all kinds, the path as it is written, or the template of the span's name",
    },
    Rule {
        field: "data.name",
        when: |d| !d.input.is_request() && d.input.name.is_empty(),
        reason: "the service refuses a dependency without a name",
    },
    Rule {
        field: "data.resultCode",
        when: |d| has(d, "microsoft.dependency.resultCode"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.resultCode",
        when: |d| {
            let http = ["http.response.status_code", "http.status_code"];
            let rpc = ["rpc.response.status_code", "rpc.grpc.status_code"];
            d.input.attributes.has_any(&http) || d.input.attributes.has_any(&rpc)
        },
        reason: "the first status that is there, as it is: HTTP, then RPC, new and old",
    },
    Rule {
        field: "data.type",
        when: |d| has(d, "microsoft.dependency.type"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::Http),
        reason: "HTTP comes first, whatever else the span speaks of",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::Database),
        reason: "databases by the new and the old name, before Azure's namespace and in spans of any kind",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::Rpc),
        reason: "GRPC, WCF Service, or the system's own name; by the new and the old name",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::Azure),
        reason: "Azure's namespace by its new name too, and before generative AI",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::Messaging),
        reason: "messaging with its system",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::GenAi),
        reason: "generative AI by the new name too",
    },
    Rule {
        field: "data.type",
        when: |d| is(d, Call::InProcess),
        reason: "what is internal is InProc, with a parent or without",
    },
    Rule {
        field: "data.target",
        when: |d| has(d, "microsoft.dependency.target"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Http),
        reason: "service, or host and port without the scheme's own; never host:None, a whole URL or credentials",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Database) && default_database_port(&database_system(d)).is_some(),
        reason: "service, or host and port without the system's own; then the database, by new and old names",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Database),
        reason: "service, or host and port; then the database, by new and old names, in spans of any kind",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Rpc),
        reason: "service, or host and port, else the system; by the new and the old names",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Azure) || is(d, Call::Messaging),
        reason: "peer/destination by new and old names for all systems, or what is known of it",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::GenAi),
        reason: "the generative AI system, by its new name too",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::Other),
        reason: "service, or host and port, by new and old names, as in .NET",
    },
    Rule {
        field: "data.target",
        when: |d| is(d, Call::InProcess),
        reason: "what happens inside the process has no target",
    },
    Rule {
        field: "data.data",
        when: |d| has(d, "microsoft.dependency.data"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.data",
        when: |d| is(d, Call::Http),
        reason: "the full URL, or a composed one: only the scheme's own port is left out, and there is one question mark",
    },
    Rule {
        field: "data.data",
        when: |d| is(d, Call::Database),
        reason: "the statement, else the operation, by new and old names, in spans of any kind",
    },
];

fn is(difference: &Difference<'_>, call: Call) -> bool {
    !difference.input.is_request() && Call::of(difference.input) == call
}

fn has(difference: &Difference<'_>, key: &str) -> bool {
    difference.input.attributes.has(key)
}

fn database_system(difference: &Difference<'_>) -> String {
    let system = |key| difference.input.attributes.text(key);
    system("db.system.name")
        .or_else(|| system("db.system"))
        .unwrap_or_default()
}
