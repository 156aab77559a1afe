//! Valid and invalid `LocalForwarder.config` files, with the text of the errors.

use std::collections::HashMap;

use azmon_forwarder::config::{
    Adaptive, ForwarderConfig, InputConfig, InputKind, LocalForwarderConfig, Sampling,
};

const KEY: &str = "11111111-2222-3333-4444-555555555555";

/// The file that LocalForwarder ships.
const SHIPPED: &str = include_str!("../data/local_forwarder/shipped.config");
/// The file of the first tutorials.
const TUTORIAL: &str = include_str!("../data/local_forwarder/tutorial.config");

fn read_with(
    text: &str,
    connection_string: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<LocalForwarderConfig, String> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    LocalForwarderConfig::parse("LocalForwarder.config", text, connection_string, lookup)
        .map_err(|error| error.to_string())
}

fn set() -> Vec<(&'static str, &'static str)> {
    vec![
        ("APPINSIGHTS_INSTRUMENTATIONKEY", KEY),
        ("APPINSIGHTS_ADAPTIVESAMPLINGEVENTSLIMIT", "23"),
        ("APPINSIGHTS_ADAPTIVESAMPLINGNONEVENTSLIMIT", "25"),
    ]
}

fn destination(config: &ForwarderConfig) -> &str {
    &config.destinations[0].connection_string
}

fn both(host: &str) -> [InputConfig; 2] {
    [
        InputConfig::new(InputKind::ApplicationInsightsGrpc, format!("{host}:50001")),
        InputConfig::new(InputKind::OpenCensus, format!("{host}:55678")),
    ]
}

#[test]
fn v1_the_shipped_file_with_its_variables() {
    let text = format!("\u{feff}{SHIPPED}");
    let read = read_with(&text, None, &set()).unwrap();
    assert_eq!(read.config.inputs, both("0.0.0.0"));
    assert_eq!(
        destination(&read.config),
        format!("InstrumentationKey={KEY}")
    );
    let limits = Adaptive {
        max_events_per_second: 23.0,
        max_other_items_per_second: 25.0,
    };
    assert_eq!(read.config.sampling, Sampling::Adaptive(limits));
    assert_eq!(read.live_metrics_key.as_deref(), Some(KEY));
    let live_metrics_key = read.config.destinations[0].live_metrics_key.as_deref();
    assert_eq!(live_metrics_key, Some(KEY));
    // The file requests the address of all interfaces, so the forwarder uses it and warns.
    let warnings: Vec<_> = read
        .config
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[1].contains("opencensus: 0.0.0.0:55678 is reached by other machines"));
}

#[test]
fn v2_the_shipped_file_without_variables_needs_a_connection_string() {
    let connection_string = format!("InstrumentationKey={KEY}");
    let read = read_with(SHIPPED, Some(&connection_string), &[]).unwrap();
    assert_eq!(destination(&read.config), connection_string);
    assert_eq!(
        read.config.sampling,
        Sampling::Adaptive(Adaptive::default())
    );
    assert_eq!(read.live_metrics_key, None);
    let error = read_with(SHIPPED, None, &[]).unwrap_err();
    let expected = "OpenCensusToApplicationInsights/InstrumentationKey: the variable \
                    APPINSIGHTS_INSTRUMENTATIONKEY is not set";
    assert!(error.contains(expected), "{error}");
    assert!(error.contains("--connection-string"), "{error}");
    assert!(error.starts_with("LocalForwarder.config:"), "{error}");
}

#[test]
fn v3_the_file_of_the_tutorials() {
    let read = read_with(TUTORIAL, None, &[]).unwrap();
    assert_eq!(read.config.inputs, both("0.0.0.0"));
    assert_eq!(read.config.sampling, Sampling::All);
}

#[test]
fn v4_one_input_and_no_sampling() {
    let text = format!(
        r#"<LocalForwarderConfiguration>
             <Inputs>
               <ApplicationInsightsInput Enabled="false" />
               <OpenCensusInput Enabled="true"><Host>127.0.0.1</Host><Port>55678</Port></OpenCensusInput>
             </Inputs>
             <OpenCensusToApplicationInsights><InstrumentationKey>{KEY}</InstrumentationKey></OpenCensusToApplicationInsights>
             <ApplicationInsights><AdaptiveSampling Enabled="false" /></ApplicationInsights>
           </LocalForwarderConfiguration>"#
    );
    let read = read_with(&text, None, &[]).unwrap();
    let only = InputConfig::new(InputKind::OpenCensus, "127.0.0.1:55678");
    assert_eq!(read.config.inputs, [only]);
    assert_eq!(read.config.sampling, Sampling::All);
    assert!(read.config.warnings.is_empty());
}

