//! The file of checks.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::ingestion::INSTRUMENTATION_KEY;

const DEFAULT_TEST_INTERVAL: Duration = Duration::from_secs(300);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_ALERT_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_WINDOW: Duration = Duration::from_secs(300);
/// The minimum interval; a shorter one would be a load test.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum of every duration.
const MAX_TIME: Duration = Duration::from_secs(30 * 86_400);
/// The maximum number of checks of each kind.
const MAX_CHECKS: usize = 200;

/// Availability tests and alert rules, as a TOML file describes them; the guide `docs/checks.md` has every key.
///
/// ```
/// let checks: azmon_portal::Checks = r#"
///     [[availability]]
///     name = "shop"
///     url = "http://localhost:8080/health"
///
///     [[alert]]
///     name = "failed requests"
///     query = "requests | where success == false"
///     threshold = 5
/// "#.parse()?;
/// assert_eq!(checks.len(), 2);
/// # Ok::<(), azmon_portal::ParseChecksError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Checks {
    pub(super) tests: Vec<Test>,
    pub(super) rules: Vec<Rule>,
}

impl Checks {
    /// The number of tests and rules.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tests.len() + self.rules.len()
    }

    /// Whether it contains neither a test nor a rule.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names and queries of the alert rules.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule.query.as_str()))
    }
}

/// An availability test.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) status: u16,
    /// A text that the response must contain.
    pub(super) text: Option<String>,
    /// Instrumentation key of the application that the results belong to.
    pub(super) app: String,
}

/// An alert rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) query: String,
    pub(super) operator: Operator,
    pub(super) threshold: f64,
    pub(super) window: Duration,
    pub(super) interval: Duration,
    pub(super) webhook: Option<Url>,
    pub(super) app: String,
}

/// The comparison of a rule's value with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Operator {
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
}

impl Operator {
    pub(super) fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// The text describes no checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseChecksError(String);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    availability: Vec<TestEntry>,
    #[serde(default)]
    alert: Vec<RuleEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestEntry {
    name: String,
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    interval: Option<String>,
    timeout: Option<String>,
    status: Option<u16>,
    text: Option<String>,
    app: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: String,
    query: String,
    operator: Option<Operator>,
    #[serde(default)]
    threshold: f64,
    window: Option<String>,
    interval: Option<String>,
    webhook: Option<String>,
    app: Option<String>,
}

impl FromStr for Checks {
    type Err = ParseChecksError;

    fn from_str(text: &str) -> Result<Self, ParseChecksError> {
        let file: File =
            toml::from_str(text).map_err(|error| ParseChecksError(error.to_string()))?;
        if file.availability.len() > MAX_CHECKS || file.alert.len() > MAX_CHECKS {
            return Err(ParseChecksError(format!(
                "there are more than {MAX_CHECKS} checks of a kind"
            )));
        }
        let mut names = BTreeSet::new();
        let mut distinct = |kind: &'static str, name: &str| {
            if name.trim().is_empty() {
                return Err(format!("an {kind} has an empty name"));
            }
            if !names.insert((kind, name.to_owned())) {
                return Err(format!("two {kind}s are named {name:?}"));
            }
            Ok(())
        };
        let of = |kind: &str, name: &str, reason: String| {
            ParseChecksError(format!("{kind} {name:?}: {reason}"))
        };
        let mut checks = Self::default();
        for entry in file.availability {
            distinct("availability test", &entry.name).map_err(ParseChecksError)?;
            let name = entry.name.clone();
            let test = test(entry).map_err(|reason| of("availability test", &name, reason))?;
            checks.tests.push(test);
        }
        for entry in file.alert {
            distinct("alert", &entry.name).map_err(ParseChecksError)?;
            let name = entry.name.clone();
            let rule = rule(entry).map_err(|reason| of("alert", &name, reason))?;
            checks.rules.push(rule);
        }
        Ok(checks)
    }
}

fn test(entry: TestEntry) -> Result<Test, String> {
    let method = entry.method.as_deref().unwrap_or("GET");
    let status = entry.status.unwrap_or(200);
    if !(100..=999).contains(&status) {
        return Err(format!("status {status} is none"));
    }
    Ok(Test {
        url: url("url", &entry.url)?,
        method: Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("method {method:?} is none"))?,
        headers: headers(&entry.headers)?,
        interval: interval(entry.interval.as_deref(), DEFAULT_TEST_INTERVAL)?,
        timeout: time("timeout", entry.timeout.as_deref(), DEFAULT_TIMEOUT)?,
        status,
        text: entry.text.filter(|text| !text.is_empty()),
        app: app(entry.app),
        name: entry.name,
    })
}

fn rule(entry: RuleEntry) -> Result<Rule, String> {
    if entry.query.trim().is_empty() {
        return Err("query is empty".to_owned());
    }
    if !entry.threshold.is_finite() {
        return Err("threshold is no number".to_owned());
    }
    Ok(Rule {
        query: entry.query,
        operator: entry.operator.unwrap_or(Operator::Greater),
        threshold: entry.threshold,
        window: time("window", entry.window.as_deref(), DEFAULT_WINDOW)?,
        interval: interval(entry.interval.as_deref(), DEFAULT_ALERT_INTERVAL)?,
        webhook: entry
            .webhook
            .map(|text| url("webhook", &text))
            .transpose()?,
        app: app(entry.app),
        name: entry.name,
    })
}

