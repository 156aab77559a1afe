//! Responses and errors in the service's format.

use axum::http::StatusCode;
use azmon_kql::{Answer, Error, ErrorKind, Type, Value};
use serde_json::{Map, Value as Json, json};

/// The preferences of a query request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Preferences {
    pub(super) statistics: bool,
    pub(super) render: bool,
}

/// A response. A truncated one has an error beside its tables.
pub(super) fn success(answer: &Answer, preferences: Preferences) -> Json {
    let columns: Vec<Json> = answer
        .columns
        .iter()
        .map(|column| json!({"name": &*column.name, "type": column.ty.name()}))
        .collect();
    let rows: Vec<Json> = answer
        .rows()
        .map(|row| {
            Json::Array(
                row.iter()
                    .zip(&answer.columns)
                    .map(|(value, column)| cell(value, column.ty))
                    .collect(),
            )
        })
        .collect();
    let mut body = Map::new();
    body.insert(
        "tables".to_owned(),
        json!([{"name": "PrimaryResult", "columns": columns, "rows": rows}]),
    );
    if preferences.render {
        let mut render = Map::new();
        if let Some(asked) = &answer.render {
            render.insert(
                "visualization".to_owned(),
                Json::from(&*asked.visualization),
            );
            for (name, value) in &asked.properties {
                render.insert(name.to_string(), cell(value, Type::String));
            }
        }
        body.insert("render".to_owned(), Json::Object(render));
    }
    if preferences.statistics {
        body.insert(
            "statistics".to_owned(),
            json!({"query": {
                "executionTime": answer.elapsed.as_secs_f64(),
                "resourceUsage": {},
                "inputDatasetStatistics": {"rows": {"scanned": answer.rows_read}},
                "datasetStatistics": [{"tableRowCount": answer.len()}],
                "notes": answer.notes,
            }}),
        );
    }
    if let Some(error) = &answer.partial {
        body.insert(
            "error".to_owned(),
            json!({
                "code": "PartialError",
                "message": "There were some errors when processing your query.",
                "details": [{"code": error.code(), "message": error.to_string(), "severity": 2, "severityName": "Warning"}],
            }),
        );
    }
    Json::Object(body)
}

/// A cell in the service's format: dynamic values, times, NaN and infinity as text.
fn cell(value: &Value, ty: Type) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Long(number) if ty != Type::Dynamic => Json::from(*number),
        Value::Real(number) if ty != Type::Dynamic && number.is_finite() => Json::from(*number),
        Value::DateTime(_) => {
            let text = value.to_text();
            // Up to seven fractional digits; none if all of them are zero.
            let short = text
                .trim_end_matches('Z')
                .trim_end_matches('0')
                .trim_end_matches('.');
            Json::from(format!("{short}Z"))
        }
        other => Json::from(&*other.to_text()),
    }
}

/// An error response with its status.
pub(super) fn refusal(error: &Error) -> (StatusCode, Json) {
    let (status, code, inner) = match error.kind() {
        ErrorKind::Syntax => (StatusCode::BAD_REQUEST, "BadArgumentError", "SyntaxError"),
        ErrorKind::Semantic | ErrorKind::Unsupported => {
            (StatusCode::BAD_REQUEST, "BadArgumentError", "SemanticError")
        }
        ErrorKind::Limit => (
            StatusCode::BAD_REQUEST,
            "BadArgumentError",
            "QueryValidationError",
        ),
        ErrorKind::Timeout | ErrorKind::Cancelled => (
            StatusCode::GATEWAY_TIMEOUT,
            "GatewayTimeout",
            "GatewayTimeout",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "EngineError",
        ),
    };
    let mut innermost = json!({"code": error.code(), "message": error.to_string()});
    if let (Some(place), Some(members)) = (error.place(), innermost.as_object_mut()) {
        members.insert("line".to_owned(), Json::from(place.line));
        members.insert("pos".to_owned(), Json::from(place.column));
        members.insert("token".to_owned(), Json::from(place.token.as_str()));
    }
    let message = match status {
        StatusCode::BAD_REQUEST => "The request had some invalid properties",
        StatusCode::GATEWAY_TIMEOUT => "The query took too long",
        _ => "The query failed",
    };
    let what = match error.kind() {
        ErrorKind::Syntax => "A recognition error occurred in the query.",
        ErrorKind::Semantic | ErrorKind::Unsupported => "A semantic error occurred.",
        _ => "The query could not be answered.",
    };
    let body = json!({"error": {
        "message": message,
        "code": code,
        "innererror": {"code": inner, "message": what, "innererror": innermost},
    }});
    (status, body)
}

/// The response to an invalid query request.
pub(super) fn bad_request(code: &str, message: &str) -> (StatusCode, Json) {
    let body = json!({"error": {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "innererror": {"code": code, "message": message},
    }});
    (StatusCode::BAD_REQUEST, body)
}
