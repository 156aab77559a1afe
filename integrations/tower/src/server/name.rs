use std::borrow::Cow;

use azmon_instrument::RouteNames;
use opentelemetry::StringValue;

/// Shared by all layers of the process.
static NAMES: RouteNames = RouteNames::new();

/// The name of a span, and the route in it if there is one.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) name: Cow<'static, str>,
    pub(super) route: Option<StringValue>,
}

impl Name {
    pub(super) fn of_route(method: &'static str, route: &str) -> Self {
        match NAMES.get(method, route) {
            Some(known) => Self {
                name: Cow::Borrowed(known.name),
                route: Some(known.route.into()),
            },
            None => Self {
                name: Cow::Owned(format!("{method} {route}")),
                route: Some(route.to_owned().into()),
            },
        }
    }

    pub(super) fn of_method(method: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(method),
            route: None,
        }
    }
}
