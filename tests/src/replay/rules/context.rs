//! Tags, sample rate, duration, success.

use crate::replay::rule::{Difference, Rule};

const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "tags.ai.operation.id",
        when: |d| d.input.trace_id.bytes().all(|digit| digit == b'0'),
        reason: "an id of zeros is no id: all items without a trace would be one operation",
    },
    Rule {
        field: "tags.ai.operation.name",
        when: |d| has_any(d, &["microsoft.operation_name", "ai.operation.name"]),
        reason: "the override names the operation of any span, as in .NET, and of its events",
    },
    Rule {
        field: "tags.ai.operation.name",
        when: |d| d.input.is_request(),
        reason: "the operation is called after the request, the tag is cut to its limit, and events have it",
    },
    Rule {
        field: "tags.ai.operation.syntheticSource",
        when: |d| {
            let names = ["microsoft.synthetic_source", "user_agent.synthetic.type"];
            has_any(d, &names) || has_any(d, &["user_agent.original", "http.user_agent"])
        },
        reason: "the override names the source; else bots, tests and availability tests are synthetic; events too",
    },
    Rule {
        field: "tags.ai.location.ip",
        when: |d| {
            let client = ["microsoft.client.ip", "client.address", "http.client_ip"];
            let peer = ["network.peer.address", "net.sock.peer.addr", "net.peer.ip"];
            has_any(d, &client) || has_any(d, &peer)
        },
        reason: "one order for requests of all kinds: override, client, network peer; events too",
    },
    Rule {
        field: "tags.ai.session.id",
        when: |d| has_any(d, &["microsoft.session.id", "session.id"]),
        reason: "both names are read, whatever the value's type, cut to the limit; events too",
    },
    Rule {
        field: "tags.ai.user.*",
        when: |d| {
            let agent = ["user_agent.original", "http.user_agent"];
            let user = [
                "enduser.id",
                "enduser.pseudo.id",
                "microsoft.user.account_id",
            ];
            has_any(d, &agent) || has_any(d, &user)
        },
        reason: "the account has an override, as in .NET; tags are cut to their limits; events belong to the user",
    },
    Rule {
        field: "tags.ai.cloud.role",
        when: |d| !d.input.resource.has("service.name"),
        reason: "an unnamed service is called unknown_service and its program",
    },
    Rule {
        field: "tags.*",
        when: has_long_text,
        reason: "every tag is cut to its limit: one that is longer loses the whole item",
    },
    Rule {
        field: "sampleRate",
        when: |d| {
            let rates = ["_MS.sampleRate", "microsoft.sample_rate"];
            rates
                .iter()
                .any(|key| d.input.attributes.value(key).is_some())
        },
        reason: "both names are read, and a rate that is not above 0 and at most 100 is ignored",
    },
    Rule {
        field: "data.duration",
        when: |d| d.input.end - d.input.start >= 1000 * 86_400 * 1_000_000_000,
        reason: "the service refuses 1000 days and more",
    },
    Rule {
        field: "data.success",
        when: |d| d.input.status == "UNSET" && has_any(d, &STATUS),
        reason: "where the status is unset, an HTTP status from 400 on is a failure",
    },
];

fn has_any(difference: &Difference<'_>, keys: &[&str]) -> bool {
    difference.input.attributes.has_any(keys)
}

/// Whether some text is longer than the shortest limit of a tag.
fn has_long_text(difference: &Difference<'_>) -> bool {
    let input = difference.input;
    let values = input.attributes.iter().chain(input.resource.iter());
    let mut texts = values
        .filter_map(|(_, value)| value.as_str())
        .chain([input.name.as_str()]);
    texts.any(|text| text.chars().count() > 46)
}
