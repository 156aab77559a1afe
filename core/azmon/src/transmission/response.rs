//! The action after an answer of the service, decided from status, headers and body alone.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::transmission::Reply;

/// Maximum `Retry-After` that is obeyed, as in the Node.js distribution.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The action for an answered batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ResponseAction {
    /// The service accepted all items.
    Accepted,
    /// The service accepted a part of the items. `retry` and `refused` contain the numbers of items, from 0, with their
    /// status, in ascending order. An item is in one list at most.
    Partial {
        retry: Vec<(usize, u16)>,
        retry_after: Option<Duration>,
        refused: Vec<(usize, u16)>,
        message: String,
    },
    /// The service accepted no item; send all of them again.
    Retry {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// Send the batch and all later ones to this address, if it is allowed.
    Redirect { location: String },
    /// The batch is too large; send it in parts.
    Split,
    /// The service refuses an unknown part of the batch; send it in parts.
    Isolate { message: String },
    /// The service refuses these items and accepted none; send the others again.
    RefuseSome {
        refused: Vec<(usize, u16)>,
        message: String,
    },
    /// The service accepted a part, but its answer does not tell which.
    Unreadable,
    /// The service will never accept the batch.
    Refused { status: u16, message: String },
}

/// The body of the service's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TrackAnswer {
    errors: Vec<ItemError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ItemError {
    index: usize,
    status_code: u16,
    message: String,
}

/// Classifies the answer to a batch of `items` items.
///
/// | Status | Action |
/// |---|---|
/// | 2xx | accepted, or by item where the body lists errors |
/// | 307, 308 | redirect |
/// | 206 without a readable body | unreadable |
/// | 413 | split |
/// | 400 | the items in the body are refused; without a list, the batch is isolated in parts |
/// | 401, 403 (identity), 408, 429, 439 (quota), 5xx | retry |
/// | everything else: 402 (daily quota), 404 (wrong region) | refused |
pub(super) fn classify(reply: &Reply, items: usize, now: SystemTime) -> ResponseAction {
    let retry_after = reply
        .retry_after
        .as_deref()
        .and_then(|value| parse_retry_after(value, now));
    match (reply.status, &reply.location) {
        (206, _) if serde_json::from_slice::<TrackAnswer>(&reply.body).is_err() => {
            ResponseAction::Unreadable
        }
        (200..=299, _) => classify_items(&reply.body, items, retry_after),
        (307 | 308, Some(location)) => ResponseAction::Redirect {
            location: location.clone(),
        },
        (307 | 308, None) => ResponseAction::Retry {
            status: reply.status,
            retry_after,
        },
        (413, _) => ResponseAction::Split,
        (400, _) => classify_bad_request(&reply.body, items),
        (status, _) if is_retryable(status) => ResponseAction::Retry {
            status,
            retry_after,
        },
        (status, _) => ResponseAction::Refused {
            status,
            message: refusal(status, &reply.body),
        },
    }
}

fn classify_items(body: &[u8], items: usize, retry_after: Option<Duration>) -> ResponseAction {
    let Ok(TrackAnswer { errors }) = serde_json::from_slice(body) else {
        // A receiver that answers 200 with its own kind of body has accepted the batch.
        return ResponseAction::Accepted;
    };
    let errors = errors
        .into_iter()
        .filter(|error| error.index < items && !error.is_sampled_out());
    let (retryable, refused): (Vec<_>, Vec<_>) =
        errors.partition(|error| is_retryable(error.status_code));
    let message = refused
        .first()
        .map(|error| error.message.clone())
        .unwrap_or_default();
    let retry = numbers(&retryable);
    let mut refused = numbers(&refused);
    let is_retried = |index| {
        retry
            .binary_search_by_key(&index, |(retried, _)| *retried)
            .is_ok()
    };
    refused.retain(|(index, _)| !is_retried(*index));
    if retry.is_empty() && refused.is_empty() {
        return ResponseAction::Accepted;
    }
    ResponseAction::Partial {
        retry,
        retry_after,
        refused,
        message,
    }
}

fn classify_bad_request(body: &[u8], items: usize) -> ResponseAction {
    let message = refusal(400, body);
    let TrackAnswer { errors } = serde_json::from_slice(body).unwrap_or_default();
    let is_final = |error: &ItemError| error.index < items && !is_retryable(error.status_code);
    let refused: Vec<_> = errors.into_iter().filter(is_final).collect();
    let refused = numbers(&refused);
    if refused.len() == items {
        ResponseAction::Refused {
            status: 400,
            message,
        }
    } else if refused.is_empty() {
        ResponseAction::Isolate { message }
    } else {
        ResponseAction::RefuseSome { refused, message }
    }
}

/// The items of the errors, each once.
fn numbers(errors: &[ItemError]) -> Vec<(usize, u16)> {
    let numbers = errors.iter().map(|error| (error.index, error.status_code));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup_by_key(|(index, _)| *index);
    numbers
}

fn is_retryable(status: u16) -> bool {
    matches!(status, 401 | 403 | 408 | 429 | 439 | 500..=599)
}

