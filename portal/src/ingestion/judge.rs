//! Validates items, with the service's error messages.
//!
//! The messages follow the service's own, such as `109: Field 'responseCode' on type 'RequestData' is required
//! but missing or empty`, so that documentation about them applies here, too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use azmon_envelope::{Data, Envelope};
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::ingestion::MAX_ITEM;
use crate::store::{ItemKind, NewItem};

/// Parses one item, or returns the reason why the service would reject it.
pub(crate) fn judge(item: &RawValue) -> Result<NewItem, String> {
    let length = item.get().len();
    if length > MAX_ITEM {
        return Err(format!(
            "Item is {length} bytes long, but only {MAX_ITEM} are allowed"
        ));
    }
    let envelope: Envelope<'static> =
        serde_json::from_str(item.get()).map_err(|error| diagnose(item, &error))?;
    if envelope.i_key.trim().is_empty() {
        return Err("Invalid instrumentation key".to_owned());
    }
    if let Some((field, owner)) = empty_field(&envelope.data) {
        return Err(missing(field, owner));
    }
    let kind = ItemKind::of(&envelope.data)
        .ok_or("106: Field 'baseType' on type 'Data' is of incorrect type: unknown kind")?;
    Ok(NewItem::new(kind, item.to_owned(), envelope))
}

/// A required field that is present but empty, and its type.
fn empty_field(data: &Data<'_>) -> Option<(&'static str, &'static str)> {
    let (owner, texts): (_, &[(&str, &str)]) = match data {
        Data::Request(data) => (
            "RequestData",
            &[("id", &data.id), ("responseCode", &data.response_code)],
        ),
        Data::RemoteDependency(data) => ("RemoteDependencyData", &[("name", &data.name)]),
        Data::Message(data) => ("MessageData", &[("message", &data.message)]),
        Data::Event(data) => ("EventData", &[("name", &data.name)]),
        Data::Availability(data) => (
            "AvailabilityData",
            &[("id", &data.id), ("name", &data.name)],
        ),
        Data::Exception(data) if data.exceptions.is_empty() => {
            return Some(("exceptions", "ExceptionData"));
        }
        Data::Exception(data) => {
            let is_silent = data.exceptions.iter().any(|cause| cause.message.is_empty());
            return is_silent.then_some(("message", "ExceptionDetails"));
        }
        Data::Metric(data) if data.metrics.is_empty() => return Some(("metrics", "MetricData")),
        Data::Metric(data) => {
            let is_nameless = data.metrics.iter().any(|point| point.name.is_empty());
            return is_nameless.then_some(("name", "DataPoint"));
        }
        _ => return None,
    };
    let (field, _) = texts.iter().find(|(_, text)| text.is_empty())?;
    Some((field, owner))
}

fn missing(field: &str, owner: &str) -> String {
    format!("109: Field '{field}' on type '{owner}' is required but missing or empty")
}

/// Finds the field that caused a parse error.
///
/// A payload whose `baseType` follows its `baseData` is buffered while it is parsed, which loses the path to the
/// field. The item is therefore parsed again with the type first.
fn diagnose(item: &RawValue, error: &serde_json::Error) -> String {
    let Ok(ordered) = type_first(item) else {
        return format!("Item is not an envelope: {}", without_position(error));
    };
    let mut deserializer = serde_json::Deserializer::from_str(&ordered.json);
    match serde_path_to_error::deserialize::<_, Envelope<'_>>(&mut deserializer) {
        Ok(_) => format!("Item is not an envelope: {}", without_position(error)),
        Err(error) => explain(error.path(), error.inner(), &ordered.base_type),
    }
}

struct Ordered {
    json: String,
    base_type: String,
}

