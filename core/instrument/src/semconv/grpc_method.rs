//! Full methods of gRPC, `package.Service/Method`, and which of them are trusted as names.

use std::borrow::Cow;

use crate::intern::RouteNames;

/// The method of a gRPC call that was unknown at the start of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RpcMethod {
    /// A service has answered the method.
    Known(&'static str),
    /// A service has answered the method, but the table of names is full.
    Unkept(Box<str>),
    /// The caller may have invented the method.
    Other(Box<str>),
}

/// The full method of a gRPC path: `package.Service/Method` of `/package.Service/Method`. `None` for any other path,
/// which may contain anything.
#[must_use]
pub fn grpc_method(path: &str) -> Option<&str> {
    let full = path.strip_prefix('/')?;
    let (service, method) = full.split_once('/')?;
    let is_name = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        !name.is_empty() && name.bytes().all(is_part)
    };
    (is_name(service) && is_name(method)).then_some(full)
}

/// Methods that services of this process have answered, and that its clients have called.
static METHODS: RouteNames = RouteNames::new();

/// The full method of a client's call, as the name of its span.
#[must_use]
pub fn grpc_name(full_method: &str) -> Cow<'static, str> {
    match METHODS.get("", full_method) {
        Some(known) => Cow::Borrowed(known.name),
        None => Cow::Owned(full_method.to_owned()),
    }
}

/// The method that a caller names, if a service of this process has answered it before. Other methods are not kept:
/// callers can invent any number of them.
#[must_use]
pub fn answered_grpc_method(full_method: &str) -> Option<&'static str> {
    METHODS.find("", full_method).map(|known| known.name)
}

/// Remembers a method that a service has answered.
pub(crate) fn note_grpc_method(full_method: Box<str>) -> RpcMethod {
    match METHODS.get("", &full_method) {
        Some(known) => RpcMethod::Known(known.name),
        None => RpcMethod::Unkept(full_method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_has_a_service_and_a_name() {
        assert_eq!(grpc_method("/a.B/C"), Some("a.B/C"));
        for path in [
            "/",
            "/a",
            "a/b",
            "//b",
            "/a/",
            "/a/b/c",
            "",
            "/a/b;token=x",
            "/a/%62",
        ] {
            assert_eq!(grpc_method(path), None, "{path}");
        }
    }

    #[test]
    fn a_method_is_kept_when_it_was_answered() {
        assert_eq!(answered_grpc_method("a.Test/New"), None);
        let noted = note_grpc_method("a.Test/New".into());
        assert_eq!(noted, RpcMethod::Known("a.Test/New"));
        assert_eq!(answered_grpc_method("a.Test/New"), Some("a.Test/New"));
    }
}
