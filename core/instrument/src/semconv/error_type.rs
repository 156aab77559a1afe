use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::{self, Debug, Write};
use std::io;

use super::attribute;

/// Maximum number of errors of a chain that are examined: a chain may be cyclic.
const MAX_CAUSES: usize = 16;
/// Maximum length of an examined text, in bytes: `Debug` of an error may write megabytes.
const MAX_TEXT: usize = 512;
/// Names that a more specific cause replaces.
const VAGUE: [&str; 2] = ["body", "connect"];

/// The reason of a failed request, as one of a small set of names for `error.type`.
///
/// The function examines the first 16 errors of the chain of causes. It recognises errors of the standard library by
/// their type. It recognises errors of hyper, reqwest, rustls, tonic, tower and tokio by the complete phrases that they
/// write, because this crate does not know their types. The text of an error is never recorded: it may contain a URL
/// with its secrets, and is not bounded.
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
    known_error_type(error).unwrap_or(attribute::OTHER)
}

/// [`error_type`] for a value that need not implement [`Error`], such as a boxed error of a service.
///
/// An error of the HTTP libraries has the name that [`error_type`] gives it; any other has the name of its type.
#[must_use]
pub fn error_type_of<E: Debug + 'static>(error: &E) -> &'static str {
    type Boxed = Box<dyn Error + Send + Sync>;
    let any: &dyn Any = error;
    if let Some(boxed) = any.downcast_ref::<Boxed>() {
        return error_type(&**boxed);
    }
    if let Some(error) = any.downcast_ref::<io::Error>() {
        return error_type(error);
    }
    let name = type_name::<E>();
    let is_known = LIBRARIES.iter().any(|library| {
        name.strip_prefix(library)
            .is_some_and(|rest| rest.starts_with("::"))
    });
    let found = is_known.then(|| of_debug(&Head::of(format_args!("{error:?}"))));
    found.flatten().unwrap_or(name)
}

fn known_error_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.take(MAX_CAUSES).fold(None, |best, error| {
        let found = of_io(error).or_else(|| of_display(&Head::of(format_args!("{error}"))));
        more_specific(best, found)
    })
}

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

/// Crates whose errors are recognised by their `Debug` text.
const LIBRARIES: [&str; 9] = [
    "axum_core",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tokio",
    "tonic",
    "tower",
];

/// Phrases that the libraries write, in lower case. A phrase counts if it begins the text or follows `: `, and ends
/// with a word.
const PHRASES: [(&str, &str); 44] = [
    ("error following redirect", "redirect"),
    ("too many redirects", "redirect"),
    ("dns error", "dns"),
    ("failed to lookup address information", "dns"),
    ("operation timed out", "timeout"),
    ("request timed out", "timeout"),
    ("connection timed out", "timeout"),
    ("timed out", "timeout"),
    ("deadline has elapsed", "timeout"),
    ("timeout expired", "timeout"),
    ("read header from client timeout", "timeout"),
    (
        "data was not received within the designated timeout",
        "timeout",
    ),
    ("invalid peer certificate", "tls"),
    ("invalid certificate", "tls"),
    ("received fatal alert", "tls"),
    ("received corrupt message", "tls"),
    ("peer is incompatible", "tls"),
    ("peer misbehaved", "tls"),
    ("tls handshake eof", "tls"),
    ("error:0a", "tls"), // OpenSSL's own library number, before the number of the error
    ("connection refused", "connection_refused"),
    ("connection reset", "connection_reset"),
    ("connection closed", "connection_closed"),
    ("operation was canceled", "connection_closed"),
    ("channel closed", "connection_closed"),
    ("broken pipe", "connection_closed"),
    ("unexpected eof", "connection_closed"),
    ("unexpected end of file", "connection_closed"),
    ("client error (connect)", "connect"),
    ("error trying to connect", "connect"),
    ("tcp connect error", "connect"),
    ("tcp open error", "connect"),
    ("transport error", "connect"),
    ("http2 error", "protocol"),
    ("stream error", "protocol"),
    ("connection error received", "protocol"),
    ("connection error detected", "protocol"),
    ("invalid http", "protocol"),
    ("invalid content-length parsed", "protocol"),
    ("message head is too large", "protocol"),
    ("error reading a body", "body"),
    ("error writing a body", "body"),
    ("request or response body error", "body"),
    ("length limit exceeded", "body"),
];

fn of_display(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    text.split(": ").find_map(|part| {
        let found = PHRASES.iter().find(|(phrase, _)| {
            part.strip_prefix(phrase).is_some_and(|rest| {
                phrase.starts_with("error:")
                    || !rest.starts_with(|next: char| next.is_alphanumeric())
            })
        });
        found.map(|(_, name)| *name)
    })
}

