//! Requests, and the fields that they share with dependencies.

use crate::replay::expected::{Answer, call, http};
use crate::replay::input::Input;

pub(super) fn name(input: &Input) -> Answer {
    let span_name = || {
        if input.name.is_empty() {
            Answer::none()
        } else {
            Answer::of(&input.name)
        }
    };
    let route = || {
        if input.kind == "CONSUMER" {
            Answer::none()
        } else {
            http::method_and_route(input)
        }
    };
    Answer::first(&input.attributes, &["microsoft.request.name"])
        .or(route)
        .or(span_name)
        .or(|| http::method_and_path(input))
}

pub(super) fn url(input: &Input) -> Answer {
    Answer::first(&input.attributes, &["microsoft.request.url"]).or(|| http::url(input))
}

pub(super) fn source(input: &Input) -> Answer {
    let is_http = input.attributes.has_any(&http::METHOD);
    Answer::first(&input.attributes, &["microsoft.request.source"]).or(|| {
        if is_http {
            Answer::none()
        } else {
            call::message_address(input)
        }
    })
}

/// The override, an HTTP status, an RPC status, or `0`.
pub(super) fn result_code(input: &Input, overridden: &'static str) -> Answer {
    let keys = [
        &[overridden][..],
        &http::STATUS,
        &["rpc.response.status_code", "rpc.grpc.status_code"],
    ];
    Answer::first(&input.attributes, &keys.concat()).or(|| Answer::of("0"))
}

/// The span's status; without one, success means an HTTP status below 400 or, for a call without an HTTP status,
/// no `error.type`.
pub(super) fn success(input: &Input) -> bool {
    let status = Answer::first(&input.attributes, &http::STATUS).text;
    let code: Option<f64> = status.and_then(|code| code.parse().ok());
    match input.status.as_str() {
        "ERROR" => false,
        "OK" => true,
        _ => match code {
            Some(code) => code < 400.0,
            None => input.kind != "CLIENT" || !input.attributes.has("error.type"),
        },
    }
}

/// `[d.]hh:mm:ss.fffffff`, from zero to just below 1000 days.
pub(super) fn duration(input: &Input) -> String {
    const DAY: i64 = 864_000_000_000;
    let ticks = (i128::from(input.end) - i128::from(input.start)) / 100;
    let ticks = ticks.clamp(0, i128::from(1000 * DAY - 1));
    let ticks = i64::try_from(ticks).unwrap_or_default();
    let (days, seconds, fraction) = (ticks / DAY, ticks % DAY / 10_000_000, ticks % 10_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let days = if days > 0 {
        format!("{days}.")
    } else {
        String::new()
    };
    format!("{days}{hours:02}:{minutes:02}:{seconds:02}.{fraction:07}")
}
