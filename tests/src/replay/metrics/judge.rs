//! The verdict on one recorded metric.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::compare::agree;
use crate::replay::item::{self, Item};
use crate::replay::metrics::input::Point;
use crate::replay::metrics::rules;

/// The verdict on a recorded metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every field equals that of an official exporter.
    Agreed,
    /// Some field differs from both, for these reasons.
    Deviated(Vec<&'static str>),
    /// The failures, one line per field.
    Failed(Vec<String>),
}

/// Compares our envelopes with those of a case, point by point.
#[must_use]
pub fn judge(case: &Value, ours: &[Value]) -> Verdict {
    let points = Point::all(&case["input"]).enumerate();
    let (empty, points): (Vec<_>, Vec<_>) = points.partition(|(_, point)| point.is_empty());
    let (mut reasons, mut failures) = (Vec::new(), Vec::new());
    if ours.len() != points.len() {
        failures.push(format!(
            "{} envelopes for {} points with values",
            ours.len(),
            points.len()
        ));
    }
    let is_sent = |number: usize| {
        let mut officials = ["python", "node"].into_iter();
        officials.any(|name| case[name].get(number).is_some())
    };
    if empty.iter().any(|(number, _)| is_sent(*number)) {
        reasons.push(rules::NO_VALUE);
    }
    for (ours, (number, point)) in ours.iter().zip(points) {
        let official = |name: &str| case[name].get(number).map(item::of);
        let officials = [official("python"), official("node")];
        let officials: Vec<_> = officials.into_iter().flatten().collect();
        judge_point(
            &item::of(ours),
            point,
            &officials,
            &mut reasons,
            &mut failures,
        );
    }
    match (failures.is_empty(), reasons.is_empty()) {
        (false, _) => Verdict::Failed(failures),
        (true, true) => Verdict::Agreed,
        (true, false) => Verdict::Deviated(reasons),
    }
}

fn judge_point(
    ours: &Item,
    point: Point<'_>,
    officials: &[Item],
    reasons: &mut Vec<&'static str>,
    failures: &mut Vec<String>,
) {
    let all = officials.iter().flat_map(Item::keys).chain(ours.keys());
    let fields: BTreeSet<&String> = all.collect();
    for field in fields {
        let value = ours.get(field);
        let mut known = officials.iter().map(|official| official.get(field));
        if known.any(|official| same(field, value, official)) {
            continue;
        }
        let mut rules = rules::ALL.iter().filter(|rule| rule.field == field);
        let rule = rules.find(|rule| same(field, value, (rule.expected)(point).as_ref()));
        match rule {
            Some(rule) => reasons.push(rule.reason),
            None => failures.push(line(field, value, officials)),
        }
    }
}

fn same(field: &str, ours: Option<&Value>, other: Option<&Value>) -> bool {
    match (ours, other) {
        (None, None) => true,
        // Sums and square roots of measured values are rounded in another order.
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            let distance = a.as_f64().zip(b.as_f64()).map(|(a, b)| (a - b).abs());
            distance.is_some_and(|distance| distance < 1e-12)
        }
        (Some(ours), Some(other)) => agree(field, ours, other) || ours == other,
        _ => false,
    }
}

fn line(field: &str, ours: Option<&Value>, officials: &[Item]) -> String {
    let show = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    let officials = officials.iter().map(|official| show(official.get(field)));
    let officials: Vec<_> = officials.collect();
    format!(
        "{field}: ours {}, officials {}",
        show(ours),
        officials.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replay::case::Recording;
    use crate::replay::metrics::map;

    const GOLDEN: &str = include_str!("../../../golden/mapping.json");

    fn golden() -> Vec<Value> {
        Recording::parse(GOLDEN).unwrap().metrics
    }

    #[test]
    fn every_recorded_metric_agrees_or_deviates_by_a_rule() {
        let cases = golden();
        assert_eq!(cases.len(), 12);
        for case in &cases {
            let verdict = judge(case, &map(&case["input"]));
            assert!(
                !matches!(verdict, Verdict::Failed(_)),
                "{}: {verdict:?}",
                case["case"]
            );
        }
    }

    #[test]
    fn histograms_and_nothing_else_deviate() {
        for case in &golden() {
            let verdict = judge(case, &map(&case["input"]));
            let is_histogram = case["input"]["type"] == "histogram";
            assert_eq!(verdict == Verdict::Agreed, !is_histogram, "{verdict:?}");
        }
    }

    #[test]
    fn any_wrong_field_fails() {
        for case in &golden() {
            let ours = map(&case["input"]);
            for pointer in [
                "/0/name",
                "/0/time",
                "/0/tags/ai.cloud.role",
                "/0/data/baseData/metrics/0/name",
                "/0/data/baseData/metrics/0/kind",
                "/0/data/baseData/metrics/0/value",
                "/0/data/baseData/metrics/0/count",
                "/0/data/baseData/metrics/0/min",
                "/0/data/baseData/metrics/0/stdDev",
            ] {
                let mut wrong = Value::from(ours.clone());
                let Some(field) = wrong.pointer_mut(pointer) else {
                    continue;
                };
                *field = match field.as_f64() {
                    Some(number) => json!(number + 0.5),
                    None => json!("wrong"),
                };
                let verdict = judge(case, wrong.as_array().unwrap());
                assert!(
                    matches!(verdict, Verdict::Failed(_)),
                    "{} {pointer}",
                    case["case"]
                );
            }
            // A point without values must have no envelope.
            let wrong_number = match ours.is_empty() {
                true => map(&golden()[0]["input"]),
                false => Vec::new(),
            };
            assert!(
                matches!(judge(case, &wrong_number), Verdict::Failed(_)),
                "{}",
                case["case"]
            );
        }
    }

    #[test]
    fn a_superfluous_property_fails() {
        let case = &golden()[0];
        let mut ours = map(&case["input"]);
        ours[0]["data"]["baseData"]["properties"] = json!({"more": "x"});
        assert!(matches!(judge(case, &ours), Verdict::Failed(_)));
    }
}
