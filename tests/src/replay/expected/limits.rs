//! The service's limits on the length of fields, in characters.

use serde_json::Value;

use crate::replay::item::Item;

/// Fields with specific limits.
const LIMITS: [(&str, usize); 14] = [
    ("data.id", 512),
    ("data.url", 2048),
    ("data.data", 8192),
    ("data.message", 32768),
    ("exception.message", 32768),
    ("exception.stack", 32768),
    ("tags.ai.session.id", 64),
    ("tags.ai.location.ip", 46),
    ("tags.ai.operation.id", 128),
    ("tags.ai.operation.parentId", 512),
    ("tags.ai.cloud.role", 256),
    ("tags.ai.cloud.roleInstance", 256),
    ("time", usize::MAX),
    ("data.duration", usize::MAX),
];

/// Properties with a larger limit.
const GEN_AI: [&str; 7] = [
    "properties.gen_ai.input.messages",
    "properties.gen_ai.output.messages",
    "properties.gen_ai.system_instructions",
    "properties.gen_ai.tool.definitions",
    "properties.gen_ai.tool.call.arguments",
    "properties.gen_ai.tool.call.result",
    "properties.gen_ai.evaluation.explanation",
];

/// Fields that the service requires for an item of this kind.
const REQUIRED: [(&str, &str); 3] = [
    ("RemoteDependency", "data.name"),
    ("Message", "data.message"),
    ("Exception", "exception.message"),
];

/// Truncates every text, and drops properties with too long a key and empty fields that are not required.
pub(super) fn apply(item: &mut Item) {
    item.retain(|field, value| {
        let key = ["properties.", "measurements."]
            .iter()
            .find_map(|prefix| field.strip_prefix(prefix));
        if key.is_some_and(|key| key.chars().count() > 150) {
            return false;
        }
        if let Value::String(text) = value {
            *text = text.chars().take(limit(field)).collect();
        }
        key.is_some() || *value != ""
    });
    for (kind, required) in REQUIRED {
        if item.get("kind").is_some_and(|known| known == kind) {
            item.entry(required.to_owned())
                .or_insert_with(|| Value::from("n/a"));
        }
    }
}

fn limit(field: &str) -> usize {
    let own = LIMITS.iter().find(|(known, _)| *known == field);
    match own {
        Some((_, limit)) => *limit,
        None if GEN_AI.contains(&field) => 262_144,
        None if field.starts_with("properties.") => 8192,
        None => 1024,
    }
}
