//! The query string. A name may be repeated; an unknown name is rejected.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::server::ApiError;

/// The maximum time that a request may wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The maximum number of parameters in one request.
const MAX_PARAMETERS: usize = 200;

/// The parameters of a range.
pub(super) const RANGED: [&str; 7] = ["app", "role", "from", "to", "run", "vs", "buckets"];
/// The additional parameters of a search.
pub(super) const SEARCHED: [&str; 3] = ["q", "f", "kind"];

#[derive(Debug, Clone, Default)]
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn parse(query: Option<&str>, known: &[&[&str]]) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for part in query
            .unwrap_or_default()
            .split('&')
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name)?;
            // The token was checked before, and is allowed in every URL.
            if name == "token" {
                continue;
            }
            if !known.iter().any(|names| names.contains(&name.as_str())) {
                let names: Vec<_> = known
                    .iter()
                    .flat_map(|names| names.iter().copied())
                    .collect();
                let list = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                return Err(ApiError::bad_request(format!(
                    "parameter {name:?} is not known here; known are: {list}"
                )));
            }
            pairs.push((name, decode(value)?));
            if pairs.len() > MAX_PARAMETERS {
                return Err(ApiError::bad_request(format!(
                    "more than {MAX_PARAMETERS} parameters"
                )));
            }
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter; `None` if it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of a parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .ok_or_else(|| ApiError::bad_request(format!("{name} is missing")))
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(ApiError::bad_request(format!(
                "{name}={text:?} is not of the type that {name} has"
            ))),
        }
    }

    /// A number of rows, at most `most`.
    pub(super) fn limit(&self, name: &str, default: usize, most: usize) -> Result<usize, ApiError> {
        let limit = self.parsed(name)?.unwrap_or(default);
        if limit > most {
            return Err(ApiError::bad_request(format!(
                "{name} {limit} is more than {most}"
            )));
        }
        Ok(limit)
    }

    /// The waiting time: `5s`, `500ms`, or a number of seconds.
    pub(super) fn wait(&self) -> Result<Option<Duration>, ApiError> {
        let Some(text) = self.get("wait") else {
            return Ok(None);
        };
        let number = |text: &str, unit: f64| {
            let number: f64 = text.trim().parse().ok()?;
            Duration::try_from_secs_f64(number * unit).ok()
        };
        let duration = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number_text), _) => number(number_text, 0.001),
            (None, Some(number_text)) => number(number_text, 1.0),
            (None, None) => number(text, 1.0),
        };
        match duration {
            Some(duration) if duration <= MAX_WAIT => Ok(Some(duration)),
            _ => Err(ApiError::bad_request(format!(
                "wait={text:?} is not a time up to 60s, such as 5s or 500ms"
            ))),
        }
    }

    /// A range of durations `a..b` in milliseconds, as microseconds.
    pub(super) fn duration(&self) -> Result<(Option<i64>, Option<i64>), ApiError> {
        let Some(text) = self.get("duration") else {
            return Ok((None, None));
        };
        let wrong = || {
            ApiError::bad_request(format!(
                "duration={text:?} is not of the form 1200..5200, in milliseconds"
            ))
        };
        let (least, most) = text.split_once("..").ok_or_else(wrong)?;
        let end = |text: &str| -> Result<Option<i64>, ApiError> {
            if text.is_empty() {
                return Ok(None);
            }
            let milliseconds: f64 = text.parse().map_err(|_| wrong())?;
            Ok(Some((milliseconds * 1_000.0) as i64))
        };
        Ok((end(least)?, end(most)?))
    }

    /// A time in microseconds: RFC 3339, milliseconds since 1970, or relative to now as `-30m`.
    pub(super) fn time(&self, name: &str, now: i64) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            ApiError::bad_request(format!(
                "{name}={text:?} is no time: give RFC 3339, milliseconds since 1970, or a time before now as -30m"
            ))
        };
        if text == "now" {
            return Ok(Some(now));
        }
        if let Some(relative) = text.strip_prefix('-')
            && let Some((number, unit)) =
                relative.split_at_checked(relative.len().saturating_sub(1))
        {
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return Err(wrong()),
            };
            let number: i64 = number.parse().map_err(|_| wrong())?;
            return number
                .checked_mul(seconds * 1_000_000)
                .and_then(|before| now.checked_sub(before))
                .map(Some)
                .ok_or_else(wrong);
        }
        if let Ok(milliseconds) = text.parse::<f64>() {
            return Ok(Some((milliseconds * 1_000.0) as i64));
        }
        let timestamp: Timestamp = text.parse().map_err(|_| wrong())?;
        Ok(Some(timestamp.as_microsecond()))
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::bad_request(format!("{text:?} is not UTF-8 after percent-decoding")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Parameters {
        Parameters::parse(Some(query), &[&["a", "from", "wait", "duration", "limit"]]).unwrap()
    }

    #[test]
    fn names_may_be_repeated_and_values_are_decoded() {
        let parameters = parse("a=1+2&a=%C3%A9&a=");
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1 2", "é"]);
    }

    #[test]
    fn a_time_has_three_forms() {
        let now = 10_000_000_000;
        for (text, expected) in [
            ("-30m", now - 1_800_000_000),
            ("5000", 5_000_000),
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("now", now),
        ] {
            assert_eq!(
                parse(&format!("from={text}")).time("from", now).unwrap(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["-30", "-m", "yesterday", "-99999999999999d"] {
            assert!(
                parse(&format!("from={text}")).time("from", now).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_wait_is_at_most_a_minute() {
        assert_eq!(
            parse("wait=500ms").wait().unwrap(),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            parse("wait=5s").wait().unwrap(),
            Some(Duration::from_secs(5))
        );
        for text in ["61s", "-1s", "soon", "NaN", "inf"] {
            assert!(parse(&format!("wait={text}")).wait().is_err(), "{text}");
        }
    }

    #[test]
    fn either_side_of_a_duration_may_be_left_out() {
        assert_eq!(
            parse("duration=1.5..").duration().unwrap(),
            (Some(1_500), None)
        );
        assert_eq!(
            parse("duration=..2").duration().unwrap(),
            (None, Some(2_000))
        );
        assert!(parse("duration=1-2").duration().is_err());
    }
}
