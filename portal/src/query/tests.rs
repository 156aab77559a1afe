//! The store answers a query the same with and without each push-down.

use std::sync::{Arc, LazyLock};

use azmon_kql::{Answer, Options, PushDown, UNIX_EPOCH, run};
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

use crate::ingestion::judge;
use crate::query::Tables;
use crate::store::{Limits, Options as StoreOptions, Store};

const SWITCHES: [PushDown; 6] = [
    PushDown::NONE,
    PushDown::new(true, false, false, false),
    PushDown::new(false, true, false, false),
    PushDown::new(false, false, true, false),
    PushDown::new(false, false, false, true),
    PushDown::new(true, true, true, true),
];
const ITEMS: usize = 400;
/// Ticks of a second.
const SECOND: i64 = 10_000_000;
/// 2026-11-20T12:00:00Z, in seconds since 1970.
const START: i64 = 1_795_176_000;

/// Requests and traces in turn, not in the order of time; some names are too long for the store to count by.
fn items() -> Vec<String> {
    let long = "x".repeat(80);
    (0..ITEMS)
        .map(|index| {
            let second = index * 7 % ITEMS;
            let notes = ["card DECLINED", "declined", "dec\nlined", "escaped", "none"];
            let names = ["GET /a", "GET /b", "POST /orders", long.as_str()];
            let data = if index % 4 == 3 {
                json!({"baseType": "MessageData", "baseData": {"message": format!("line {index}"), "severityLevel": index % 5}})
            } else {
                json!({"baseType": "RequestData", "baseData": {
                    "id": format!("id{index}"), "name": names[index % 7 % 4], "success": index % 5 != 2,
                    "duration": format!("00:00:00.{:03}", index * 37 % 500), "responseCode": if index % 5 == 2 { "500" } else { "200" },
                    "properties": {
                        "tenant": format!("t{}", index % 6), "n": index,
                        "note": notes[index % 5], "amount": 1e2,
                    }}})
            };
            let time = jiff::Timestamp::from_second(START + i64::try_from(second).unwrap()).unwrap();
            json!({
                "name": "x", "time": format!("{time:.6}"), "iKey": format!("key-{}", index % 2),
                "tags": {"ai.operation.id": format!("op{}", index / 2), "ai.cloud.role": "shop"}, "data": data,
            })
            .to_string()
            .replace("escaped", "\\u0064eclined")
            .replace("100.0", "1e2")
        })
        .collect()
}