#[test]
fn v5_case_blanks_order_and_elements_that_mean_nothing() {
    let text = format!(
        r#"<LocalForwarderConfiguration>
             <ApplicationInsights>
               <AdaptiveSampling Enabled=" TRUE "><MaxEventsPerSecond> 7 </MaxEventsPerSecond></AdaptiveSampling>
             </ApplicationInsights>
             <Later />
             <OpenCensusToApplicationInsights><InstrumentationKey> {KEY} </InstrumentationKey></OpenCensusToApplicationInsights>
             <Inputs>
               <OpenCensusInput Enabled="TRUE"><Host> 127.0.0.1 </Host><Port> 55678 </Port><Tls /></OpenCensusInput>
             </Inputs>
           </LocalForwarderConfiguration>"#
    );
    let read = read_with(&text, None, &[]).unwrap();
    let only = InputConfig::new(InputKind::OpenCensus, "127.0.0.1:55678");
    assert_eq!(read.config.inputs, [only]);
    let limits = Adaptive {
        max_events_per_second: 7.0,
        ..Adaptive::default()
    };
    assert_eq!(read.config.sampling, Sampling::Adaptive(limits));
    let warnings: Vec<_> = read
        .config
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "LocalForwarder.config:5: Later: this element is not known, and has no effect",
        "LocalForwarder.config:8: Inputs/OpenCensusInput/Tls: this element is not known, and has no effect",
    ];
    assert_eq!(warnings, expected);
}

/// A file whose parts can be replaced.
fn file(inputs: &str, key: &str, rest: &str) -> String {
    format!(
        "<LocalForwarderConfiguration>\n<Inputs>{inputs}</Inputs>\n\
         <OpenCensusToApplicationInsights>{key}</OpenCensusToApplicationInsights>\n\
         <ApplicationInsights>{rest}</ApplicationInsights>\n</LocalForwarderConfiguration>"
    )
}

fn open_census(enabled: &str, host: &str, port: &str) -> String {
    format!(
        "<OpenCensusInput Enabled=\"{enabled}\"><Host>{host}</Host><Port>{port}</Port></OpenCensusInput>"
    )
}

fn refused(text: &str, expected: &str) {
    let error = read_with(text, None, &[("AMPERSAND", "a&b")]).unwrap_err();
    let expected = format!("LocalForwarder.config{expected}");
    assert!(error.starts_with(&expected), "{error}\nis not\n{expected}");
}

#[test]
fn errors_name_the_line_the_element_and_the_remedy() {
    let good = open_census("true", "127.0.0.1", "55678");
    let key = format!("<InstrumentationKey>{KEY}</InstrumentationKey>");
    // I1
    refused(
        "<LocalForwarderConfiguration>\n<Inputs>\n</LocalForwarderConfiguration>",
        ":3: this is not well-formed XML, at column",
    );
    // I2
    refused(
        &file(&good, &key, "").replace("LocalForwarderConfiguration", "Configuration"),
        ":1: Configuration: the root must be called LocalForwarderConfiguration",
    );
    // I3
    refused(
        &file(&good, "", ""),
        ":3: OpenCensusToApplicationInsights/InstrumentationKey: the element is missing; write \
         <InstrumentationKey> with the instrumentation key, or give a connection string by \
         --connection-string or APPLICATIONINSIGHTS_CONNECTION_STRING",
    );
    // I4
    refused(
        "<LocalForwarderConfiguration>\n</LocalForwarderConfiguration>",
        ":1: Inputs: the section is missing, so there is nothing to listen on; write <Inputs> with",
    );
    // I5
    for port in ["abc", "70000", "0", "-1"] {
        let expected = format!(
            ":2: Inputs/OpenCensusInput/Port: {port:?} is not a port; write a number from 1 to 65535"
        );
        refused(
            &file(&open_census("true", "127.0.0.1", port), &key, ""),
            &expected,
        );
    }
    // I6
    refused(
        &file(&open_census("yes", "127.0.0.1", "55678"), &key, ""),
        ":2: Inputs/OpenCensusInput: Enabled is \"yes\"; write true or false",
    );
    // I7
    let clash = format!(
        "<ApplicationInsightsInput Enabled=\"true\"><Host>127.0.0.1</Host><Port>55678</Port>\
         </ApplicationInsightsInput>\n{good}"
    );
    refused(
        &file(&clash, &key, ""),
        ":3: Inputs/OpenCensusInput: 127.0.0.1:55678 is the address of the other input, too; give each",
    );
    // I8
    refused(
        &file(&open_census("true", "127.0.0.1", "%PORT%"), &key, ""),
        ":2: Inputs/OpenCensusInput/Port: the variable PORT is not set; set it, or write a port",
    );
    refused(
        &file(&open_census("true", "%HOST%", "1"), &key, ""),
        ":2: Inputs/OpenCensusInput/Host: the variable HOST is not set; set it, or write an address",
    );
    refused(
        &file(&good, "<InstrumentationKey>%IKEY%</InstrumentationKey>", ""),
        ":3: OpenCensusToApplicationInsights/InstrumentationKey: the variable IKEY is not set",
    );
    // I9
    refused(
        &file(&open_census("false", "x", "1"), &key, ""),
        ":2: Inputs: no input is enabled, so there is nothing to listen on; set Enabled=\"true\" on one",
    );
    // I10
    for limit in ["0", "-1", "many", "NaN"] {
        let sampling = format!(
            "<AdaptiveSampling Enabled=\"true\"><MaxEventsPerSecond>{limit}</MaxEventsPerSecond>\
             </AdaptiveSampling>"
        );
        let expected = format!(
            ":4: ApplicationInsights/AdaptiveSampling/MaxEventsPerSecond: {limit:?} is no limit; write a \
             number of items a second, at least 1"
        );
        refused(&file(&good, &key, &sampling), &expected);
    }
}

