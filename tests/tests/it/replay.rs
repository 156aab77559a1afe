//! The golden recording replays without a failure, and the replay can fail.

use std::path::Path;
use std::process::Command;

use azmon_tests::logs;
use azmon_tests::replay::case::{Case, Recording};
use azmon_tests::replay::judge::judge;
use azmon_tests::replay::log::log;
use azmon_tests::replay::report::Report;
use azmon_tests::replay::span::{resource, span};
use azmon_tests::spans::mapped_for;
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("../../golden/mapping.json");

fn golden() -> Recording {
    Recording::parse(GOLDEN).unwrap()
}

fn case<'a>(recording: &'a Recording, name: &str) -> &'a Case {
    recording
        .spans
        .iter()
        .find(|case| case.name == name)
        .unwrap()
}

fn map(input: &Value) -> Vec<Value> {
    if input.get("body").is_some() {
        return vec![logs::mapped_for(&log(input), &resource(input))];
    }
    mapped_for(&span(input), &resource(input))
}

#[test]
fn every_recorded_item_agrees_or_deviates_by_a_rule() {
    let recording = golden();
    let report = Report::of(&recording);
    assert!(report.failed.is_empty(), "{report}");
    let replayed = recording.spans.len() + recording.logs.len() + recording.metrics.len();
    assert_eq!(report.agreed + report.deviated, replayed);
    let last = report.to_string();
    assert!(last.ends_with(" deviated, 0 failed"), "{last}");
}

#[test]
fn any_wrong_field_fails() {
    let recording = golden();
    for case in recording.spans.iter().chain(&recording.logs) {
        let ours = map(&case.input);
        let pointers = leaves(&Value::from(ours.clone()), "");
        assert!(pointers.len() > 8, "{}", case.name);
        for pointer in pointers {
            let mut wrong = Value::from(ours.clone());
            let field = wrong.pointer_mut(&pointer).unwrap();
            *field = match field.take() {
                Value::String(text) => json!(format!("{text}~")),
                // The other boolean may be the value of an official exporter.
                Value::Bool(_) => json!("neither"),
                other => json!(other.as_f64().unwrap() + 1.0),
            };
            let verdict = judge(case, wrong.as_array().unwrap());
            assert!(!verdict.failures.is_empty(), "{} {pointer}", case.name);
        }
    }
}

#[test]
fn a_missing_and_a_superfluous_property_fail() {
    let recording = golden();
    let case = case(&recording, "internal_child");
    for properties in [json!({}), json!({"k": "v", "more": "w"})] {
        let mut wrong = map(&case.input);
        wrong[0]["data"]["baseData"]["properties"] = properties;
        assert!(!judge(case, &wrong).failures.is_empty());
    }
}

#[test]
fn a_missing_envelope_fails() {
    let recording = golden();
    let case = case(&recording, "event_message");
    let mut ours = map(&case.input);
    assert!(judge(case, &ours).failures.is_empty());
    ours.pop();
    assert!(!judge(case, &ours).failures.is_empty());
}

#[test]
fn an_item_of_another_kind_fails() {
    let recording = golden();
    let case = case(&recording, "event_message");
    let mut ours = map(&case.input);
    ours[1]["name"] = json!("Microsoft.ApplicationInsights.Event");
    assert!(!judge(case, &ours).failures.is_empty());
}

#[test]
fn an_item_that_both_officials_sent_and_we_did_not_fails() {
    let mut recording = golden();
    let case = recording
        .spans
        .iter_mut()
        .find(|case| case.name == "event_message")
        .unwrap();
    let ours = map(&case.input);
    case.python.push(case.python[1].clone());
    assert!(judge(case, &ours).failures.is_empty());
    case.node.push(case.node[1].clone());
    assert!(!judge(case, &ours).failures.is_empty());
}

#[test]
fn an_item_that_both_officials_dropped_must_still_be_right() {
    let mut recording = golden();
    let mut case = recording.spans.swap_remove(0);
    (case.python, case.node) = (Vec::new(), Vec::new());
    let mut ours = map(&case.input);
    assert!(judge(&case, &ours).failures.is_empty());
    ours[0]["data"]["baseData"]["id"] = json!("0000000000000000");
    assert!(!judge(&case, &ours).failures.is_empty());
}

#[test]
fn the_program_reports_the_results_of_a_file_and_exits_accordingly() {
    let wrong = GOLDEN.replace("\"k\":\"v\"", "\"k\":\"w\"");
    assert_ne!(wrong, GOLDEN);
    // The inputs are affected, too; there the original text is restored.
    let wrong = wrong.replace(
        "\"attributes\":{\"k\":\"w\"}",
        "\"attributes\":{\"k\":\"v\"}",
    );
    for (name, json, code, last_line) in [
        ("golden.json", GOLDEN, Some(0), ", 0 failed"),
        ("wrong.json", &wrong, Some(1), " failed"),
        ("no-recording.json", "[", Some(2), ""),
    ] {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, json).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_replay"))
            .arg(path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), code, "{text}");
        assert!(text.trim_end().ends_with(last_line), "{text}");
        assert_eq!(
            code == Some(1),
            text.contains("internal_child\n  properties.k: ours"),
            "{text}"
        );
    }
}

/// Pointers to the compared values, without versions and without the names of the exporter and the host.
fn leaves(value: &Value, pointer: &str) -> Vec<String> {
    let ignored = ["/iKey", "/ver", "/baseType", "ai.internal.sdkVersion"];
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{key}"))
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(value, &format!("{pointer}/{index}")))
            .collect(),
        _ if ignored.iter().any(|end| pointer.ends_with(end)) => Vec::new(),
        _ if pointer.contains("/ai.device.") => Vec::new(),
        _ => vec![pointer.to_owned()],
    }
}
