//! The state machine of an alert rule, without clock and network.

use std::time::SystemTime;

use azmon_kql::{Answer, Value};

use super::config::Rule;

/// The current state of a rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Level {
    /// The rule was not evaluated yet.
    #[default]
    Waiting,
    Well,
    Fired,
    /// Its query failed.
    Failed(String),
}

impl Level {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Well => "ok",
            Self::Fired => "fired",
            Self::Failed(_) => "error",
        }
    }
}

/// The state of a rule.
#[derive(Debug, Clone, Default)]
pub(super) struct AlertState {
    pub(super) level: Level,
    pub(super) value: Option<f64>,
    /// The time of the last change of the level.
    pub(super) since: Option<SystemTime>,
    pub(super) evaluated: Option<SystemTime>,
    /// Whether the last level that was not an error was fired: a query that fails resolves nothing.
    is_fired: bool,
    /// A change that was not sent to the webhook yet.
    pub(super) untold: Option<Change>,
    pub(super) webhook_error: Option<String>,
}

/// A rule was fired or resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    pub(super) is_fired: bool,
    pub(super) value: f64,
    pub(super) time: SystemTime,
}

impl AlertState {
    /// Applies the value of an evaluation, and returns the change, if any.
    pub(super) fn evaluated(
        &mut self,
        rule: &Rule,
        value: Result<f64, String>,
        now: SystemTime,
    ) -> Option<Change> {
        self.evaluated = Some(now);
        let level = match &value {
            Ok(value) if rule.operator.holds(*value, rule.threshold) => Level::Fired,
            Ok(_) => Level::Well,
            Err(message) => Level::Failed(message.clone()),
        };
        if self.level.as_str() != level.as_str() {
            self.since = Some(now);
        }
        self.level = level;
        let value = value.ok();
        self.value = value;
        let value = value?;
        let is_fired = self.level == Level::Fired;
        if self.is_fired == is_fired {
            return None;
        }
        self.is_fired = is_fired;
        let change = Change {
            is_fired,
            value,
            time: now,
        };
        if rule.webhook.is_some() {
            self.untold = Some(change);
        }
        Some(change)
    }
}

/// The value of a result: the number in its only cell, else its number of rows.
pub(super) fn value_of(answer: &Answer) -> Result<f64, String> {
    if let Some(error) = &answer.partial {
        return Err(error.to_string());
    }
    let mut rows = answer.rows();
    if let (Some(row), None) = (rows.next(), rows.next())
        && let [cell] = row.as_slice()
    {
        match cell {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a threshold is compared with it"
            )]
            Value::Long(number) => return Ok(*number as f64),
            Value::Real(number) if number.is_nan() => return Ok(0.0),
            Value::Real(number) => return Ok(*number),
            Value::Null => return Ok(0.0),
            _ => {}
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "rows are counted in memory")]
    let rows = answer.len() as f64;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use azmon_kql::{NoTables, Options, run};

    use super::*;
    use crate::checks::Checks;

    fn rule() -> Rule {
        let text =
            "[[alert]]\nname = \"a\"\nquery = \"requests\"\nthreshold = 5\nwebhook = \"http://x/\"";
        text.parse::<Checks>().unwrap().rules.remove(0)
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_rule_fires_once_and_resolves_once() {
        let (rule, mut state) = (rule(), AlertState::default());
        let values = [3.0, 5.0, 6.0, 9.0, 5.0, 1.0];
        let changes: Vec<_> = (1..)
            .zip(values)
            .filter_map(|(second, value)| state.evaluated(&rule, Ok(value), at(second)))
            .map(|change| (change.is_fired, change.value, change.time))
            .collect();
        assert_eq!(changes, [(true, 6.0, at(3)), (false, 5.0, at(5))]);
        assert_eq!((state.level, state.since), (Level::Well, Some(at(5))));
        assert_eq!(state.evaluated, Some(at(6)));
    }

    #[test]
    fn a_query_that_fails_resolves_nothing() {
        let (rule, mut state) = (rule(), AlertState::default());
        assert!(state.evaluated(&rule, Ok(6.0), at(1)).is_some());
        let failed = state.evaluated(&rule, Err("no".to_owned()), at(2));
        assert_eq!((failed, state.level.as_str()), (None, "error"));
        assert_eq!(state.evaluated(&rule, Ok(7.0), at(3)), None);
        assert_eq!(state.level, Level::Fired);
        let change = state.evaluated(&rule, Ok(0.0), at(4)).unwrap();
        assert!(!change.is_fired);
    }

    #[test]
    fn the_value_is_the_only_number_or_the_number_of_rows() {
        for (query, value) in [
            ("print 7", 7.0),
            ("print 2.5", 2.5),
            ("print real(null)", 0.0),
            ("print 'text'", 1.0),
            ("print 7, 8", 1.0),
            ("range x from 1 to 4 step 1", 4.0),
            ("range x from 1 to 4 step 1 | where x > 9", 0.0),
        ] {
            let answer = run(query, &NoTables, &Options::new()).unwrap();
            assert_eq!(value_of(&answer), Ok(value), "{query}");
        }
    }
}
