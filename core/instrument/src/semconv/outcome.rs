use http::{HeaderMap, StatusCode};
use opentelemetry::StringValue;

use super::attribute;
use super::grpc::GrpcStatus;
use super::message::Side;

/// The way in which an exchange ended.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// The response was sent or received to its end.
    Complete,
    /// The exchange ended with the head of the response; its body is unknown.
    AtHeaders,
    /// The body of the response was dropped before it was ever polled: the caller wanted only the head.
    Unread,
    /// The response was sent or received to its end, including trailers.
    Trailers(&'a HeaderMap),
    /// The exchange failed with an error of this [type](super::error_type).
    Failed(&'static str),
    /// The future or the body was dropped: the caller disconnected or gave up.
    Cancelled,
    /// The service panicked.
    Panicked,
}

/// The outcome of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// The type of the error, if the exchange is one.
    pub(crate) error_type: Option<StringValue>,
    /// How far the exchange came, if it was cancelled.
    pub(crate) cancelled: Option<&'static str>,
    /// The application's rule declared the exchange a success.
    pub(crate) is_success: bool,
}

/// The status of a response, if known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ResponseStatus {
    pub(crate) http: Option<StatusCode>,
    pub(crate) grpc: Option<GrpcStatus>,
}

/// Classifies an ending. A gRPC status takes precedence over the HTTP status, which is 200 in that case. A status that
/// is an error takes precedence over a cancellation.
pub(crate) fn outcome(
    side: Side,
    response: ResponseStatus,
    ending: Ending<'_>,
    cancellation_is_error: bool,
) -> Outcome {
    let cancelled = matches!(ending, Ending::Cancelled).then_some(match response.http {
        Some(_) => attribute::IN_BODY,
        None => attribute::BEFORE_HEADERS,
    });
    let error_type = match ending {
        Ending::Panicked => Some("panic".into()),
        Ending::Failed(name) => Some(name.into()),
        Ending::Cancelled if cancellation_is_error => {
            error_of(side, response).or_else(|| Some("cancelled".into()))
        }
        _ => error_of(side, response),
    };
    Outcome {
        error_type,
        cancelled,
        is_success: false,
    }
}

impl Outcome {
    /// Applies the decision of the application's rule.
    pub(crate) fn overrule(&mut self, is_success: bool, response: ResponseStatus) {
        self.is_success = is_success;
        if is_success {
            self.error_type = None;
        } else if self.error_type.is_none() {
            let status = response
                .http
                .map(|status| status.as_str().to_owned().into());
            self.error_type = Some(status.unwrap_or_else(|| attribute::OTHER.into()));
        }
    }
}

fn error_of(side: Side, response: ResponseStatus) -> Option<StringValue> {
    if let Some(status) = response.grpc {
        return status.is_error(side).then(|| status.name().into());
    }
    let status = response.http?;
    let is_error = match side {
        Side::Client => status.is_client_error() || status.is_server_error(),
        Side::Server => status.is_server_error(),
    };
    is_error.then(|| status.as_str().to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16) -> ResponseStatus {
        ResponseStatus {
            http: Some(StatusCode::from_u16(status).unwrap()),
            grpc: None,
        }
    }

    fn error(side: Side, status: u16) -> Option<String> {
        outcome(side, response(status), Ending::Complete, false)
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
        let nothing = ResponseStatus::default();
        let before = outcome(Side::Server, nothing, Ending::Cancelled, false);
        assert_eq!(
            (before.error_type, before.cancelled),
            (None, Some("before_headers"))
        );
        let within = outcome(Side::Server, response(200), Ending::Cancelled, true);
        assert_eq!(within.error_type, Some("cancelled".into()));
        assert_eq!(within.cancelled, Some("in_body"));
    }

    #[test]
    fn an_error_status_counts_for_more_than_a_cancellation() {
        let cancelled = outcome(Side::Server, response(503), Ending::Cancelled, true);
        assert_eq!(cancelled.error_type, Some("503".into()));
        assert_eq!(cancelled.cancelled, Some("in_body"));
    }

    #[test]
    fn a_failure_of_the_body_counts_for_more_than_its_status() {
        let failed = outcome(Side::Server, response(500), Ending::Failed("body"), false);
        assert_eq!(failed.error_type, Some("body".into()));
    }

    #[test]
    fn the_rule_of_the_application_overrules_the_conventions() {
        let mut missing = outcome(Side::Client, response(404), Ending::Complete, false);
        missing.overrule(true, response(404));
        assert_eq!((missing.error_type, missing.is_success), (None, true));
        let mut found = outcome(Side::Client, response(200), Ending::Complete, false);
        found.overrule(false, response(200));
        assert_eq!(found.error_type, Some("200".into()));
        let mut lost = outcome(
            Side::Client,
            ResponseStatus::default(),
            Ending::Failed("dns"),
            false,
        );
        lost.overrule(false, ResponseStatus::default());
        assert_eq!(lost.error_type, Some("dns".into()));
    }
}
