//! Rejected queries, with the places of their errors.

use azmon_kql::{ErrorKind, check, run};

use crate::tables::{Memory, options};

/// The error of a query: kind, line, column, token and text.
fn refused(query: &str) -> (ErrorKind, usize, usize, String, String) {
    let error = run(query, &Memory::new(5), &options()).expect_err(query);
    let place = error
        .place()
        .unwrap_or_else(|| panic!("{query}: no place"))
        .clone();
    (
        error.kind(),
        place.line,
        place.column,
        place.token,
        error.to_string(),
    )
}

#[test]
fn errors_have_the_place_and_a_suggestion() {
    let (kind, line, column, token, text) = refused("requests\n| where durtion > 5");
    assert_eq!(
        (kind, line, column, token.as_str()),
        (ErrorKind::Semantic, 2, 9, "durtion")
    );
    assert!(text.contains("did you mean 'duration'?"), "{text}");
    let (.., token, text) = refused("request | take 1");
    assert!(token == "request" && text.contains("'requests'"), "{text}");
    let (kind, .., token, text) = refused("requests | sumarize count()");
    assert!(
        kind == ErrorKind::Syntax && token == "sumarize" && text.contains("'summarize'"),
        "{text}"
    );
    let (.., token, text) = refused("requests | extend x = tostrin(name)");
    assert!(token == "tostrin" && text.contains("'tostring'"), "{text}");
}

#[test]
fn constructs_of_kusto_that_this_engine_lacks_are_refused_by_name() {
    for (query, name) in [
        ("requests | mv-apply x = name on (take 1)", "mv-apply"),
        ("requests | sample 5", "sample"),
        ("requests | evaluate autocluster()", "autocluster"),
        ("requests | top-nested 2 of name by count()", "top-nested"),
        ("print series_fit_line(dynamic([1]))", "series_fit_line"),
        ("requests | summarize hll(name)", "hll"),
        ("externaldata(a:string)['x']", "externaldata"),
        ("requests | extend (a, b) = f()", "several columns"),
        ("declare query_parameters(a:long); print a", "declare"),
    ] {
        let (kind, .., text) = refused(query);
        assert_eq!(kind, ErrorKind::Unsupported, "{query}: {text}");
        assert!(
            text.contains(name) && text.contains("is valid Kusto but not supported locally"),
            "{text}"
        );
    }
}

#[test]
fn types_and_arguments_are_judged_before_rows_are_read() {
    for query in [
        "requests | where name > 5",
        "requests | where duration",
        "requests | where name.x == 1",
        "requests | extend x = name + 'a'",
        "requests | extend x = strlen()",
        "requests | extend x = substring(name)",
        "requests | extend x = bin(timestamp, 5)",
        "requests | extend x = datetime_diff('fortnight', now(), now())",
        "requests | where name matches regex '('",
        "requests | summarize sum(name)",
        "requests | summarize name by resultCode",
        "requests | extend x = count()",
        "requests | join kind=inner requests on nothing",
        "requests | join kind=sideways requests on name",
        "requests | extend x = iff(true, 1, 'a')",
        "requests | take -1",
        "requests | render timechart | take 1",
        "requests | make-series count() on name step 1h",
        "requests | summarize percentile(duration, 101)",
        "print x = 1;; print y = 2",
        "requests |",
        "",
    ] {
        let checked = check(query, &Memory::new(5), &options());
        assert!(checked.error.is_some(), "{query}");
        assert!(run(query, &Memory::new(5), &options()).is_err(), "{query}");
    }
}

#[test]
fn a_query_is_checked_without_reading_rows() {
    let memory = Memory::new(50);
    let checked = check(
        "requests | summarize c = count() by name | where c > toscalar(requests | count)",
        &memory,
        &options(),
    );
    assert!(
        checked.error.is_none() && checked.columns.len() == 2,
        "{checked:?}"
    );
    let checked = check(
        "requests | evaluate bag_unpack(customDimensions) | where n > 5",
        &memory,
        &options(),
    );
    assert!(checked.error.is_none() && checked.open, "{checked:?}");
    assert_eq!(
        memory
            .requests()
            .given
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
}
