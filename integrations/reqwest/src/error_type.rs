use std::error::Error as StdError;

use azmon_instrument::http::error_type;
use reqwest_middleware::Error;

/// The maximum number of causes that are inspected: a chain may be cyclic.
const MAX_CAUSES: usize = 16;

/// The [error type](azmon_instrument::http::error_type) of a request that got no response.
pub(crate) fn of_request(error: &Error) -> &'static str {
    match error {
        Error::Reqwest(error) => of_reqwest(error),
        Error::Middleware(error) => error
            .chain()
            .take(MAX_CAUSES)
            .find_map(inner_reqwest)
            .map(of_reqwest)
            .or_else(|| known(Some(error.as_ref())))
            .unwrap_or("middleware"),
    }
}

/// The error type of a body that fails before its end. reqwest reports every error of a chunk as a decoding
/// error.
pub(crate) fn of_body(error: &reqwest::Error) -> &'static str {
    match of_reqwest(error) {
        "decode" => "body",
        name => name,
    }
}

/// Uses reqwest's predicates, then the cause. The error's text contains the URL.
fn of_reqwest(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_dns() {
        "dns"
    } else if error.is_redirect() {
        "redirect"
    } else if error.is_builder() {
        "builder"
    } else if error.is_upgrade() {
        "upgrade"
    } else {
        known(error.source()).unwrap_or_else(|| phase(error))
    }
}

fn phase(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "connect"
    } else if error.is_body() {
        "body"
    } else if error.is_decode() {
        "decode"
    } else if error.is_request() {
        "request"
    } else {
        "_OTHER"
    }
}

fn known(cause: Option<&(dyn StdError + 'static)>) -> Option<&'static str> {
    cause.map(error_type).filter(|name| *name != "_OTHER")
}

/// Finds reqwest's error inside the error of a retry middleware, which wraps the error of its last attempt.
fn inner_reqwest<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a reqwest::Error> {
    match error.downcast_ref() {
        Some(Error::Reqwest(inner)) => Some(inner),
        Some(Error::Middleware(_)) => None,
        None => error.downcast_ref(),
    }
}
