//! The file of recorded cases, and its abbreviations for long texts.

use serde::Deserialize;
use serde_json::Value;

/// A file of recorded cases.
#[derive(Debug, Deserialize)]
pub struct Recording {
    /// Spans.
    #[serde(default)]
    pub spans: Vec<Case>,
    /// Log records.
    #[serde(default)]
    pub logs: Vec<Case>,
    /// Metrics, which [`metrics`](crate::replay::metrics) reads.
    #[serde(default)]
    pub metrics: Vec<Value>,
}

/// One item, and the envelopes that the exporters made of it.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name, for reports only.
    #[serde(rename = "case")]
    pub name: String,
    /// The item.
    pub input: Value,
    /// The envelopes of the Python exporter.
    #[serde(default)]
    pub python: Vec<Value>,
    /// The envelopes of the Node.js exporter.
    #[serde(default)]
    pub node: Vec<Value>,
}

impl Recording {
    /// Parses a recording, and expands its abbreviations.
    ///
    /// # Errors
    ///
    /// If the text is not a recording.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        let mut recording: Self = serde_json::from_str(json)?;
        for case in recording.spans.iter_mut().chain(&mut recording.logs) {
            expand(&mut case.input);
            case.python.iter_mut().for_each(expand);
            case.node.iter_mut().for_each(expand);
        }
        recording.metrics.iter_mut().for_each(expand);
        Ok(recording)
    }
}

/// Expands `{"$repeat": [text, n]}` and `{"$concat": [..]}`.
///
/// `{"$text_len", "$head", "$tail"}` is kept: only the length and the ends of the text are known.
fn expand(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(expand),
        Value::Object(fields) => match expanded(fields) {
            Some(text) => *value = Value::String(text),
            None => fields.values_mut().for_each(expand),
        },
        _ => {}
    }
}

fn expanded(fields: &serde_json::Map<String, Value>) -> Option<String> {
    if let Some(repeat) = fields.get("$repeat") {
        let times = usize::try_from(repeat.get(1)?.as_u64()?).ok()?;
        return Some(repeat.get(0)?.as_str()?.repeat(times));
    }
    let parts = fields.get("$concat")?.as_array()?;
    let texts = parts.iter().map(|part| match part {
        Value::Object(fields) => expanded(fields),
        text => text.as_str().map(str::to_owned),
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shorthand_is_written_out_in_metrics_too() {
        let json = r#"{"metrics": [{"input": {"points": [{"attributes": {"k": {"$repeat": ["ab", 2]}}}]}}]}"#;
        let recording = Recording::parse(json).unwrap();
        let attributes = &recording.metrics[0]["input"]["points"][0]["attributes"];
        assert_eq!(attributes, &json!({"k": "abab"}));
    }

    #[test]
    fn shorthand_is_written_out() {
        let mut value =
            json!({"a": [{"$repeat": ["ab", 2]}], "b": {"$concat": ["x", {"$repeat": ["y", 2]}]}});
        expand(&mut value);
        assert_eq!(value, json!({"a": ["abab"], "b": "xyy"}));
    }
}
