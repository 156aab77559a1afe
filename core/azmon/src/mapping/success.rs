//! The success of a span.

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};

use crate::item::SpanView;
use crate::mapping::keys::Key;
use crate::mapping::{MappingOptions, http};

/// Whether the request or dependency of a span is successful, without mapping the span.
pub(crate) fn is_span_success(span: SpanView<'_>, options: &MappingOptions) -> bool {
    let status_of = |wanted: &Key| {
        let mut newest_first = span.attributes.iter().rev();
        newest_first
            .find(|attribute| Key::of(attribute.key.as_str()) == Some(*wanted))
            .map(|attribute| &attribute.value)
            .filter(|value| !is_without_text(value))
    };
    match (span.status, http::STATUS.iter().find_map(status_of)) {
        (Status::Unset, Some(Value::I64(code))) => is_successful_code(*code as f64, options),
        (Status::Unset, Some(Value::F64(code))) => is_successful_code(*code, options),
        (status, code) => {
            let code = match code {
                Some(Value::String(code)) => Some(code.as_str()),
                _ => None,
            };
            let has_error = || status_of(&Key::ErrorType).is_some();
            is_success(status, code, span.span_kind, has_error, options)
        }
    }
}

fn is_without_text(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::String(text) => text.as_str().is_empty(),
        _ => false,
    }
}

/// A span status that is set decides; else the HTTP status; else, for a call, `error.type`.
pub(super) fn is_success(
    status: &Status,
    http_status: Option<&str>,
    kind: &SpanKind,
    has_error: impl FnOnce() -> bool,
    options: &MappingOptions,
) -> bool {
    match status {
        Status::Ok => true,
        Status::Error { .. } => false,
        Status::Unset => match http_status.and_then(|code| code.parse::<f64>().ok()) {
            Some(code) => is_successful_code(code, options),
            None => *kind != SpanKind::Client || !has_error(),
        },
    }
}

/// Whether a request or a call over HTTP is successful, by its span's status and its status code, 0 without a response.
/// The status says it if there is an error.
pub(super) fn is_http_success(status: &Status, code: u16, options: &MappingOptions) -> bool {
    match status {
        Status::Ok => true,
        Status::Error { .. } => false,
        Status::Unset => is_successful_code(code.into(), options),
    }
}

fn is_successful_code(code: f64, options: &MappingOptions) -> bool {
    let is_client_error = (400.0..500.0).contains(&code);
    code < 400.0 || (is_client_error && !options.client_errors_are_failures)
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry_sdk::Resource;

    use super::*;
    use crate::envelope::Data;
    use crate::fixtures::span;
    use crate::mapping::{Arena, Mapper};

    #[test]
    fn the_status_decides_where_it_is_set_and_the_code_where_it_is_not() {
        let error = Status::error("");
        for (status, code, expected) in [
            (&Status::Unset, Some("404"), false),
            (&Status::Ok, Some("404"), true),
            (&Status::Unset, Some("500"), false),
            (&Status::Ok, Some("500"), true),
            (&Status::Unset, Some("399"), true),
            (&Status::Unset, Some("0"), true),
            (&Status::Unset, Some("not a number"), true),
            (&Status::Unset, None, true),
            (&error, Some("200"), false),
            (&error, None, false),
        ] {
            let options = MappingOptions::default();
            let success = is_success(status, code, &SpanKind::Server, || true, &options);
            assert_eq!(success, expected, "{status:?} {code:?}");
        }
    }

    #[test]
    fn a_call_without_status_and_code_fails_if_it_has_a_type_of_error() {
        let error_type = || KeyValue::new("error.type", "Connection");
        let code = |code| KeyValue::new("http.response.status_code", code);
        for (kind, attributes, expected) in [
            (SpanKind::Client, vec![error_type()], false),
            (
                SpanKind::Client,
                vec![KeyValue::new("error.type", "")],
                true,
            ),
            (SpanKind::Client, vec![], true),
            (SpanKind::Client, vec![error_type(), code(200)], true),
            (SpanKind::Internal, vec![error_type()], true),
            (SpanKind::Producer, vec![error_type()], true),
            (SpanKind::Server, vec![error_type()], true),
        ] {
            for (status, expected) in [
                (Status::Unset, expected),
                (Status::Ok, true),
                (Status::error(""), false),
            ] {
                let mut span = span("x");
                span.span_kind = kind.clone();
                span.attributes = attributes.clone();
                span.status = status;
                let options = MappingOptions::default();
                let success = is_span_success((&span).into(), &options);
                assert_eq!(success, expected, "{span:?}");
                let mapper = Mapper::new("key", &Resource::builder_empty().build(), options);
                mapper.map_span(&span, None, &Arena::new(), |envelope| {
                    let success = match envelope.data {
                        Data::RemoteDependency(data) => data.success,
                        Data::Request(data) => data.success,
                        _ => !expected,
                    };
                    assert_eq!(success, expected, "{span:?}");
                });
            }
        }
    }

    #[test]
    fn a_span_succeeds_as_the_request_does_that_it_becomes() {
        let statuses = [Status::Unset, Status::Ok, Status::error("")];
        let codes = [
            Value::I64(200),
            Value::I64(404),
            Value::I64(503),
            Value::F64(499.5),
            Value::F64(f64::NAN),
            Value::F64(f64::INFINITY),
            Value::from("500"),
            Value::from(" 500"),
            Value::from(""),
            Value::from("none"),
            Value::Bool(true),
            Value::Array(vec![500_i64].into()),
        ];
        let keys = ["http.response.status_code", "http.status_code"];
        for client_errors in [true, false] {
            let options = MappingOptions::default().client_errors_are_failures(client_errors);
            let mapper = Mapper::new("key", &Resource::builder_empty().build(), options.clone());
            for (status, first, second) in statuses.iter().flat_map(|status| {
                let pairs = codes
                    .iter()
                    .flat_map(|first| codes.iter().map(move |second| (first, second)));
                pairs.map(move |(first, second)| (status, first, second))
            }) {
                for keys in [[keys[0], keys[1]], [keys[1], keys[0]], [keys[0], keys[0]]] {
                    let mut span = span("x");
                    span.status = status.clone();
                    span.span_kind = SpanKind::Client;
                    span.attributes = keys
                        .into_iter()
                        .zip([first, second])
                        .map(|(key, value)| KeyValue::new(key, value.clone()))
                        .collect();
                    span.attributes.push(KeyValue::new("error.type", "x"));
                    let mut mapped = None;
                    mapper.map_span(&span, None, &Arena::new(), |envelope| {
                        if let Data::RemoteDependency(data) = envelope.data {
                            mapped = Some(data.success);
                        }
                    });
                    let success = is_span_success((&span).into(), &options);
                    assert_eq!(Some(success), mapped, "{status:?} {first:?} {second:?}");
                }
            }
        }
    }

    #[test]
    fn client_errors_can_be_no_failures() {
        let options = MappingOptions::default().client_errors_are_failures(false);
        let is_success = |status: &Status, code| {
            is_success(status, Some(code), &SpanKind::Client, || true, &options)
        };
        assert!(is_success(&Status::Unset, "404"));
        assert!(!is_success(&Status::Unset, "500"));
        assert!(!is_success(&Status::error(""), "404"));
    }
}