fn type_first(item: &RawValue) -> serde_json::Result<Ordered> {
    let mut envelope: BTreeMap<Cow<'_, str>, Cow<'_, RawValue>> = serde_json::from_str(item.get())?;
    let mut base_type = String::new();
    if let Some(data) = envelope.get_mut("data")
        && let Ok(parts) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(data.get())
        && let (Some(kind), Some(payload)) = (parts.get("baseType"), parts.get("baseData"))
    {
        base_type = serde_json::from_str(kind.get()).unwrap_or_default();
        let ordered = format!("{{\"baseType\":{kind},\"baseData\":{payload}}}");
        *data = Cow::Owned(RawValue::from_string(ordered)?);
    }
    let json = serde_json::to_string(&envelope)?;
    Ok(Ordered { json, base_type })
}

fn explain(path: &Path, error: &serde_json::Error, base_type: &str) -> String {
    let reason = without_position(error);
    let owner = owner(path, base_type);
    let absent = reason.strip_prefix("missing field `");
    if let Some(field) = absent.and_then(|rest| rest.strip_suffix('`')) {
        return missing(field, owner);
    }
    match path.iter().filter_map(key).next_back() {
        Some(field) => {
            format!("106: Field '{field}' on type '{owner}' is of incorrect type: {reason}")
        }
        None => format!("Item is not an envelope: {reason}"),
    }
}

/// The service's name for the type that contains the field at `path`.
fn owner<'a>(path: &Path, base_type: &'a str) -> &'a str {
    let is_in_list = path
        .iter()
        .any(|segment| matches!(segment, Segment::Seq { .. }));
    let keys: Vec<_> = path.iter().filter_map(key).collect();
    match keys.as_slice() {
        ["data", "baseData", "exceptions", ..] if is_in_list => "ExceptionDetails",
        ["data", "baseData", "metrics", ..] if is_in_list => "DataPoint",
        ["data", "baseData", ..] => base_type,
        ["data", ..] => "Data",
        _ => "Envelope",
    }
}

