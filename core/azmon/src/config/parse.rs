//! Values of environment variables. An unreadable value is reported, and the default applies.

use std::str::FromStr;

use opentelemetry::otel_warn;

/// `true` or `false`, in any case.
pub(super) fn flag(
    environment: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
) -> Option<bool> {
    let value = environment(variable)?;
    let flag = value.trim().to_ascii_lowercase().parse().ok();
    if flag.is_none() {
        otel_warn!(name: "Config.InvalidFlag", variable = variable, value = value.as_str());
    }
    flag
}

/// A number above 0.
pub(super) fn positive(
    environment: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
) -> Option<u64> {
    let number = number(environment, variable)?;
    if number == 0 {
        otel_warn!(name: "Config.InvalidNumber", variable = variable, value = number);
    }
    Some(number).filter(|number| *number > 0)
}

/// A number.
pub(super) fn number<N: FromStr>(
    environment: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
) -> Option<N> {
    let value = environment(variable)?;
    let number = value.trim().parse().ok();
    if number.is_none() {
        otel_warn!(name: "Config.InvalidNumber", variable = variable, value = value.as_str());
    }
    number
}
