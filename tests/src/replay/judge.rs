//! The verdict on one case.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::case::Case;
use crate::replay::compare::agree;
use crate::replay::expected;
use crate::replay::input::{Event, Input};
use crate::replay::item::{self, Item};
use crate::replay::rule::Difference;
use crate::replay::rules;

/// The verdict on one case.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The reasons of the rules for deviating fields.
    pub deviations: Vec<&'static str>,
    /// The failures, one line per field.
    pub failures: Vec<String>,
}

/// Compares our envelopes with those of a case.
#[must_use]
pub fn judge(case: &Case, ours: &[Value]) -> Verdict {
    let input = Input::of(&case.input);
    let expected = expected::items(&input);
    let ours: Vec<_> = ours.iter().map(item::of).collect();
    let mut verdict = Verdict::default();
    let officials = [&case.python, &case.node];
    if ours.len() != expected.len() || officials.iter().all(|items| items.len() > ours.len()) {
        let counts = [expected.len(), case.python.len(), case.node.len()];
        verdict.failures.push(format!(
            "envelopes: ours {}; by the rules, python, node {counts:?}",
            ours.len()
        ));
    }
    let [mut python, mut node] = officials.map(|items| counterparts(items, &ours).into_iter());
    for (index, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
        let event = index
            .checked_sub(1)
            .and_then(|index| input.events.get(index));
        let comparison = Comparison {
            input: &input,
            event,
            expected,
            officials: [python.next().flatten(), node.next().flatten()],
        };
        comparison.judge(ours, &mut verdict);
    }
    verdict
}

/// For each of our items, the official one.
///
/// Items correspond by position, unless the official exporter dropped some; then by kind and time.
fn counterparts(envelopes: &[Value], ours: &[Item]) -> Vec<Option<Item>> {
    let mut officials: Vec<_> = envelopes.iter().map(item::of).collect();
    if officials.len() >= ours.len() {
        return officials.into_iter().map(Some).collect();
    }
    let mut like = |ours: &Item| {
        let is_same = |official: &Item| {
            let times = ours.get("time").zip(official.get("time"));
            let is_same_time = times.is_some_and(|(ours, official)| agree("time", ours, official));
            is_same_time && official.get("kind") == ours.get("kind")
        };
        let place = officials.iter().position(is_same)?;
        Some(officials.remove(place))
    };
    ours.iter().map(&mut like).collect()
}

/// One of our items, with those of the official exporters.
struct Comparison<'a> {
    input: &'a Input,
    event: Option<&'a Event>,
    expected: &'a Item,
    officials: [Option<Item>; 2],
}

impl Comparison<'_> {
    fn judge(&self, ours: &Item, verdict: &mut Verdict) {
        let items = self.officials.iter().flatten().chain([ours, self.expected]);
        let fields: BTreeSet<_> = items.flat_map(Item::keys).collect();
        for field in fields {
            self.judge_field(field, ours.get(field), verdict);
        }
    }

    fn judge_field(&self, field: &str, ours: Option<&Value>, verdict: &mut Verdict) {
        let mut officials = self.officials.iter().flatten();
        if officials.any(|official| same(field, ours, official.get(field))) {
            return;
        }
        let expected = self.expected.get(field);
        match self.reason(field) {
            Some(reason) if same(field, ours, expected) => verdict.deviations.push(reason),
            reason => {
                let why = match reason {
                    Some(_) => format!("the rule says {}", shown(expected)),
                    None => "no rule".to_owned(),
                };
                let [python, node] = self.officials.each_ref().map(|official| match official {
                    Some(official) => shown(official.get(field)),
                    None => "dropped".to_owned(),
                });
                let ours = shown(ours);
                let line = format!("{field}: ours {ours}, python {python}, node {node}; {why}");
                verdict.failures.push(line);
            }
        }
    }

    /// The reason why the field may differ from both official exporters.
    fn reason(&self, field: &str) -> Option<&'static str> {
        if self.officials.iter().any(Option::is_none) {
            return Some(rules::DROPPED);
        }
        let difference = Difference {
            field,
            input: self.input,
            event: self.event,
        };
        let mut rules = rules::ALL.iter().copied().flatten();
        rules
            .find(|rule| rule.covers(&difference))
            .map(|rule| rule.reason)
    }
}

fn same(field: &str, ours: Option<&Value>, other: Option<&Value>) -> bool {
    match (ours, other) {
        (None, None) => true,
        (Some(ours), Some(other)) => agree(field, ours, other),
        _ => false,
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(value) => value.to_string().chars().take(200).collect(),
        None => "absent".to_owned(),
    }
}