/// Names of error kinds in the libraries, as `Debug` writes them.
const KINDS: [(&str, &str); 17] = [
    ("TimedOut", "timeout"),
    ("Elapsed", "timeout"),
    ("TimeoutExpired", "timeout"),
    ("HeaderTimeout", "timeout"),
    ("ConnectionRefused", "connection_refused"),
    ("ConnectionReset", "connection_reset"),
    ("ConnectionAborted", "connection_reset"),
    ("BrokenPipe", "connection_closed"),
    ("UnexpectedEof", "connection_closed"),
    ("IncompleteMessage", "connection_closed"),
    ("Canceled", "connection_closed"),
    ("ChannelClosed", "connection_closed"),
    ("InvalidCertificate", "tls"),
    ("Http2", "protocol"),
    ("Parse", "protocol"),
    ("Connect", "connect"),
    ("Body", "body"),
];

/// Looks for complete phrases inside quotes and for complete words outside; the most specific one wins.
fn of_debug(text: &str) -> Option<&'static str> {
    let mut best = None;
    for (index, part) in text.split('"').enumerate() {
        let is_quoted = index % 2 == 1;
        if is_quoted {
            best = more_specific(best, of_display(part));
            continue;
        }
        for word in part.split(|next: char| !next.is_alphanumeric() && next != '_') {
            let known = KINDS.iter().find(|(kind, _)| *kind == word);
            best = more_specific(best, known.map(|(_, name)| *name));
        }
    }
    best
}

/// The start of a text.
struct Head(String);

impl Head {
    fn of(text: fmt::Arguments<'_>) -> String {
        let mut head = Self(String::new());
        // The writer fails on purpose once it has enough.
        let _ = head.write_fmt(text);
        head.0
    }
}

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT.saturating_sub(self.0.len());
        if text.len() > room {
            let ends = (0..=room).rev().find(|end| text.is_char_boundary(*end));
            self.0
                .push_str(text.get(..ends.unwrap_or_default()).unwrap_or_default());
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
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
    fn boxed_errors_are_named_as_others_and_those_of_the_application_by_their_type() {
        let boxed: Box<dyn Error + Send + Sync> = io::Error::from(io::ErrorKind::TimedOut).into();
        assert_eq!(error_type_of(&boxed), "timeout");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(error_type_of(&refused), "connection_refused");
        assert!(error_type_of(&Chain("x", refused)).ends_with("tests::Chain"));
        assert_eq!(error_type_of(&()), "()");
    }

    #[test]
    fn words_that_only_hold_a_known_one_are_not_taken_for_it() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only its Debug text is looked at")]
        struct Settings {
            timeout_ms: u32,
        }
        #[derive(Debug)]
        struct Antibody;
        #[derive(Debug)]
        struct Disconnected;
        assert!(error_type_of(&Settings { timeout_ms: 3 }).ends_with("::Settings"));
        assert!(error_type_of(&Antibody).ends_with("::Antibody"));
        assert!(error_type_of(&Disconnected).ends_with("::Disconnected"));
        let parse = "x".parse::<u32>().unwrap_err();
        assert_eq!(error_type_of(&parse), "core::num::error::ParseIntError");
        assert_eq!(error_type(&parse), "_OTHER");
        for text in [
            "the parser timed outside of the body",
            "connection closedness",
            "a timeout_ms of 3 is too small",
        ] {
            assert_eq!(error_type(&io::Error::other(text)), "_OTHER", "{text}");
        }
    }

    #[test]
    fn the_debug_text_of_a_library_is_read_by_whole_words() {
        for (text, expected) in [
            (
                r#"hyper_util::client::legacy::Error(Connect, ConnectError("tcp connect error", 127.0.0.1:1, Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }))"#,
                Some("connection_refused"),
            ),
            (
                r#"hyper_util::client::legacy::Error(Connect, ConnectError("dns error", Custom))"#,
                Some("dns"),
            ),
            ("hyper::Error(IncompleteMessage)", Some("connection_closed")),
            (
                "hyper::Error(Body, Custom { kind: UnexpectedEof, error: IncompleteBody })",
                Some("connection_closed"),
            ),
            ("Elapsed(())", Some("timeout")),
            ("hyper::Error(User(Service), Disconnected)", None),
            (
                "Status { code: Internal, message: \"body of parse\" }",
                None,
            ),
        ] {
            assert_eq!(of_debug(text), expected, "{text}");
        }
    }

    /// An error that is its own source.
    #[derive(Debug, thiserror::Error)]
    #[error("ring")]
    struct Ring;

    #[derive(Debug)]
    struct Circle;

    impl fmt::Display for Circle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{Ring}")
        }
    }

    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Self)
        }
    }

    #[test]
    fn an_error_that_is_its_own_source_has_an_end() {
        assert_eq!(error_type(&Circle), "_OTHER");
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Circle);
        assert_eq!(error_type_of(&boxed), "_OTHER");
    }

    #[test]
    fn no_more_of_a_text_is_written_than_is_looked_at() {
        let error = String::from_utf8(vec![0xff; 10_000_000]).unwrap_err();
        assert_eq!(Head::of(format_args!("{error:?}")).len(), MAX_TEXT);
        let text = "é".repeat(MAX_TEXT);
        let head = Head::of(format_args!("x{text}"));
        assert!(head.len() < MAX_TEXT && head.ends_with('é'));
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
            ("://", "_OTHER"),
        ] {
            assert_eq!(error_type(&io::Error::other(text)), expected, "{text}");
        }
    }
}
