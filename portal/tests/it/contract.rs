//! The API matches `openapi.json`: every response of every test is compared with its schema.

use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).unwrap());

/// Panics unless a successful response matches the contract.
pub(crate) fn check(method: &str, path: &str, answer: &Value) {
    let path = path.split('?').next().unwrap();
    let operation = operation(method, path);
    let responses = operation["responses"].as_object().unwrap();
    let success = responses
        .iter()
        .find(|(status, _)| status.starts_with('2'))
        .unwrap()
        .1;
    let schema = &success["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{method} {path} is not JSON");
    if let Err(reason) = fits(schema, answer, "$") {
        panic!("{method} {path}: {reason}\n{answer:#}");
    }
}

/// Panics unless an event of a stream has the form that the contract gives it.
pub(crate) fn check_event(path: &str, event: &Value) {
    let success = &operation("get", path)["responses"]["200"];
    let schema = &success["content"]["text/event-stream"]["schema"];
    assert!(!schema.is_null(), "{path} is no stream");
    if let Err(reason) = fits(schema, event, "$") {
        panic!("{path}: {reason}\n{event:#}");
    }
}

fn operation(method: &str, path: &str) -> &'static Value {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let segments: Vec<_> = path.split('/').collect();
    let is_match = |template: &str| {
        let parts: Vec<_> = template.split('/').collect();
        parts.len() == segments.len()
            && parts
                .iter()
                .zip(&segments)
                .all(|(part, segment)| part == segment || part.starts_with('{'))
    };
    // A path without a variable takes precedence over one with a variable.
    let mut found: Vec<_> = paths
        .iter()
        .filter(|(template, _)| is_match(template))
        .collect();
    found.sort_by_key(|(template, _)| template.matches('{').count());
    let (_, item) = found
        .first()
        .unwrap_or_else(|| panic!("{path} is not in the contract"));
    let operation = &item[method];
    assert!(
        !operation.is_null(),
        "{method} {path} is not in the contract"
    );
    operation
}

/// The subset of JSON Schema that the contract uses.
fn fits(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return fits(&DOCUMENT["components"]["schemas"][name], value, place);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits(part, value, place)?;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let errors: Vec<_> = choices
            .iter()
            .filter_map(|choice| fits(choice, value, place).err())
            .collect();
        return if errors.len() == choices.len() {
            Err(errors.join(" and "))
        } else {
            Ok(())
        };
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Err(format!("{place}: {value} is none of {allowed:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| has_type(name, value)) {
        return Err(format!("{place}: {value} is no {types:?}"));
    }
    if let (Some(elements), Value::Array(values)) = (schema.get("items"), value) {
        for (index, value) in values.iter().enumerate() {
            fits(elements, value, &format!("{place}[{index}]"))?;
        }
    }
    if let Value::Object(fields) = value {
        let properties = schema["properties"].as_object();
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{place}: {name} is missing"));
            }
        }
        for (name, value) in fields {
            let place = format!("{place}.{name}");
            match (
                properties.and_then(|properties| properties.get(name)),
                &schema["additionalProperties"],
            ) {
                (Some(schema), _) => fits(schema, value, &place)?,
                (None, Value::Bool(false)) => {
                    return Err(format!("{place} is not in the contract"));
                }
                (None, Value::Object(_)) => fits(&schema["additionalProperties"], value, &place)?,
                (None, _) => {}
            }
        }
    }
    Ok(())
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("type {other}"),
    }
}

/// Every operation of the contract is served: none is answered by the fallback, or with another method.
#[tokio::test]
async fn every_operation_of_the_contract_is_served() {
    let harness = crate::client::Harness::start().await;
    for (template, operations) in DOCUMENT["paths"].as_object().unwrap() {
        let path: Vec<_> = template
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect();
        let path = path.join("/");
        for method in operations.as_object().unwrap().keys() {
            // A stream is answered at its head.
            let method = method.to_uppercase();
            let response = harness.request(&method, &path).send().await.unwrap();
            let status = response.status();
            assert_ne!(status, 405, "{method} {path}");
            if status == 404 {
                let body = response.text().await.unwrap();
                assert!(
                    !body.contains("telemetry goes to"),
                    "{method} {path}: {body}"
                );
            }
        }
    }
}

#[test]
fn answers_beyond_the_contract_are_detected() {
    let schema = serde_json::json!({"$ref": "#/components/schemas/Health"});
    let whole = serde_json::json!({"status": "ok", "version": "1", "received": 1, "refused": 0, "dropped": 0, "items": 1, "bytes": 2});
    assert_eq!(fits(&schema, &whole, "$"), Ok(()));
    for (field, value) in [
        ("status", "well".into()),
        ("received", "1".into()),
        ("extra", 1.into()),
        ("bytes", Value::Null),
    ] {
        let mut wrong = whole.clone();
        wrong[field] = value;
        assert!(fits(&schema, &wrong, "$").is_err(), "{field}");
    }
}
