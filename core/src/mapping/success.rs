//! Whether a span succeeded.

use opentelemetry::trace::Status;

use crate::mapping::MappingOptions;

/// A status that is set decides; else the HTTP status, if there is one.
pub(super) fn is_success(
    status: &Status,
    http_status: Option<&str>,
    options: &MappingOptions,
) -> bool {
    match status {
        Status::Ok => true,
        Status::Error { .. } => false,
        Status::Unset => http_status
            .and_then(|code| code.parse::<f64>().ok())
            .is_none_or(|code| is_successful_code(code, options)),
    }
}

fn is_successful_code(code: f64, options: &MappingOptions) -> bool {
    let is_client_error = (400.0..500.0).contains(&code);
    code < 400.0 || (is_client_error && !options.client_errors_are_failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides_where_it_is_set_and_the_code_where_it_is_not() {
        let error = Status::error("");
        for (status, code, expected) in [
            (&Status::Unset, Some("404"), false),
            (&Status::Ok, Some("404"), true),
            (&Status::Unset, Some("500"), false),
            (&Status::Ok, Some("500"), true),
            (&Status::Unset, Some("399"), true),
            (&Status::Unset, Some("0"), true),
            (&Status::Unset, Some("not a number"), true),
            (&Status::Unset, None, true),
            (&error, Some("200"), false),
            (&error, None, false),
        ] {
            let success = is_success(status, code, &MappingOptions::default());
            assert_eq!(success, expected, "{status:?} {code:?}");
        }
    }

    #[test]
    fn client_errors_can_be_no_failures() {
        let options = MappingOptions::default().client_errors_are_failures(false);
        assert!(is_success(&Status::Unset, Some("404"), &options));
        assert!(!is_success(&Status::Unset, Some("500"), &options));
        assert!(!is_success(&Status::error(""), Some("404"), &options));
    }
}
