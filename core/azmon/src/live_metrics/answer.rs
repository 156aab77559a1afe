//! The meaning of a server's answer.

use bytes::Bytes;
use http::HeaderMap;

use crate::live_metrics::machine::Outcome;

/// Longest value that is sent back to the server.
const MAX_ECHO: usize = 4_096;
/// Longest name of a configuration.
const MAX_ETAG: usize = 1_024;
/// Headers that the server sends, and wants to get again.
const ECHOED: [&str; 5] = [
    "x-ms-qps-auth-app-id",
    "x-ms-qps-auth-status",
    "x-ms-qps-auth-token-expiry",
    "x-ms-qps-auth-token-signature",
    "x-ms-qps-auth-token-signature-alg",
];

/// An answer of the live endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// At most one byte more than [`MAX_CONFIGURATION`](super::MAX_CONFIGURATION).
    pub(crate) body: Bytes,
}

/// The meaning of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning<'a> {
    pub(super) is_subscribed: bool,
    /// The name of a configuration that is not known yet; its body is the answer's.
    pub(super) new_etag: Option<&'a str>,
    pub(super) hint: Option<u64>,
    pub(super) redirect: Option<&'a str>,
    pub(super) echo: Vec<(&'static str, &'a str)>,
}

impl Meaning<'_> {
    pub(super) const fn outcome(&self) -> Outcome {
        match self.is_subscribed {
            true => Outcome::Subscribed,
            false => Outcome::NotSubscribed,
        }
    }
}

/// Reads an answer to a call that was sent with `etag`.
pub(super) fn read<'a>(answer: &'a Answer, etag: &str) -> Result<Meaning<'a>, String> {
    if answer.status != 200 {
        return Err(format!("the server answered {}", answer.status));
    }
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let subscribed = header("x-ms-qps-subscribed").map(str::trim);
    let is_subscribed = match subscribed {
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        _ => return Err("the answer does not say whether a reader is subscribed".to_owned()),
    };
    let new_etag = header("x-ms-qps-configuration-etag")
        .filter(|new| is_subscribed && !new.is_empty() && *new != etag && new.len() <= MAX_ETAG);
    let echo = ECHOED
        .into_iter()
        .filter_map(|name| Some((name, header(name)?)))
        .filter(|(_, value)| value.len() <= MAX_ECHO);
    Ok(Meaning {
        is_subscribed,
        new_etag,
        hint: header("x-ms-qps-service-polling-interval-hint")
            .and_then(|text| text.trim().parse().ok()),
        redirect: header("x-ms-qps-service-endpoint-redirect-v2"),
        echo: echo.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &'static str)]) -> Answer {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        Answer {
            status: 200,
            headers: all,
            body: Bytes::new(),
        }
    }

    #[test]
    fn an_answer_without_a_readable_subscription_is_a_failure() {
        for headers in [&[][..], &[("x-ms-qps-subscribed", "maybe")]] {
            assert!(read(&answer(headers), "").is_err());
        }
        let mut refused = answer(&[("x-ms-qps-subscribed", "true")]);
        for status in [204, 401] {
            refused.status = status;
            assert!(read(&refused, "").is_err());
        }
    }

    #[test]
    fn a_configuration_is_new_if_subscribed_and_its_etag_differs() {
        for (subscribed, etag, known, is_new) in [
            ("True", "b", "a", true),
            ("true", "a", "a", false),
            ("true", "", "a", false),
            ("FALSE", "b", "a", false),
        ] {
            let answer = answer(&[
                ("x-ms-qps-subscribed", subscribed),
                ("x-ms-qps-configuration-etag", etag),
            ]);
            let meaning = read(&answer, known).unwrap();
            assert_eq!(meaning.new_etag.is_some(), is_new, "{subscribed} {etag}");
        }
    }

    #[test]
    fn what_is_to_be_echoed_and_hinted_is_found() {
        let answer = answer(&[
            ("x-ms-qps-subscribed", "false"),
            ("x-ms-qps-auth-app-id", "app"),
            ("x-ms-qps-service-polling-interval-hint", " 7000 "),
        ]);
        let meaning = read(&answer, "").unwrap();
        assert_eq!(meaning.echo, [("x-ms-qps-auth-app-id", "app")]);
        assert_eq!(meaning.hint, Some(7_000));
    }

    #[test]
    fn what_is_too_long_is_neither_echoed_nor_a_name() {
        let of = |etag: usize, echo: usize| {
            let mut answer = answer(&[("x-ms-qps-subscribed", " true ")]);
            let mut insert = |name: &'static str, length: usize| {
                let value = "x".repeat(length).parse().unwrap();
                answer.headers.insert(name, value);
            };
            insert("x-ms-qps-configuration-etag", etag);
            insert("x-ms-qps-auth-status", echo);
            let meaning = read(&answer, "").unwrap();
            (meaning.new_etag.is_some(), meaning.echo.len())
        };
        assert_eq!(of(MAX_ETAG, MAX_ECHO), (true, 1));
        assert_eq!(of(MAX_ETAG + 1, MAX_ECHO + 1), (false, 0));
    }
}