fn key(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Map { key } => Some(key),
        Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Without the position, which would refer to the reordered item.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn verdict(item: &Value) -> Result<NewItem, String> {
        judge(&RawValue::from_string(item.to_string()).unwrap())
    }

    fn refusal(item: &Value) -> String {
        verdict(item).unwrap_err()
    }

    fn request() -> Value {
        json!({
            "name": "Microsoft.ApplicationInsights.Request",
            "time": "2026-11-20T12:00:00Z",
            "iKey": "any",
            "data": {"baseType": "RequestData", "baseData": {
                "id": "1", "name": "GET /", "duration": "00:00:01", "success": true, "responseCode": "200"
            }}
        })
    }

    fn payload(base_type: &str, base_data: Value) -> Value {
        let mut item = request();
        item["data"] = json!({"baseType": base_type, "baseData": base_data});
        item
    }

    fn without(path: &str) -> Value {
        let mut item = request();
        let (parent, field) = path.rsplit_once('/').unwrap();
        let parent = item.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        assert!(parent.remove(field).is_some());
        item
    }

    fn with(path: &str, value: Value) -> Value {
        let mut item = request();
        *item.pointer_mut(path).unwrap() = value;
        item
    }

    #[test]
    fn an_item_with_all_required_fields_is_accepted() {
        assert_eq!(verdict(&request()).unwrap().kind(), ItemKind::Request);
    }

    #[test]
    fn a_missing_field_is_named_with_its_type() {
        for (path, field, owner) in [
            ("/time", "time", "Envelope"),
            ("/name", "name", "Envelope"),
            ("/data", "data", "Envelope"),
            ("/data/baseType", "baseType", "Data"),
            ("/data/baseData", "baseData", "Data"),
            ("/data/baseData/id", "id", "RequestData"),
            ("/data/baseData/duration", "duration", "RequestData"),
            ("/data/baseData/responseCode", "responseCode", "RequestData"),
        ] {
            assert_eq!(refusal(&without(path)), missing(field, owner));
        }
    }

    #[test]
    fn an_empty_required_text_is_as_good_as_missing() {
        for (item, field, owner) in [
            (with("/data/baseData/id", json!("")), "id", "RequestData"),
            (
                with("/data/baseData/responseCode", json!("")),
                "responseCode",
                "RequestData",
            ),
            (
                payload("MessageData", json!({"message": ""})),
                "message",
                "MessageData",
            ),
            (
                payload("EventData", json!({"name": ""})),
                "name",
                "EventData",
            ),
            (
                payload("ExceptionData", json!({"exceptions": []})),
                "exceptions",
                "ExceptionData",
            ),
            (
                payload(
                    "ExceptionData",
                    json!({"exceptions": [{"message": "a"}, {"message": ""}]}),
                ),
                "message",
                "ExceptionDetails",
            ),
            (
                payload("MetricData", json!({"metrics": []})),
                "metrics",
                "MetricData",
            ),
            (
                payload("MetricData", json!({"metrics": [{"name": "", "value": 1}]})),
                "name",
                "DataPoint",
            ),
        ] {
            assert_eq!(refusal(&item), missing(field, owner), "{item}");
        }
    }

    #[test]
    fn a_field_of_another_type_is_named_with_its_value() {
        for (item, parts) in [
            (
                with("/time", json!("yesterday")),
                ["'time' on type 'Envelope'", "yesterday"],
            ),
            (
                with("/data/baseType", json!("Nonsense")),
                ["'baseType' on type 'Data'", "Nonsense"],
            ),
            (
                with("/data/baseData/duration", json!("soon")),
                ["'duration' on type 'RequestData'", "soon"],
            ),
            (
                with("/data/baseData/duration", json!(5)),
                ["'duration' on type 'RequestData'", "integer `5`"],
            ),
            (
                with("/data/baseData/success", json!("maybe")),
                ["'success' on type 'RequestData'", "true or false"],
            ),
            (
                payload(
                    "MetricData",
                    json!({"metrics": [{"name": "m", "value": "high"}]}),
                ),
                ["'value' on type 'DataPoint'", "high"],
            ),
            (
                payload("ExceptionData", json!({"exceptions": 1})),
                ["'exceptions' on type 'ExceptionData'", "integer `1`"],
            ),
        ] {
            let reason = refusal(&item);
            assert!(reason.starts_with("106: Field "), "{reason}");
            for part in parts {
                assert!(reason.contains(part), "{part} in {reason}");
            }
        }
    }

    #[test]
    fn the_key_may_be_anything_but_empty() {
        for key in ["x", "00000000-0000-0000-0000-000000000000", "ÄÖ"] {
            assert!(verdict(&with("/iKey", json!(key))).is_ok());
        }
        for key in [json!(""), json!("  "), json!(null)] {
            assert_eq!(refusal(&with("/iKey", key)), "Invalid instrumentation key");
        }
        assert_eq!(refusal(&without("/iKey")), "Invalid instrumentation key");
    }

    #[test]
    fn an_item_may_have_the_limit_but_no_byte_more() {
        let text = |length| payload("MessageData", json!({"message": "x".repeat(length)}));
        let overhead = text(0).to_string().len();
        assert!(verdict(&text(MAX_ITEM - overhead)).is_ok());
        let reason = refusal(&text(MAX_ITEM - overhead + 1));
        assert!(
            reason.contains("65537") && reason.contains("65536"),
            "{reason}"
        );
    }

    #[test]
    fn a_value_that_is_not_an_object_is_not_an_envelope() {
        for item in [json!(1), json!([]), json!("text"), json!(null)] {
            let reason = refusal(&item);
            assert!(reason.starts_with("Item is not an envelope: "), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn no_change_of_an_item_makes_it_panic(position in 0_usize..300, text in "[\\[\\]{}\":,0-9a-z\u{e9}]{0,6}") {
            let item = request().to_string();
            let position = position.min(item.len());
            let changed = [&item[..position], &text, &item[position..]].concat();
            if let Ok(item) = RawValue::from_string(changed) {
                let _ = judge(&item);
            }
        }
    }
}
