use http::{HeaderMap, StatusCode};
use opentelemetry::StringValue;

use super::attribute;
use super::grpc::GrpcStatus;

/// Which side of an exchange is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that sends the request.
    Client,
    /// The one that answers.
    Server,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// The response was sent or received to its end.
    Complete,
    /// With the head of the response; of its body nothing is known.
    AtHeaders,
    /// The response was sent or received to its end, and trailers came last.
    Trailers(&'a HeaderMap),
    /// With an error of this [type](super::error_type).
    Failed(&'static str),
    /// The future or the body was dropped: the caller went away, or gave up.
    Cancelled,
    /// The service panicked.
    Panicked,
}

/// What the ending means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// The exchange is an error, of this type.
    pub(crate) error_type: Option<StringValue>,
    /// How far it came, if it was cancelled.
    pub(crate) cancelled: Option<&'static str>,
}

/// What is known of the response when it ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<StatusCode>,
    pub(crate) grpc_status: Option<GrpcStatus>,
}

/// Decides what an ending means. A status of gRPC counts for more than that of HTTP, which is 200 then.
pub(crate) fn outcome(
    side: Side,
    answer: Answer,
    ending: Ending<'_>,
    cancellation_is_error: bool,
) -> Outcome {
    let cancelled = matches!(ending, Ending::Cancelled).then_some(match answer.status {
        Some(_) => attribute::IN_BODY,
        None => attribute::BEFORE_HEADERS,
    });
    let error_type = match ending {
        Ending::Panicked => Some("panic".into()),
        Ending::Failed(name) => Some(name.into()),
        Ending::Cancelled if cancellation_is_error => Some("cancelled".into()),
        _ => error_of(side, answer),
    };
    Outcome {
        error_type,
        cancelled,
    }
}

fn error_of(side: Side, answer: Answer) -> Option<StringValue> {
    if let Some(status) = answer.grpc_status {
        return status.is_error(side).then(|| status.name().into());
    }
    let status = answer.status?;
    let is_error = match side {
        Side::Client => status.is_client_error() || status.is_server_error(),
        Side::Server => status.is_server_error(),
    };
    is_error.then(|| status.as_str().to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(side: Side, status: u16) -> Option<String> {
        let answer = Answer {
            status: Some(StatusCode::from_u16(status).unwrap()),
            grpc_status: None,
        };
        outcome(side, answer, Ending::Complete, false)
            .error_type
            .map(String::from)
    }

    #[test]
    fn servers_err_from_500_and_clients_from_400() {
        for status in [200, 302, 399] {
            assert_eq!(error(Side::Client, status), None);
        }
        assert_eq!(error(Side::Server, 404), None);
        assert_eq!(error(Side::Client, 404).unwrap(), "404");
        assert_eq!(error(Side::Server, 503).unwrap(), "503");
    }

    #[test]
    fn a_cancelled_exchange_is_marked_and_an_error_only_if_asked() {
        let before = outcome(Side::Server, Answer::default(), Ending::Cancelled, false);
        assert_eq!(
            (before.error_type, before.cancelled),
            (None, Some("before_headers"))
        );
        let answer = Answer {
            status: Some(StatusCode::OK),
            grpc_status: None,
        };
        let within = outcome(Side::Server, answer, Ending::Cancelled, true);
        assert_eq!(within.error_type, Some("cancelled".into()));
        assert_eq!(within.cancelled, Some("in_body"));
    }

    #[test]
    fn a_failure_of_the_body_counts_for_more_than_its_status() {
        let answer = Answer {
            status: Some(StatusCode::INTERNAL_SERVER_ERROR),
            grpc_status: None,
        };
        let failed = outcome(Side::Server, answer, Ending::Failed("body"), false);
        assert_eq!(failed.error_type, Some("body".into()));
    }
}