fn refusal(status: u16, body: &[u8]) -> String {
    let answer: TrackAnswer = serde_json::from_slice(body).unwrap_or_default();
    match answer.errors.into_iter().next() {
        Some(error) => format!("status {status}: {}", error.message),
        None => format!("status {status}"),
    }
}

impl ItemError {
    /// Ingestion sampling dropped the item on purpose: this is neither an error nor a reason for a retry.
    fn is_sampled_out(&self) -> bool {
        self.message
            .trim()
            .eq_ignore_ascii_case("telemetry sampled out.")
    }
}

/// Parses `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3).
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let pause = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .ok()?,
    };
    (!pause.is_zero()).then(|| pause.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            body: body.to_owned().into(),
            ..Reply::default()
        }
    }

    fn action(status: u16, body: &str) -> ResponseAction {
        classify(&reply(status, body), 4, NOW)
    }

    #[test]
    fn success_is_accepted_with_any_body() {
        for body in [
            "",
            "OK",
            r#"{"itemsReceived":4,"itemsAccepted":4,"errors":[]}"#,
        ] {
            assert_eq!(action(200, body), ResponseAction::Accepted);
        }
    }

    #[test]
    fn partial_success_has_a_result_for_each_item() {
        let body = r#"{"itemsReceived":4,"itemsAccepted":1,"errors":[
            {"index":3,"statusCode":500,"message":"Internal"},
            {"index":0,"statusCode":400,"message":"103: Field 'name' is required"},
            {"index":1,"statusCode":429,"message":"Throttled"},
            {"index":1,"statusCode":429,"message":"Throttled"},
            {"index":9,"statusCode":500,"message":"not ours"}]}"#;
        assert_eq!(
            action(206, body),
            ResponseAction::Partial {
                retry: vec![(1, 429), (3, 500)],
                retry_after: None,
                refused: vec![(0, 400)],
                message: "103: Field 'name' is required".to_owned()
            }
        );
    }

    #[test]
    fn sampled_out_by_ingestion_is_no_error() {
        let body = r#"{"itemsReceived":4,"itemsAccepted":3,
            "errors":[{"index":0,"statusCode":500,"message":"telemetry SAMPLED out."}]}"#;
        assert_eq!(action(206, body), ResponseAction::Accepted);
    }

    #[test]
    fn every_status_has_its_action() {
        for status in [401, 403, 408, 429, 439, 500, 502, 503, 504] {
            assert_eq!(
                action(status, ""),
                ResponseAction::Retry {
                    status,
                    retry_after: None
                },
                "{status}"
            );
        }
        for status in [301, 304, 402, 404, 405, 418] {
            assert!(
                matches!(action(status, ""), ResponseAction::Refused { .. }),
                "{status}"
            );
        }
        assert_eq!(action(413, ""), ResponseAction::Split);
        assert_eq!(
            action(307, ""),
            ResponseAction::Retry {
                status: 307,
                retry_after: None
            }
        );
        let redirect = Reply {
            location: Some("https://x".to_owned()),
            ..reply(308, "")
        };
        assert_eq!(
            classify(&redirect, 4, NOW),
            ResponseAction::Redirect {
                location: "https://x".to_owned()
            }
        );
    }

    #[test]
    fn a_bad_request_names_its_items_or_they_are_looked_for() {
        let body = |indexes: &[usize]| {
            let error =
                |index| format!(r#"{{"index":{index},"statusCode":400,"message":"Invalid key"}}"#);
            let errors: Vec<_> = indexes.iter().map(error).collect();
            let errors = errors.join(",");
            format!(r#"{{"itemsReceived":4,"itemsAccepted":0,"errors":[{errors}]}}"#)
        };
        let message = || "status 400: Invalid key".to_owned();
        assert_eq!(
            action(400, &body(&[0, 1, 2, 3])),
            ResponseAction::Refused {
                status: 400,
                message: message()
            }
        );
        assert_eq!(
            action(400, &body(&[2])),
            ResponseAction::RefuseSome {
                refused: vec![(2, 400)],
                message: message()
            }
        );
        for silent in ["", "Bad Request", &body(&[])] {
            let message = "status 400".to_owned();
            assert_eq!(action(400, silent), ResponseAction::Isolate { message });
        }
    }

    #[test]
    fn a_partial_success_that_cannot_be_read_is_no_success() {
        for body in ["", "<html>", "[1"] {
            assert_eq!(action(206, body), ResponseAction::Unreadable);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_a_day_at_most() {
        for (value, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(60)),
            ("Wed, 31 Dec 1969 00:00:00 GMT", None),
            ("999999999", Some(86_400)),
            ("0", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let reply = Reply {
                retry_after: Some(value.to_owned()),
                ..reply(503, "")
            };
            let retry_after = seconds.map(Duration::from_secs);
            assert_eq!(
                classify(&reply, 1, NOW),
                ResponseAction::Retry {
                    status: 503,
                    retry_after
                },
                "{value:?}"
            );
        }
    }
}
