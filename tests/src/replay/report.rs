//! The verdict on every case.

use std::fmt;

use serde_json::Value;

use crate::replay::case::{Case, Recording};
use crate::replay::compare::agree;
use crate::replay::expected;
use crate::replay::input::Input;
use crate::replay::item::{self, Item};
use crate::replay::rule::Difference;
use crate::replay::rules;
use crate::replay::span;
use crate::spans;

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases in which every field is that of one of the officials.
    pub agreed: usize,
    /// Cases in which some field differs from both, by a rule.
    pub deviated: usize,
    /// Cases in which some field differs from both, by no rule or not as it says.
    pub failed: Vec<Failure>,
    /// Logs and metrics that the recording holds.
    pub not_replayed: usize,
}

/// A case that failed.
#[derive(Debug)]
pub struct Failure {
    /// Name of the case.
    pub case: String,
    /// What is wrong, a line for each field.
    pub lines: Vec<String>,
}

/// What came of one case.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The reasons of the rules by which fields deviate.
    pub deviations: Vec<&'static str>,
    /// What is wrong, a line for each field.
    pub failures: Vec<String>,
}

impl Report {
    /// Replays a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut report = Self {
            not_replayed: recording.logs.len() + recording.metrics.len(),
            ..Self::default()
        };
        for case in &recording.spans {
            let verdict = judge(case, &map(&case.input));
            if !verdict.failures.is_empty() {
                report.failed.push(Failure {
                    case: case.name.clone(),
                    lines: verdict.failures,
                });
            } else if verdict.deviations.is_empty() {
                report.agreed += 1;
            } else {
                report.deviated += 1;
            }
        }
        report
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failed {
            writeln!(f, "{}", failure.case)?;
            for line in &failure.lines {
                writeln!(f, "  {line}")?;
            }
        }
        if self.not_replayed > 0 {
            writeln!(
                f,
                "{} logs and metrics are not replayed yet",
                self.not_replayed
            )?;
        }
        let failed = self.failed.len();
        write!(
            f,
            "{} agreed, {} deviated, {failed} failed",
            self.agreed, self.deviated
        )
    }
}

/// Maps an input as azmon does, limits and JSON included.
#[must_use]
pub fn map(input: &Value) -> Vec<Value> {
    spans::mapped_for(&span::span(input), &span::resource(input))
}

/// Compares our envelopes with those of a case.
#[must_use]
pub fn judge(case: &Case, ours: &[Value]) -> Verdict {
    let input = Input::of(&case.input);
    let expected = expected::items(&input);
    let mut verdict = Verdict::default();
    if ours.len() != expected.len() {
        let line = format!(
            "envelopes: ours {}, by the rules {}",
            ours.len(),
            expected.len()
        );
        verdict.failures.push(line);
    }
    let (mut python, mut node) = (Officials::of(&case.python), Officials::of(&case.node));
    for (index, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
        let ours = item::of(ours);
        let officials = [python.like(&ours), node.like(&ours)];
        let event = index
            .checked_sub(1)
            .and_then(|index| input.events.get(index));
        let comparison = Comparison {
            input: &input,
            event,
            expected,
            officials,
        };
        comparison.judge(&ours, &mut verdict);
    }
    verdict
}

/// The items of an exporter that none of ours has been compared with yet.
struct Officials(Vec<Item>);

impl Officials {
    fn of(envelopes: &[Value]) -> Self {
        Self(envelopes.iter().map(item::of).collect())
    }

    /// The next item of the same kind and time: an exporter may have dropped those before it.
    fn like(&mut self, ours: &Item) -> Option<Item> {
        let is_same = |official: &Item| {
            official.get("kind") == ours.get("kind")
                && ours
                    .get("time")
                    .zip(official.get("time"))
                    .is_some_and(|(a, b)| agree("time", a, b))
        };
        let place = self.0.iter().position(is_same)?;
        Some(self.0.remove(place))
    }
}

struct Comparison<'a> {
    input: &'a Input,
    event: Option<&'a crate::replay::input::Event>,
    expected: &'a Item,
    officials: [Option<Item>; 2],
}

impl Comparison<'_> {
    fn judge(&self, ours: &Item, verdict: &mut Verdict) {
        let officials = self.officials.iter().flatten();
        let all = officials
            .flat_map(Item::keys)
            .chain(ours.keys())
            .chain(self.expected.keys());
        let fields: std::collections::BTreeSet<&String> = all.collect();
        for field in fields {
            self.judge_field(field, ours.get(field), verdict);
        }
    }

    fn judge_field(&self, field: &str, ours: Option<&Value>, verdict: &mut Verdict) {
        let known = self.officials.iter().flatten();
        if known
            .clone()
            .any(|official| same(field, ours, official.get(field)))
        {
            return;
        }
        let expected = self.expected.get(field);
        let difference = Difference {
            field,
            input: self.input,
            event: self.event,
        };
        let rule = if known.count() == 0 {
            Some(&rules::DROPPED)
        } else {
            rules::ALL
                .iter()
                .copied()
                .flatten()
                .find(|rule| rule.covers(&difference))
        };
        match rule {
            Some(rule) if same(field, ours, expected) => verdict.deviations.push(rule.reason),
            rule => verdict
                .failures
                .push(self.line(field, ours, expected, rule.is_some())),
        }
    }

    fn line(
        &self,
        field: &str,
        ours: Option<&Value>,
        expected: Option<&Value>,
        is_known: bool,
    ) -> String {
        let show = |value: Option<&Value>| match value {
            Some(value) => value.to_string().chars().take(200).collect(),
            None => "absent".to_owned(),
        };
        let [python, node] = self.officials.each_ref().map(|item| match item {
            Some(item) => show(item.get(field)),
            None => "dropped".to_owned(),
        });
        let why = if is_known {
            format!("the rule says {}", show(expected))
        } else {
            "no rule".to_owned()
        };
        format!(
            "{field}: ours {}, python {python}, node {node}; {why}",
            show(ours)
        )
    }
}

fn same(field: &str, ours: Option<&Value>, other: Option<&Value>) -> bool {
    match (ours, other) {
        (None, None) => true,
        (Some(ours), Some(other)) => agree(field, ours, other),
        _ => false,
    }
}
