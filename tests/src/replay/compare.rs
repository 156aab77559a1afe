//! Compares two values of a field by their meaning.

use azmon::envelope::{SeverityLevel, TimeSpan};
use serde_json::Value;

use crate::replay::input::written;

/// Whether our value has the meaning of the official exporter's value.
///
/// Times and durations are compared at the precision of the official value, numbers by value, and a text of which
/// only the ends are known by its ends and length.
#[must_use]
pub fn agree(field: &str, ours: &Value, official: &Value) -> bool {
    match field {
        "time" => near(microseconds(ours), microseconds(official), official, 6),
        "data.duration" => near(duration(ours), duration(official), official, 3),
        "measurements.timeSinceEnqueued" => {
            let distance = ours
                .as_f64()
                .zip(official.as_f64())
                .map(|(a, b)| (a - b).abs());
            distance.is_some_and(|milliseconds| milliseconds < 0.01)
        }
        "data.severityLevel" => level(ours).is_some() && level(ours) == level(official),
        _ => equal(ours, official),
    }
}

/// One exporter writes levels as numbers, the other as words.
fn level(level: &Value) -> Option<SeverityLevel> {
    serde_json::from_value(level.clone()).ok()
}

fn equal(ours: &Value, official: &Value) -> bool {
    match (ours, official) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::String(text), Value::Object(ends)) => has_ends(text, ends),
        // The Python exporter writes a numeric tag as a number.
        (Value::String(text), Value::Number(_) | Value::Bool(_)) => *text == written(official),
        _ => ours == official,
    }
}

fn has_ends(text: &str, ends: &serde_json::Map<String, Value>) -> bool {
    let end = |key: &str| ends.get(key).and_then(Value::as_str).unwrap_or_default();
    let length = ends.get("$text_len").and_then(Value::as_u64);
    length == u64::try_from(text.chars().count()).ok()
        && text.starts_with(end("$head"))
        && text.ends_with(end("$tail"))
}

/// Whether two times, in nanoseconds, differ by at most one unit of the official value's last digit.
///
/// An official value without a fraction has `digits` zeros as its fraction.
fn near(ours: Option<i128>, official: Option<i128>, text: &Value, digits: u32) -> bool {
    let text = text.as_str().unwrap_or_default();
    let fraction = text.rsplit_once('.').map(|(_, fraction)| fraction);
    let written = fraction.map(|fraction| fraction.bytes().filter(u8::is_ascii_digit).count());
    let digits = written
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(digits);
    let unit = 10_i128.pow(9_u32.saturating_sub(digits));
    matches!((ours, official), (Some(ours), Some(official)) if (ours - official).abs() <= unit)
}

fn microseconds(time: &Value) -> Option<i128> {
    let time: jiff::Timestamp = time.as_str()?.parse().ok()?;
    Some(time.as_nanosecond())
}

fn duration(span: &Value) -> Option<i128> {
    let span: TimeSpan = span.as_str()?.parse().ok()?;
    i128::try_from(span.0.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_agree_to_the_precision_that_is_written() {
        let ours = json!("2023-11-14T22:13:20.123456Z");
        for (official, agreed) in [
            ("2023-11-14T22:13:20.123Z", true),
            ("2023-11-14T22:13:20.123457Z", true),
            ("2023-11-14T22:13:20.123459Z", false),
            ("2023-11-14T22:13:20.125Z", false),
            ("2023-11-14T22:13:20Z", false),
        ] {
            assert_eq!(agree("time", &ours, &json!(official)), agreed, "{official}");
        }
    }

    #[test]
    fn durations_agree_as_times() {
        let ours = json!("00:00:00.9999996");
        assert!(agree("data.duration", &ours, &json!("0.00:00:01.000")));
        assert!(agree("data.duration", &ours, &json!("00:00:00.9999997")));
        assert!(!agree("data.duration", &ours, &json!("00:00:01.0000000")));
    }

    #[test]
    fn a_long_text_agrees_by_its_length_and_ends() {
        let ends = json!({"$text_len": 4, "$head": "世", "$tail": "d"});
        assert!(agree("data.name", &json!("世bcd"), &ends));
        assert!(!agree("data.name", &json!("世cd"), &ends));
        assert!(!agree("data.name", &json!("xbcd"), &ends));
    }
}