#[test]
fn files_that_are_twice_too_large_or_reach_out_are_refused() {
    let good = open_census("true", "127.0.0.1", "55678");
    let key = format!("<InstrumentationKey>{KEY}</InstrumentationKey>");
    refused(
        &file(&format!("{good}\n{good}"), &key, ""),
        ":3: Inputs/OpenCensusInput: it is there twice; remove one of them",
    );
    let with_type = format!(
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
        file(&good, &key, "")
    );
    refused(&with_type, ":1: this is not well-formed XML");
    let large = format!("{}{}", file(&good, &key, ""), " ".repeat(1 << 20));
    refused(&large, ": the file is larger than 1048576 bytes");
    refused(
        &file(&good, "<InstrumentationKey>no key</InstrumentationKey>", ""),
        ":3: OpenCensusToApplicationInsights/InstrumentationKey: this is no instrumentation key",
    );
}

#[test]
fn variables_are_replaced_in_texts_and_never_become_markup() {
    let key = format!("<InstrumentationKey>{KEY}</InstrumentationKey><!-- %COMMENT% -->");
    for (host, variables, address) in [
        ("%H%", &[("H", " 127.0.0.1 ")][..], Some("127.0.0.1:1")),
        (
            "1%A%.0.0.%B%",
            &[("A", "27"), ("B", "1")],
            Some("127.0.0.1:1"),
        ),
        ("100% h", &[], None),
        ("%H%", &[("H", "<b/>&amp;")], None),
    ] {
        let text = file(&open_census("true", host, "1"), &key, "");
        match (read_with(&text, None, variables), address) {
            (Ok(read), Some(address)) => assert_eq!(read.config.inputs[0].address, address),
            (Ok(read), None) => {
                // A text, but not a host name.
                let address = &read.config.inputs[0].address;
                assert!(address.starts_with("<b/>&amp;") || address.starts_with("100% h"));
            }
            (Err(error), _) => panic!("{host}: {error}"),
        }
    }
}

#[test]
fn the_key_of_live_metrics_is_that_of_the_file_as_long_as_the_destination_is() {
    let good = open_census("true", "127.0.0.1", "55678");
    let key = format!("<InstrumentationKey>{KEY}</InstrumentationKey>");
    let given = "InstrumentationKey=given";
    for (live, connection_string, expected, warnings) in [
        ("other", None, Some("other"), 0),
        ("other", Some(given), None, 0),
        ("", None, None, 0),
        ("%UNSET%", None, None, 0),
        ("no key", None, None, 1),
    ] {
        let live = format!(
            "<LiveMetricsStreamInstrumentationKey>{live}</LiveMetricsStreamInstrumentationKey>"
        );
        let read = read_with(&file(&good, &key, &live), connection_string, &[]).unwrap();
        let destination = &read.config.destinations[0];
        assert_eq!(destination.live_metrics_key.as_deref(), expected, "{live}");
        assert_eq!(read.config.warnings.len(), warnings, "{live}");
    }
}
