//! The state of every check, for `/api/checks`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::alert::{AlertState, Level};
use super::availability::Outcome;
use super::config::{Checks, Rule, Test};

/// The state of all checks.
#[derive(Debug)]
pub(crate) struct CheckStates {
    pub(super) tests: Vec<TestEntry>,
    pub(super) rules: Vec<RuleEntry>,
}

#[derive(Debug)]
pub(super) struct TestEntry {
    pub(super) test: Test,
    pub(super) state: Mutex<TestState>,
}

#[derive(Debug)]
pub(super) struct RuleEntry {
    pub(super) rule: Rule,
    pub(super) state: Mutex<AlertState>,
}

/// The state of a test.
#[derive(Debug, Default)]
pub(super) struct TestState {
    last: Option<Outcome>,
    /// The start of the current successes or failures.
    since: Option<SystemTime>,
    runs: u64,
    failures: u64,
}

impl TestState {
    pub(super) fn ended(&mut self, outcome: Outcome) {
        let before = self.last.as_ref().map(|last| last.result.is_ok());
        if before != Some(outcome.result.is_ok()) {
            self.since = Some(outcome.time);
        }
        self.runs += 1;
        self.failures += u64::from(outcome.result.is_err());
        self.last = Some(outcome);
    }
}

impl CheckStates {
    pub(crate) fn new(checks: Checks) -> Arc<Self> {
        let tests = checks.tests.into_iter().map(|test| TestEntry {
            test,
            state: Mutex::default(),
        });
        let rules = checks.rules.into_iter().map(|rule| RuleEntry {
            rule,
            state: Mutex::default(),
        });
        Arc::new(Self {
            tests: tests.collect(),
            rules: rules.collect(),
        })
    }

    /// The response of `/api/checks`.
    pub(crate) fn view(&self) -> Value {
        let tests: Vec<Value> = self.tests.iter().map(view_of_test).collect();
        let rules: Vec<Value> = self.rules.iter().map(view_of_rule).collect();
        json!({"availability": tests, "alerts": rules})
    }
}

fn time(time: Option<SystemTime>) -> Value {
    let time = time.and_then(|time| Timestamp::try_from(time).ok());
    time.map_or(Value::Null, |time| format!("{time:.6}").into())
}

fn view_of_test(entry: &TestEntry) -> Value {
    let state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
    let test = &entry.test;
    let level = match state.last.as_ref().map(|last| &last.result) {
        None => "waiting",
        Some(Ok(_)) => "up",
        Some(Err(_)) => "down",
    };
    let message = state.last.as_ref().map(|last| match &last.result {
        Ok(message) | Err(message) => message.as_str(),
    });
    let milliseconds = |last: &Outcome| last.duration.as_secs_f64() * 1e3;
    json!({
        "name": test.name,
        "url": test.url.as_str(),
        "method": test.method.as_str(),
        "intervalSeconds": test.interval.as_secs(),
        "state": level,
        "since": time(state.since),
        "lastRun": time(state.last.as_ref().map(|last| last.time)),
        "durationMs": state.last.as_ref().map(milliseconds),
        "message": message,
        "runs": state.runs,
        "failures": state.failures,
    })
}

fn view_of_rule(entry: &RuleEntry) -> Value {
    let state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
    let rule = &entry.rule;
    let message = match &state.level {
        Level::Failed(message) => Some(message.as_str()),
        _ => None,
    };
    json!({
        "name": rule.name,
        "query": rule.query,
        "operator": rule.operator.as_str(),
        "threshold": rule.threshold,
        "windowSeconds": rule.window.as_secs(),
        "intervalSeconds": rule.interval.as_secs(),
        "state": state.level.as_str(),
        "value": state.value,
        "since": time(state.since),
        "lastRun": time(state.evaluated),
        "message": message,
        "webhookError": state.webhook_error,
    })
}
