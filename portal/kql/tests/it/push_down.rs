//! Answers are the same with and without each push-down.

use std::sync::atomic::Ordering;

use azmon_kql::{PushDown, run};
use proptest::prelude::*;

use crate::tables::{Memory, options, text};

const SWITCHES: [PushDown; 6] = [
    PushDown::NONE,
    PushDown::new(true, false, false, false),
    PushDown::new(false, true, false, false),
    PushDown::new(false, false, true, false),
    PushDown::new(false, false, false, true),
    PushDown::new(true, true, true, true),
];

/// The answers with all combinations of switches, which must be equal.
fn same(query: &str) -> Vec<String> {
    let answers = SWITCHES.map(|switches| {
        let answer = run(
            query,
            &Memory::new(150),
            &options().with_push_down(switches),
        );
        match answer {
            Ok(answer) => text(&answer),
            Err(error) => panic!("{query}: {error}"),
        }
    });
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0], "{query}");
    }
    let [first, ..] = answers;
    first
}

/// Queries of the portal's pages, and queries that Azure publishes for its metrics.
const PAGES: &[&str] = &[
    "requests | where timestamp > ago(1h) | summarize count(), avg(duration), percentile(duration, 95) by name | order by count_ desc, name asc",
    "requests | where success == false | summarize failed = count() by resultCode, name | order by failed desc, name asc",
    "requests | summarize sum(duration) by bin(timestamp, 5m) | order by timestamp asc | render timechart",
    "requests | where operation_Id == 'op7' | project timestamp, name, duration",
    "requests | where operation_Id in ('op7', 'op8') | order by timestamp asc | project name",
    "requests | top 10 by timestamp desc | project timestamp, name",
    "requests | top 3 by timestamp asc",
    "requests | where name == 'GET /a' | count",
    "requests | count",
    "union requests, AppRequests | where timestamp > ago(30m) and name != 'GET /a' | summarize count() by name | order by name asc",
    "requests | extend n = name | where n == 'GET /b' and duration >= 10.0 | summarize n = count()",
    "requests | project-rename at = timestamp | where at between (ago(50m) .. ago(10m)) | count",
    "requests | join kind=inner (requests | where resultCode == '500') on operation_Id | summarize count() by name1 | order by name1 asc",
    "requests | where customDimensions.tenant == 't1' | take 5 | count",
    "requests | sort by timestamp desc | take 7 | project name, operation_Id",
    "requests | make-series count() default=0 on timestamp from ago(100m) to now() step 10m by name | order by name asc",
    "requests | where timestamp > ago(20m) | mv-expand kind=array d = customDimensions | count",
    "requests | parse name with method ' /' rest | where method == 'POST' | summarize count() by rest",
    "let slow = requests | where duration > 100.0; slow | where name == 'GET /a' | union (slow | where name == 'GET /b') | summarize count() by name | order by name asc",
    "search 'POST' | where timestamp > ago(1h) | count",
];

#[test]
fn queries_of_pages_give_the_same_with_each_switch() {
    for query in PAGES {
        same(query);
    }
}

#[test]
fn a_table_is_scanned_only_for_the_needs_of_the_query() {
    let memory = Memory::new(200);
    let (rows, cells) = (&memory.requests().given, &memory.requests().cells);
    let run_it = |query: &str| {
        rows.store(0, Ordering::Relaxed);
        cells.store(0, Ordering::Relaxed);
        run(query, &memory, &options()).expect("an answer");
        (rows.load(Ordering::Relaxed), cells.load(Ordering::Relaxed))
    };
    assert_eq!(
        run_it("requests | where operation_Id == 'op7' | project duration"),
        (2, 2)
    );
    assert_eq!(run_it("requests | count"), (0, 0));
    assert_eq!(run_it("requests | where name == 'GET /a' | count"), (0, 0));
    assert_eq!(
        run_it("requests | top 5 by timestamp desc | project name"),
        (5, 10)
    );
    assert_eq!(run_it("requests | take 3 | project name"), (3, 3));
    assert_eq!(
        run_it("requests | summarize avg(duration) by name"),
        (200, 400)
    );
    // A term of two characters is no hint.
    assert_eq!(
        run_it("requests | where customDimensions has 't1' | take 3 | project name").0,
        200
    );
    for (condition, given) in [
        ("name has 'orders'", 66),
        ("name contains 'ORDERS'", 66),
        ("name hasprefix 'ord' and customDimensions has 'tenant'", 66),
        ("name has_cs 'orders' or name has 'GET'", 200),
        ("name !has 'orders'", 200),
        ("name has '/orders'", 200),
        ("tolower(name) has 'orders'", 200),
        ("name matches regex 'orders'", 200),
        ("name has operation_Id", 200),
    ] {
        let query = format!("requests | where {condition} | project duration");
        assert_eq!(run_it(&query).0, given, "{query}");
    }
    let renamed = "requests | project n = name, duration | where n endswith 'orders' | count";
    assert_eq!(run_it(renamed).0, 66);
}

