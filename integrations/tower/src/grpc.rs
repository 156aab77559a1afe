use std::borrow::Cow;

use azmon_instrument::RouteNames;

/// Shared by all layers of the process.
static NAMES: RouteNames = RouteNames::new();

/// The full method of a call of gRPC, which names its span.
pub(crate) fn grpc_name(full_method: &str) -> Cow<'static, str> {
    match NAMES.get("", full_method) {
        Some(known) => Cow::Borrowed(known.name),
        None => Cow::Owned(full_method.to_owned()),
    }
}
