use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Debug;
use std::io;

/// What a request failed of, as one of a small set of names for `error.type`.
///
/// The chain of causes is looked through for errors of the standard library, and for the texts by which
/// the common HTTP libraries of Rust name what they do not export as types. Never the text of an error:
/// it may hold a URL with its secrets, and has no bounds.
///
/// | Name | Means |
/// |---|---|
/// | `timeout` | a time limit was exceeded |
/// | `dns` | the name was not resolved |
/// | `tls` | no secure connection was agreed on |
/// | `connection_refused`, `connection_reset`, `connection_closed`, `connect` | no connection, or it was lost |
/// | `protocol` | the other side did not speak HTTP |
/// | `redirect` | the redirects were too many, or went in a circle |
/// | `body` | the body could not be read |
/// | `_OTHER` | anything else |
#[must_use]
pub fn error_type(error: &(dyn Error + 'static)) -> &'static str {
    known_error_type(error).unwrap_or(OTHER)
}

/// [`error_type`] of an error of any type: services have some that are not an [`Error`], such as a boxed
/// one.
///
/// One that is not known has the name of its type.
#[must_use]
pub fn error_type_of<E: Debug + 'static>(error: &E) -> &'static str {
    type Boxed = Box<dyn Error + Send + Sync>;
    let any: &dyn Any = error;
    match any.downcast_ref::<Boxed>() {
        Some(boxed) => error_type(&**boxed),
        None => of_text(&format!("{error:?}")).unwrap_or_else(type_name::<E>),
    }
}

fn known_error_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut best = None;
    let mut next = Some(error);
    while let Some(error) = next {
        let found = of_io(error).or_else(|| of_text(&error.to_string()));
        best = more_specific(best, found);
        next = error.source();
    }
    best
}

const OTHER: &str = "_OTHER";
/// Names that a cause may replace: they say less than any other.
const VAGUE: [&str; 2] = ["body", "connect"];

fn more_specific(outer: Option<&'static str>, inner: Option<&'static str>) -> Option<&'static str> {
    match (outer, inner) {
        (Some(name), Some(cause)) if VAGUE.contains(&name) => Some(cause),
        (Some(name), _) => Some(name),
        (None, inner) => inner,
    }
}

fn of_io(error: &(dyn Error + 'static)) -> Option<&'static str> {
    Some(match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => "connection_refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => "connection_reset",
        io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected | io::ErrorKind::UnexpectedEof => {
            "connection_closed"
        }
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "connect",
        _ => return None,
    })
}

/// Texts of hyper, hyper-util, rustls, native-tls, tokio, tower, tower-http, tonic and reqwest, in lower case
/// and without spaces, so that they are found in what `Display` and what `Debug` write.
const TEXTS: [(&str, &str); 24] = [
    ("followingredirect", "redirect"),
    ("toomanyredirects", "redirect"),
    ("dnserror", "dns"),
    ("failedtolookupaddress", "dns"),
    ("timedout", "timeout"),
    ("timeout", "timeout"),
    ("elapsed", "timeout"),
    ("certificate", "tls"),
    ("handshake", "tls"),
    ("tls", "tls"),
    ("corruptmessage", "tls"),
    ("connectionrefused", "connection_refused"),
    ("connectionreset", "connection_reset"),
    ("connectionclosed", "connection_closed"),
    ("incompletemessage", "connection_closed"),
    ("operationwascanceled", "connection_closed"),
    ("brokenpipe", "connection_closed"),
    ("unexpectedeof", "connection_closed"),
    ("connect", "connect"),
    ("transporterror", "connect"),
    ("http2error", "protocol"),
    ("invalidhttp", "protocol"),
    ("parse", "protocol"),
    ("body", "body"),
];

fn of_text(text: &str) -> Option<&'static str> {
    let mut text = without_urls(text).to_ascii_lowercase();
    text.retain(|character| character != ' ');
    TEXTS
        .iter()
        .find(|(part, _)| text.contains(part))
        .map(|(_, name)| *name)
}

/// The words of a URL, such as `/connect/token`, say nothing about the error.
fn without_urls(mut text: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed("");
    while let Some((before, url)) = text.split_once("://") {
        kept += before;
        let end = url.find([' ', '"']).unwrap_or(url.len());
        text = url.get(end..).unwrap_or_default();
    }
    kept += text;
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Chain(&'static str, #[source] io::Error);

    fn name(text: &'static str, source: io::Error) -> &'static str {
        error_type(&Chain(text, source))
    }

    #[test]
    fn kinds_of_the_standard_library_are_named() {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset, TimedOut, UnexpectedEof};
        assert_eq!(error_type(&io::Error::from(TimedOut)), "timeout");
        assert_eq!(
            error_type(&io::Error::from(UnexpectedEof)),
            "connection_closed"
        );
        assert_eq!(
            name("client error (Connect)", ConnectionRefused.into()),
            "connection_refused"
        );
        assert_eq!(
            name("error reading a body", ConnectionReset.into()),
            "connection_reset"
        );
    }

    #[test]
    fn a_vague_name_gives_way_to_its_cause() {
        let dns =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(name("client error (Connect)", dns), "dns");
        assert_eq!(
            name("client error (Connect)", io::Error::other("x")),
            "connect"
        );
        assert_eq!(
            name("operation timed out", io::Error::other("dns error")),
            "timeout"
        );
        let tls = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(name("error trying to connect", tls), "tls");
    }

    #[test]
    fn errors_that_are_boxed_or_not_even_errors_are_named_too() {
        let boxed: Box<dyn Error + Send + Sync> = io::Error::from(io::ErrorKind::TimedOut).into();
        assert_eq!(error_type_of(&boxed), "timeout");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(error_type_of(&Chain("x", refused)), "connection_refused");
        assert_eq!(error_type_of(&()), "()");
    }

    #[test]
    fn the_text_of_an_unknown_error_never_leaves() {
        assert_eq!(
            error_type(&io::Error::other("https://h/?sig=secret")),
            "_OTHER"
        );
    }

    #[test]
    fn the_words_of_a_url_say_nothing() {
        for (text, expected) in [
            (
                "error sending request for url (https://h/connect/tls?timeout=1)",
                "_OTHER",
            ),
            (
                "error for url (http://h/body), http://timeout: connection refused",
                "connection_refused",
            ),
            (
                r#"Error { kind: Request, url: "http://h/tls", source: TimedOut }"#,
                "timeout",
            ),
            ("://", "_OTHER"),
        ] {
            assert_eq!(error_type(&io::Error::other(text)), expected, "{text}");
        }
    }
}