#[test]
fn an_answer_counts_the_rows_that_its_tables_returned() {
    for (query, rows) in [
        (
            "requests | where operation_Id == 'op7' | project duration",
            2,
        ),
        ("requests | count", 0),
        ("requests | take 3 | project name", 3),
        ("requests | summarize avg(duration) by name", 200),
        // The table returns a hundred at a time.
        ("requests | where customDimensions has 't1' | take 3", 100),
        ("union requests, requests | summarize avg(duration)", 400),
        ("print toscalar(requests | summarize max(duration))", 200),
        ("print 1", 0),
    ] {
        let answer = run(query, &Memory::new(200), &options()).expect("an answer");
        assert_eq!(answer.rows_read, rows, "{query}");
    }
}

fn predicate() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    prop_oneof![
        (comparison.clone(), 0..120_i64)
            .prop_map(|(op, minutes)| format!("timestamp {op} ago({minutes}m)")),
        (comparison.clone(), 0..250_i64)
            .prop_map(|(op, number)| format!("duration {op} {number}.5")),
        (comparison.clone(), 0..250_i64).prop_map(|(op, number)| format!("{number} {op} duration")),
        (
            comparison,
            prop::sample::select(vec!["GET /a", "GET /b", "x"])
        )
            .prop_map(|(op, name)| format!("name {op} '{name}'")),
        (
            prop::sample::select(vec![
                "has",
                "has_cs",
                "!has",
                "contains",
                "hasprefix",
                "hassuffix",
                "startswith",
                "endswith",
                "!contains_cs",
                "matches regex",
            ]),
            prop::sample::select(vec!["GET", "get", "orders", "ORD", "/b", "", "zzz"]),
        )
            .prop_map(|(op, term)| format!("name {op} '{term}'")),
        (0..90_i64)
            .prop_map(|number| format!("operation_Id in ('op{number}', 'op{}')", number + 1)),
        (0..90_i64).prop_map(|number| format!("operation_Id !in ('op{number}')")),
        prop::bool::ANY.prop_map(|flag| format!("success == {flag}")),
        (0..5_i64).prop_map(|tenant| format!("customDimensions.tenant == 't{tenant}'")),
    ]
}

fn operator() -> impl Strategy<Value = String> {
    let condition = (
        predicate(),
        predicate(),
        prop::sample::select(vec!["and", "or"]),
    );
    prop_oneof![
        4 => predicate().prop_map(|predicate| format!("where {predicate}")),
        2 => condition.prop_map(|(a, b, word)| format!("where {a} {word} {b}")),
        1 => Just("extend twice = duration * 2, upper = toupper(name)".to_owned()),
        1 => Just("project timestamp, name, duration, success, customDimensions, operation_Id".to_owned()),
        1 => (0..40_usize).prop_map(|rows| format!("top {rows} by timestamp desc")),
        1 => Just("sort by duration asc, timestamp asc".to_owned()),
        1 => (0..60_usize).prop_map(|rows| format!("sort by timestamp asc | take {rows}")),
    ]
}

fn ending() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "count",
        "summarize count(), sum(duration), max(timestamp) by name | sort by name asc",
        "summarize dcount(operation_Id), percentile(duration, 90)",
        "project name, duration | sort by duration asc, name asc",
        "summarize arg_max(timestamp, name, duration)",
        "distinct name | sort by name asc",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_pipeline_gives_the_same_with_each_switch(operators in prop::collection::vec(operator(), 0..4), ending in ending()) {
        let mut parts = vec!["requests".to_owned()];
        parts.extend(operators);
        parts.push(ending);
        same(&parts.join(" | "));
    }
}
