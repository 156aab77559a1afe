/// Nesting is not followed deeper: hostile JSON nests ten thousand levels, each of which would be a line of blanks.
const MAX_INDENT: usize = 32;

/// Lays out valid JSON on lines, without changing any of its texts and numbers.
///
/// Reading it into values and writing these would lose the order of keys and the digits of large numbers, and fail on
/// deep nesting.
pub(super) fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut rest = json.trim_start();
    while let Some(character) = rest.chars().next() {
        let mut token = character.len_utf8();
        match character {
            '"' => token = end_of_text(rest),
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !text.ends_with(['{', '[']) {
                    new_line(&mut text, depth);
                }
            }
            _ => {}
        }
        if text.ends_with(['{', '[', ',']) && !matches!(character, '}' | ']') {
            new_line(
                &mut text,
                depth - usize::from(matches!(character, '{' | '[')),
            );
        }
        let (written, remaining) = rest.split_at(token);
        text.push_str(written);
        if character == ':' {
            text.push(' ');
        }
        rest = remaining.trim_start();
    }
    text
}

/// The length of the text that `json` starts with, with its quotes.
fn end_of_text(json: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    json.len()
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    for _ in 0..depth.min(MAX_INDENT) {
        text.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_element_has_its_line() {
        assert_eq!(
            pretty(r#" {"a":[1,{"b":null}], "c": "x" ,"d":{}, "e":[ ]}"#),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": \"x\",\n  \"d\": {},\n  \"e\": []\n}"
        );
        assert_eq!(pretty("1"), "1");
        assert_eq!(pretty("[[]]"), "[\n  []\n]");
    }

    #[test]
    fn texts_and_numbers_are_left_as_they_are() {
        for json in [
            r#""a,[{: \" }]""#,
            r#""ends in \\""#,
            "123456789012345678901234567890",
            "1.50e+10",
        ] {
            assert_eq!(pretty(json), json);
        }
    }

    #[test]
    fn deep_nesting_stays_within_reason() {
        let depth = 10_000;
        let json = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let text = pretty(&json);
        assert!(text.len() < json.len() * 70);
        assert_eq!(text.split_whitespace().collect::<String>(), json);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_meaning_is_unchanged(value in json()) {
            let text = pretty(&value.to_string());
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
            prop_assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
