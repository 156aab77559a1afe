use super::*;

const KEY: &str = "8f2e0d9c-0000-4000-8000-000000000001";

fn parsed(text: &str) -> ConnectionString {
    text.parse().unwrap()
}

fn error(text: &str) -> String {
    text.parse::<ConnectionString>().unwrap_err().to_string()
}

#[test]
fn a_bare_key_means_the_public_cloud() {
    let connection = parsed(&format!("InstrumentationKey={KEY}"));
    assert_eq!(connection.instrumentation_key(), KEY);
    assert_eq!(
        connection.ingestion_endpoint(),
        "https://dc.services.visualstudio.com"
    );
    assert_eq!(
        connection.live_endpoint(),
        "https://rt.services.visualstudio.com"
    );
    assert_eq!(
        ConnectionString::from_instrumentation_key(KEY).unwrap(),
        connection
    );
}

#[test]
fn the_form_of_the_azure_portal_is_read() {
    let connection = parsed(&format!(
        "InstrumentationKey={KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;\
         LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId=app-1"
    ));
    assert_eq!(
        connection.ingestion_endpoint(),
        "https://westeurope-5.in.applicationinsights.azure.com"
    );
    assert_eq!(
        connection.live_endpoint(),
        "https://westeurope.livediagnostics.monitor.azure.com"
    );
    assert_eq!(connection.application_id(), Some("app-1"));
}

#[test]
fn case_spaces_unknown_keys_and_a_last_semicolon_do_not_matter() {
    let connection = parsed(&format!(
        " INSTRUMENTATIONKEY = {} ; ingestionendpoint = http://127.0.0.1:4320// ;; ProfilerEndpoint=x; \n",
        KEY.to_uppercase()
    ));
    assert_eq!(connection.instrumentation_key(), KEY.to_uppercase());
    assert_eq!(connection.ingestion_endpoint(), "http://127.0.0.1:4320");
}

#[test]
fn quotation_marks_around_all_or_a_value_do_not_matter() {
    let plain = format!("InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:4320");
    for text in [
        format!("\"{plain}\""),
        format!("'{plain}'\n"),
        format!(" \" {plain}; \" "),
        format!("InstrumentationKey=\"{KEY}\";IngestionEndpoint='http://127.0.0.1:4320/'"),
    ] {
        assert_eq!(parsed(&text), parsed(&plain), "{text}");
    }
    let bare = ConnectionString::from_instrumentation_key(&format!("'{KEY}'")).unwrap();
    assert_eq!(bare.instrumentation_key(), KEY);
}

#[test]
fn the_path_of_the_service_is_understood_and_any_other_is_not() {
    for path in ["", "/", "//", "/v2/track", "/v2.1/track", "/v2/track/"] {
        let connection = parsed(&format!(
            "InstrumentationKey={KEY};IngestionEndpoint=http://h:1{path}"
        ));
        assert_eq!(connection.ingestion_endpoint(), "http://h:1", "{path}");
    }
}

#[test]
fn a_value_may_hold_an_equals_sign() {
    let connection = parsed(&format!(
        "InstrumentationKey={KEY};AADAudience=https://a/?b=c"
    ));
    assert_eq!(connection.aad_audience(), Some("https://a/?b=c"));
}

#[test]
fn suffix_and_location_make_the_endpoints() {
    for (location, prefix) in [("", ""), (";Location=.westus2.", "westus2.")] {
        let connection = parsed(&format!(
            "InstrumentationKey={KEY};EndpointSuffix=.ai.contoso.com{location}"
        ));
        assert_eq!(
            connection.ingestion_endpoint(),
            format!("https://{prefix}dc.ai.contoso.com")
        );
        assert_eq!(
            connection.live_endpoint(),
            format!("https://{prefix}live.ai.contoso.com")
        );
    }
}

#[test]
fn an_ingestion_endpoint_alone_has_no_live_endpoint() {
    let own = |text: &str| {
        let connection = parsed(&format!("InstrumentationKey={KEY}{text}"));
        connection.own_live_endpoint().map(str::to_owned)
    };
    assert_eq!(own(";IngestionEndpoint=http://localhost:1"), None);
    assert_eq!(
        own("").as_deref(),
        Some("https://rt.services.visualstudio.com")
    );
    assert_eq!(
        own(";IngestionEndpoint=http://localhost:1;LiveEndpoint=http://localhost:2").as_deref(),
        Some("http://localhost:2")
    );
    assert_eq!(
        own(";EndpointSuffix=a.b").as_deref(),
        Some("https://live.a.b")
    );
}

#[test]
fn an_explicit_endpoint_wins_over_the_suffix() {
    let connection = parsed(&format!(
        "InstrumentationKey={KEY};EndpointSuffix=ai.contoso.com;IngestionEndpoint=http://localhost:1"
    ));
    assert_eq!(connection.ingestion_endpoint(), "http://localhost:1");
    assert_eq!(connection.live_endpoint(), "https://live.ai.contoso.com");
}

#[test]
fn an_error_names_the_part_and_never_the_key() {
    for (text, named) in [
        (String::new(), "empty"),
        ("x".repeat(5_000), "5000 bytes"),
        (KEY.to_owned(), "part 1"),
        (format!("InstrumentationKey={KEY};oops"), "part 2"),
        (
            "IngestionEndpoint=http://localhost".to_owned(),
            "no InstrumentationKey",
        ),
        ("InstrumentationKey=".to_owned(), "no InstrumentationKey"),
        (format!("InstrumentationKey={KEY}{KEY}"), "longer than 40"),
        (format!("InstrumentationKey={KEY} x"), "a space"),
        (
            format!("InstrumentationKey={KEY};IngestionEndpoint=localhost:80"),
            "IngestionEndpoint",
        ),
        (
            format!("InstrumentationKey={KEY};LiveEndpoint=ftp://host"),
            "LiveEndpoint",
        ),
        (
            format!("InstrumentationKey={KEY};LiveEndpoint=https://"),
            "LiveEndpoint",
        ),
        (
            format!("InstrumentationKey={KEY};EndpointSuffix=a b"),
            "EndpointSuffix",
        ),
        (
            format!("InstrumentationKey={KEY};EndpointSuffix=a;Location=w/x"),
            "Location",
        ),
        (format!("InstrumentationKey=\"{KEY}"), "a quotation mark"),
        (format!("InstrumentationKey=“{KEY}”"), "a quotation mark"),
        (
            format!("InstrumentationKey={KEY};IngestionEndpoint=http://h/api"),
            "IngestionEndpoint has a path",
        ),
        (
            format!("InstrumentationKey={KEY};IngestionEndpoint=http://u:p@h"),
            "a user or a password",
        ),
        (
            format!("InstrumentationKey={KEY};Authorization=basic"),
            "Authorization",
        ),
    ] {
        let message = error(&text);
        assert!(message.contains(named), "{message}");
        assert!(!message.contains(KEY), "{message}");
    }
}

#[test]
fn debug_hides_the_key() {
    assert!(!format!("{:?}", parsed(&format!("InstrumentationKey={KEY}"))).contains(KEY));
}

#[test]
fn a_displayed_connection_string_is_parsed_to_the_same() {
    let connection = parsed(&format!(
        "InstrumentationKey={KEY};EndpointSuffix=a.b;AADAudience=https://x=y;ApplicationId=z"
    ));
    assert_eq!(parsed(&connection.to_string()), connection);
}