fn app(app: Option<String>) -> String {
    app.filter(|app| !app.trim().is_empty())
        .unwrap_or_else(|| INSTRUMENTATION_KEY.to_owned())
}

fn url(key: &str, text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|error| format!("{key} {text:?} is none: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!(
            "{key} {text:?} has the scheme {other}, not http or https"
        )),
    }
}

fn headers(entries: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in entries {
        let key = HeaderName::try_from(name).map_err(|_| format!("header {name:?} is none"))?;
        let value = HeaderValue::try_from(value)
            .map_err(|_| format!("the value of the header {name:?} is none"))?;
        headers.append(key, value);
    }
    Ok(headers)
}

fn interval(text: Option<&str>, default: Duration) -> Result<Duration, String> {
    let interval = time("interval", text, default)?;
    if interval < MIN_INTERVAL {
        return Err("interval is shorter than 1s".to_owned());
    }
    Ok(interval)
}

/// `500ms`, `90s`, `5m`, `12h`, `1d`.
fn time(key: &str, text: Option<&str>, default: Duration) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(default) };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(86_400),
        _ => Duration::ZERO,
    };
    let time = number
        .parse::<u32>()
        .ok()
        .and_then(|number| unit.checked_mul(number));
    match time {
        Some(time) if time > Duration::ZERO && time <= MAX_TIME => Ok(time),
        _ => Err(format!(
            "{key} {text:?} is no time from 1ms to 30d; give one such as 90s, 5m or 1h"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Checks, String> {
        text.parse()
            .map_err(|error: ParseChecksError| error.to_string())
    }

    #[test]
    fn absent_settings_have_defaults() {
        let checks = parse(
            "[[availability]]\nname = \"a\"\nurl = \"http://x/\"\n[[alert]]\nname = \"b\"\nquery = \"requests\"",
        )
        .unwrap();
        let (test, rule) = (&checks.tests[0], &checks.rules[0]);
        assert_eq!((test.method.as_str(), test.status), ("GET", 200));
        assert_eq!(test.interval, DEFAULT_TEST_INTERVAL);
        assert_eq!(test.timeout, DEFAULT_TIMEOUT);
        assert_eq!((rule.operator, rule.threshold), (Operator::Greater, 0.0));
        assert_eq!(rule.window, DEFAULT_WINDOW);
        assert_eq!(rule.interval, DEFAULT_ALERT_INTERVAL);
        assert_eq!(rule.app, INSTRUMENTATION_KEY);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn an_error_names_the_check_and_the_key() {
        let test = |rest: &str| format!("[[availability]]\nname = \"a\"\n{rest}");
        let alert = |rest: &str| format!("[[alert]]\nname = \"b\"\n{rest}");
        let url = "url = \"http://x/\"";
        for (text, parts) in [
            (test("url = \"ftp://x\""), vec!["\"a\"", "ftp"]),
            (test("url = \"x\""), vec!["\"a\"", "url"]),
            (
                test(&format!("{url}\ninterval = \"500ms\"")),
                vec!["interval"],
            ),
            (
                test(&format!("{url}\ntimeout = \"5 minutes\"")),
                vec!["timeout", "5 minutes"],
            ),
            (test(&format!("{url}\nstatus = 7")), vec!["status 7"]),
            (test(&format!("{url}\nmethod = \"G T\"")), vec!["method"]),
            (
                test(&format!("{url}\nheaders = {{ \"a b\" = \"c\" }}")),
                vec!["header \"a b\""],
            ),
            (test(&format!("{url}\ncolour = 1")), vec!["colour", "line"]),
            (
                format!("{0}\n{0}", test(url)),
                vec!["two availability tests", "\"a\""],
            ),
            (alert("query = \" \""), vec!["\"b\"", "query"]),
            (
                alert("query = \"requests\"\noperator = \"=\""),
                vec!["operator", "line"],
            ),
            (
                alert("query = \"requests\"\nwindow = \"9999d\""),
                vec!["window"],
            ),
            (
                alert("query = \"requests\"\nwebhook = \"mailto:a\""),
                vec!["webhook", "mailto"],
            ),
            (
                "[[alert]]\nname = \"\"\nquery = \"requests\"".to_owned(),
                vec!["empty name"],
            ),
        ] {
            let message = parse(&text).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{part} in {message}");
            }
        }
    }

    #[test]
    fn every_operator_compares_as_it_says() {
        for (operator, below, same, above) in [
            (Operator::Greater, false, false, true),
            (Operator::GreaterOrEqual, false, true, true),
            (Operator::Less, true, false, false),
            (Operator::LessOrEqual, true, true, false),
        ] {
            let found = [1.0, 2.0, 3.0].map(|value| operator.holds(value, 2.0));
            assert_eq!(found, [below, same, above], "{}", operator.as_str());
        }
    }
}
