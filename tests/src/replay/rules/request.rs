//! Requests.

use crate::replay::rule::{Difference, Rule};

const METHOD: [&str; 2] = ["http.request.method", "http.method"];
const FULL_URL: [&str; 2] = ["url.full", "http.url"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "data.name",
        when: |d| d.input.is_request() && d.input.attributes.has("microsoft.request.name"),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.name",
        when: |d| d.input.kind == "CONSUMER",
        reason: "a consumer's request is called as its span",
    },
    Rule {
        field: "data.name",
        when: |d| d.input.kind == "SERVER" && has_any(d, &METHOD) && !has_any(d, &["http.route"]),
        reason: "without a route the span's name has few values, METHOD and path has many",
    },
    Rule {
        field: "data.url",
        when: |d| has_any(d, &["microsoft.request.url"]),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.url",
        when: |d| has_any(d, &FULL_URL) && !has_any(d, &METHOD),
        reason: "a URL needs no method",
    },
    Rule {
        field: "data.url",
        when: |d| !has_any(d, &FULL_URL),
        reason: "composed: only the scheme's own port is left out, and there is one question mark",
    },
    Rule {
        field: "data.source",
        when: |d| has_any(d, &["microsoft.request.source"]),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.source",
        when: |d| {
            let old = ["messaging.destination", "message_bus.destination"];
            has_any(d, &old) || has_any(d, &["messaging.destination.name"])
        },
        reason: "peer/destination by the old and the new names, for all systems and not only Azure's; no HTTP request has one",
    },
    Rule {
        field: "data.responseCode",
        when: |d| has_any(d, &["microsoft.request.resultCode"]),
        reason: "an override, as in .NET",
    },
    Rule {
        field: "data.responseCode",
        when: |d| {
            let http = ["http.response.status_code", "http.status_code"];
            has_any(d, &http) || has_any(d, &["rpc.response.status_code", "rpc.grpc.status_code"])
        },
        reason: "the first status that is there, as it is: HTTP, with or without a method, then RPC, new and old",
    },
];

fn has_any(difference: &Difference<'_>, keys: &[&str]) -> bool {
    difference.input.attributes.has_any(keys)
}