static STORE: LazyLock<Arc<Store>> = LazyLock::new(|| {
    let options = StoreOptions {
        directory: None,
        limits: Limits {
            items: u64::MAX,
            bytes: u64::MAX,
            age: None,
        },
        max_pages: None,
    };
    let store = Arc::new(Store::open(&options).unwrap());
    let items = items()
        .into_iter()
        .map(|json| judge(&RawValue::from_string(json).unwrap()).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(store.append(items.collect())).unwrap();
    store
});

fn text(answer: &Answer) -> Vec<String> {
    let lines = answer.rows().map(|row| {
        let cells: Vec<String> = row.iter().map(|cell| cell.to_text().to_string()).collect();
        cells.join("|")
    });
    lines.collect()
}

fn same(query: &str, app: &str) {
    let now = UNIX_EPOCH + (START + 400) * SECOND;
    let answers = SWITCHES.map(|switches| {
        let options = Options::new().with_now(now).with_push_down(switches);
        let tables = Tables::of(&STORE, app);
        let answer =
            run(query, &tables, &options).unwrap_or_else(|error| panic!("{query}: {error}"));
        text(&answer)
    });
    for (answer, switches) in answers.iter().zip(SWITCHES).skip(1) {
        assert_eq!(*answer, answers[0], "{query} with {switches:?}");
    }
}

#[test]
fn queries_of_pages_give_the_same_with_each_switch() {
    for query in [
        "requests | count",
        "requests | where timestamp > ago(100s) | count",
        "requests | where timestamp >= ago(100s) and timestamp < ago(50s) | summarize count(), percentile(duration, 95) by name | order by name asc",
        "requests | where operation_Id == 'op7' | project timestamp, name, duration | order by timestamp asc",
        "requests | where operation_Id in ('op7', 'op8', 'none') | order by timestamp asc | project id",
        "requests | top 10 by timestamp desc | project timestamp, id",
        "requests | top 7 by timestamp asc | project id",
        "requests | where success == false | summarize failed = count() by resultCode, name | order by name asc",
        "requests | where customDimensions.tenant == 't3' | summarize sum(toint(customDimensions.n))",
        "requests | where customDimensions has 't5' | count",
        "requests | where customDimensions has 'declined' | summarize count() by tostring(customDimensions.note) | order by count_ asc",
        "requests | where customDimensions has '1e2' | count",
        "traces | where message has 'line' and message endswith '99' | project message | order by message asc",
        "union requests, traces | where timestamp > ago(200s) | summarize count() by itemType | order by itemType asc",
        "requests | join kind=inner traces on operation_Id | summarize count() by severityLevel | order by severityLevel asc",
        "AppRequests | where TimeGenerated > ago(300s) | summarize count(), max(DurationMs) by Name | order by Name asc",
        "requests | summarize count() by bin(timestamp, 1m) | order by timestamp asc",
        "traces | where severityLevel >= 3 | project timestamp, message | order by timestamp desc",
    ] {
        for app in ["", "key-0", "key-1"] {
            same(query, app);
        }
    }
}

#[test]
fn a_page_that_ends_within_the_scan_goes_on_where_it_ended() {
    // Pages have 4096 rows: the cursor is tested with the store's own reader.
    let query = crate::store::TableQuery {
        kind: crate::store::ItemKind::Request,
        app: None,
        range: crate::store::Range::ALL,
        operations: None,
        newest_first: None,
    };
    for newest_first in [None, Some(false), Some(true)] {
        for range in [
            crate::store::Range::ALL,
            crate::store::Range {
                from: (START + 50) * 1_000_000,
                to: (START + 350) * 1_000_000,
            },
        ] {
            let query = crate::store::TableQuery {
                newest_first,
                range,
                ..query.clone()
            };
            let ids = |limit: usize| -> Vec<i64> {
                STORE
                    .state()
                    .read(|reader| {
                        let (mut ids, mut after) = (Vec::new(), None);
                        loop {
                            let (rows, next) = reader.table(&query, after, limit)?;
                            ids.extend(rows.iter().map(|row| row.id));
                            after = next;
                            if next.is_none() {
                                return Ok(ids);
                            }
                        }
                    })
                    .unwrap()
            };
            let whole = ids(usize::MAX);
            assert!(whole.len() > 200);
            for limit in [1, 7, 100] {
                assert_eq!(ids(limit), whole, "{newest_first:?} {range:?} by {limit}");
            }
        }
    }
}

fn predicate() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    prop_oneof![
        (comparison.clone(), 0..420_i64)
            .prop_map(|(op, seconds)| format!("timestamp {op} ago({seconds}s)")),
        (comparison.clone(), 0..500_i64).prop_map(|(op, number)| format!("duration {op} {number}")),
        (
            comparison,
            prop::sample::select(vec!["GET /a", "GET /b", "x"])
        )
            .prop_map(|(op, name)| format!("name {op} '{name}'")),
        (0..220_i64)
            .prop_map(|number| format!("operation_Id in ('op{number}', 'op{}')", number + 1)),
        (0..220_i64).prop_map(|number| format!("operation_Id == 'op{number}'")),
        (0..220_i64).prop_map(|number| format!("operation_Id !in ('op{number}')")),
        prop::bool::ANY.prop_map(|flag| format!("success == {flag}")),
        (0..7_i64).prop_map(|tenant| format!("customDimensions.tenant == 't{tenant}'")),
        (0..400_i64).prop_map(|number| format!("customDimensions has '{number}'")),
        (
            prop::sample::select(vec![
                "customDimensions",
                "customDimensions.note",
                "name",
                "id",
                "operation_Id"
            ]),
            prop::sample::select(vec![
                "has",
                "!has",
                "contains",
                "has_cs",
                "startswith",
                "endswith"
            ]),
            prop::sample::select(vec![
                "declined", "Declined", "note", "get", "orders", "id7", "op12", "100", "1e2", "zzz"
            ]),
        )
            .prop_map(|(column, op, term)| format!("{column} {op} '{term}'")),
    ]
}

fn operator() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => predicate().prop_map(|predicate| format!("where {predicate}")),
        2 => (predicate(), predicate(), prop::sample::select(vec!["and", "or"]))
            .prop_map(|(a, b, word)| format!("where {a} {word} {b}")),
        1 => (0..40_usize).prop_map(|rows| format!("top {rows} by timestamp desc")),
        1 => (0..60_usize).prop_map(|rows| format!("sort by timestamp asc | take {rows}")),
        1 => Just("extend twice = duration * 2".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_pipeline_gives_the_same_with_each_switch(
        operators in prop::collection::vec(operator(), 0..4),
        ending in prop::sample::select(vec![
            "count",
            "summarize count(), sum(duration), max(timestamp) by name | sort by name asc",
            "summarize dcount(operation_Id), percentile(duration, 90)",
            "project id, timestamp, customDimensions | sort by id asc",
            "distinct name | sort by name asc",
        ]),
        app in prop::sample::select(vec!["", "key-1"]),
    ) {
        let mut parts = vec!["requests".to_owned()];
        parts.extend(operators);
        parts.push(ending.to_owned());
        same(&parts.join(" | "), app);
    }
}
