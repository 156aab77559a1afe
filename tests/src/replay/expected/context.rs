//! Tags, time and sample rate.

use crate::replay::expected::{Answer, request};
use crate::replay::input::{Input, is_valid_id};
use crate::spans::HOST;

pub(super) fn answers(input: &Input) -> Vec<(&'static str, Answer)> {
    let first = |keys: &[&'static str]| Answer::first(&input.attributes, keys);
    let valid = |id: &str| {
        if is_valid_id(id) {
            Answer::of(id)
        } else {
            Answer::none()
        }
    };
    vec![
        ("tags.ai.cloud.role", role(input)),
        ("tags.ai.cloud.roleInstance", role_instance(input)),
        (
            "tags.ai.application.ver",
            unused(Answer::first(&input.resource, &["service.version"])),
        ),
        ("tags.ai.operation.id", valid(&input.trace_id)),
        (
            "tags.ai.operation.parentId",
            valid(input.parent.as_deref().unwrap_or_default()),
        ),
        ("tags.ai.operation.name", operation_name(input)),
        ("tags.ai.operation.syntheticSource", synthetic_source(input)),
        ("tags.ai.location.ip", location_ip(input)),
        (
            "tags.ai.user.userAgent",
            first(&["user_agent.original", "http.user_agent"]),
        ),
        ("tags.ai.user.authUserId", first(&["enduser.id"])),
        ("tags.ai.user.id", first(&["enduser.pseudo.id"])),
        (
            "tags.ai.user.accountId",
            first(&["microsoft.user.account_id"]),
        ),
        (
            "tags.ai.session.id",
            first(&["microsoft.session.id", "session.id"]),
        ),
        // Tags of the device are not compared, but their attributes are used.
        ("", first(&["ai.device.id"])),
        ("", first(&["ai.device.model"])),
        ("", first(&["ai.device.osVersion"])),
        ("", first(&["ai.device.type"])),
    ]
    .into_iter()
    .map(|(field, answer)| match field {
        "" => (
            field,
            Answer {
                text: None,
                ..answer
            },
        ),
        _ => (field, answer),
    })
    .collect()
}

/// The sample rate, with its attribute.
pub(super) fn sample_rate(input: &Input) -> (f64, Answer) {
    let rates =
        ["microsoft.sample_rate", "_MS.sampleRate"].map(|key| (input.attributes.number(key), key));
    let valid = rates.into_iter().find_map(|(rate, key)| {
        rate.filter(|rate| *rate > 0.0 && *rate <= 100.0)
            .map(|rate| (rate, key))
    });
    match valid {
        Some((rate, key)) => (rate, Answer::none().and_from(&[key])),
        None => (100.0, Answer::none()),
    }
}

/// RFC 3339 with microseconds.
pub(super) fn time(nanoseconds: i64) -> String {
    let time = jiff::Timestamp::from_nanosecond(nanoseconds.into());
    time.map(|time| format!("{time:.6}")).unwrap_or_default()
}

fn operation_name(input: &Input) -> Answer {
    let own = || {
        if input.is_request() {
            unused(request::name(input))
        } else {
            Answer::none()
        }
    };
    Answer::first(
        &input.attributes,
        &["microsoft.operation_name", "ai.operation.name"],
    )
    .or(own)
}

fn synthetic_source(input: &Input) -> Answer {
    let kind = Answer::first(&input.attributes, &["user_agent.synthetic.type"]);
    let agent = Answer::first(
        &input.attributes,
        &["user_agent.original", "http.user_agent"],
    );
    let is_load = agent.text.is_some_and(|agent| agent.contains("AlwaysOn"));
    Answer::first(&input.attributes, &["microsoft.synthetic_source"]).or(|| {
        match kind.text.as_deref() {
            Some("bot" | "test") => kind.map(|_| "True".to_owned()),
            _ if is_load => Answer::of("True"),
            _ => Answer::none(),
        }
    })
}

fn location_ip(input: &Input) -> Answer {
    let of_request = [
        "client.address",
        "http.client_ip",
        "network.peer.address",
        "net.sock.peer.addr",
        "net.peer.ip",
    ];
    Answer::first(&input.attributes, &["microsoft.client.ip"]).or(|| {
        if input.is_request() {
            Answer::first(&input.attributes, &of_request)
        } else {
            Answer::none()
        }
    })
}

fn role(input: &Input) -> Answer {
    let text = |key: &str| input.resource.text(key);
    let workload = [
        "deployment",
        "replicaset",
        "statefulset",
        "job",
        "cronjob",
        "daemonset",
    ]
    .into_iter()
    .find_map(|kind| text(&format!("k8s.{kind}.name")));
    let name = text("service.name").unwrap_or_else(|| format!("unknown_service:{}", program()));
    let service = match text("service.namespace") {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name.clone(),
    };
    Answer::of(match workload {
        Some(workload) if name.starts_with("unknown_service") => workload,
        _ => service,
    })
}

/// The file name of this program.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn role_instance(input: &Input) -> Answer {
    let instance = Answer::first(&input.resource, &["k8s.pod.name", "service.instance.id"]);
    unused(instance.or(|| Answer::of(HOST)))
}

/// An answer without attributes: they belong to another field, or are not the span's.
fn unused(answer: Answer) -> Answer {
    Answer {
        from: Vec::new(),
        ..answer
    }
}
