//! Context tags of a span or a log record: operation, location, user and session.

use std::borrow::Cow;

use opentelemetry::trace::{SpanId, TraceId};

use crate::envelope::{Tags, tags};
use crate::mapping::Arena;
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;

/// Attributes that fill a tag unchanged; the first one with a value wins.
const TAGS: [(&str, &[Key]); 9] = [
    (tags::DEVICE_ID, &[Key::AiDeviceId]),
    (tags::DEVICE_MODEL, &[Key::AiDeviceModel]),
    (tags::DEVICE_OS_VERSION, &[Key::AiDeviceOsVersion]),
    (tags::DEVICE_TYPE, &[Key::AiDeviceType]),
    (tags::SESSION_ID, &[Key::MicrosoftSessionId, Key::SessionId]),
    (tags::USER_ACCOUNT_ID, &[Key::MicrosoftUserAccountId]),
    (tags::USER_AUTH_USER_ID, &[Key::EnduserId]),
    (tags::USER_ID, &[Key::EnduserPseudoId]),
    (
        tags::USER_AGENT,
        &[Key::UserAgentOriginal, Key::HttpUserAgent],
    ),
];

/// Attributes that name the operation.
const OPERATION_NAME: [Key; 2] = [Key::MicrosoftOperationName, Key::AiOperationName];

/// Attributes of a request that contain the client's address.
const CLIENT_IP: [Key; 6] = [
    Key::MicrosoftClientIp,
    Key::ClientAddress,
    Key::HttpClientIp,
    Key::NetworkPeerAddress,
    Key::NetSockPeerAddr,
    Key::NetPeerIp,
];

/// Part of the user agent of Azure's availability tests.
pub(crate) const AVAILABILITY_TEST: &str = "AlwaysOn";

/// Adds the tags that a span shares with its events, or the tags of a log record.
///
/// Only a request's attributes contain the address of its client. `operation_name` is the name of the operation if no
/// attribute has it.
pub(super) fn push<'a>(
    to: &mut Tags<'a>,
    trace: TraceId,
    is_request: bool,
    attributes: &Attributes<'a>,
    operation_name: Option<&'a str>,
) {
    let mut add = |key, value| to.push(key, Cow::Borrowed(value));
    if trace != TraceId::INVALID {
        add(tags::OPERATION_ID, attributes.arena().hex(trace.to_bytes()));
    }
    let operation_name = operation_name.filter(|name| !name.is_empty());
    if let Some(name) = attributes.take_first(&OPERATION_NAME).or(operation_name) {
        add(tags::OPERATION_NAME, name);
    }
    if let Some(source) = synthetic_source(attributes) {
        add(tags::OPERATION_SYNTHETIC_SOURCE, source);
    }
    let client_ip = match is_request {
        true => attributes.take_first(&CLIENT_IP),
        false => attributes.take(Key::MicrosoftClientIp),
    };
    if let Some(ip) = client_ip {
        add(tags::LOCATION_IP, ip);
    }
    for (tag, keys) in TAGS {
        if let Some(value) = attributes.take_first(keys) {
            // The resource may describe a device as well.
            to.insert(tag, Cow::Borrowed(value));
        }
    }
}

/// Adds the parent of the item: for a span its parent span, for an event or a log record its span.
pub(super) fn push_parent<'a>(to: &mut Tags<'a>, parent: SpanId, arena: &'a Arena) {
    if parent != SpanId::INVALID {
        let id = arena.hex(parent.to_bytes());
        to.push(tags::OPERATION_PARENT_ID, Cow::Borrowed(id));
    }
}

/// Whether the user agent is that of an availability test.
pub(crate) fn is_availability_test(user_agent: &str) -> bool {
    user_agent.contains(AVAILABILITY_TEST)
}

/// Marks an item that a robot or a test caused.
pub(super) fn synthetic_source<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let is_synthetic = || {
        let kind = attributes.peek(Key::UserAgentSyntheticType);
        let is_known = matches!(kind, Some("bot" | "test"));
        if is_known {
            attributes.mark_used(Key::UserAgentSyntheticType);
        }
        let agent = attributes.peek_first(&[Key::UserAgentOriginal, Key::HttpUserAgent]);
        is_known || agent.is_some_and(|(_, agent)| is_availability_test(agent))
    };
    attributes
        .take(Key::MicrosoftSyntheticSource)
        .or_else(|| is_synthetic().then_some("True"))
}
