//! Second opinions: each query beside SQL that was written by hand over the JSON as it was sent, and beside duckdb-kql,
//! another implementation of the language.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use azmon_portal::Portal;
use azmon_test_clients::python::{python, succeed};
use rusqlite::{Connection, OpenFlags, types::Value as Cell};
use serde_json::{Value, json};

use crate::client::{Harness, json_of};
use crate::story::{Story, operation};

/// The input of the SQL: the items of each kind, their fields straight from the JSON.
const TABLES: &str = "
CREATE TEMP VIEW item AS SELECT id AS number, json,
    json_extract(json, '$.time') AS time,
    json_extract(json, '$.data.baseType') AS base,
    json_extract(json, '$.tags.\"ai.operation.id\"') AS operation,
    json_extract(json, '$.tags.\"ai.cloud.role\"') AS role,
    json_extract(json, '$.tags.\"ai.user.id\"') AS user,
    json_extract(json, '$.data.baseData.name') AS name,
    json_extract(json, '$.data.baseData.success') AS success,
    json_extract(json, '$.data.baseData.duration') AS span,
    json_extract(json, '$.data.baseData.properties.merchant') AS merchant,
    coalesce(100.0 / json_extract(json, '$.sampleRate'), 1) AS stands_for
  FROM main.envelopes;
CREATE TEMP VIEW timed AS SELECT *,
    1000.0 * (3600 * substr(span, 1, 2) + 60 * substr(span, 4, 2) + substr(span, 7)) AS took FROM item;
CREATE TEMP VIEW req AS SELECT *, json_extract(json, '$.data.baseData.responseCode') AS code,
    json_extract(json, '$.data.baseData.url') AS url FROM timed WHERE base = 'RequestData';
CREATE TEMP VIEW dep AS SELECT *, json_extract(json, '$.data.baseData.type') AS kind,
    json_extract(json, '$.data.baseData.target') AS target FROM timed WHERE base = 'RemoteDependencyData';
CREATE TEMP VIEW exc AS SELECT *, json_extract(json, '$.data.baseData.exceptions[0].typeName') AS kind,
    json_extract(json, '$.data.baseData.exceptions[0].message') AS message FROM item WHERE base = 'ExceptionData';
CREATE TEMP VIEW msg AS SELECT *, json_extract(json, '$.data.baseData.message') AS message,
    json_extract(json, '$.data.baseData.severityLevel') AS severity FROM item WHERE base = 'MessageData';
CREATE TEMP VIEW met AS SELECT *, json_extract(json, '$.data.baseData.metrics[0].name') AS metric,
    json_extract(json, '$.data.baseData.metrics[0].value') AS value FROM item WHERE base = 'MetricData';
";

/// KQL, and the same question in SQL. Rows are compared without their order, unless the query gives one.
const PAIRS: [(&str, &str); 32] = [
    ("requests | count", "SELECT count(*) FROM req"),
    (
        "requests | summarize count() by name",
        "SELECT name, count(*) FROM req GROUP BY name",
    ),
    (
        "requests | where success == false | summarize count() by resultCode",
        "SELECT code, count(*) FROM req WHERE success = 0 GROUP BY code",
    ),
    (
        "requests | summarize avg(duration) by name",
        "SELECT name, avg(took) FROM req GROUP BY name",
    ),
    (
        "requests | summarize sum(duration), max(duration), min(duration) by cloud_RoleName",
        "SELECT role, sum(took), max(took), min(took) FROM req GROUP BY role",
    ),
    (
        "requests | summarize percentile(duration, 95)",
        "SELECT took FROM req ORDER BY took LIMIT 1 OFFSET (SELECT (count(*) * 95 + 99) / 100 - 1 FROM req)",
    ),
    (
        "requests | where cloud_RoleName == 'web' | summarize percentiles(duration, 50, 90)",
        "SELECT (SELECT took FROM req WHERE role = 'web' ORDER BY took LIMIT 1 OFFSET
            (SELECT (count(*) * 50 + 99) / 100 - 1 FROM req WHERE role = 'web')),
          (SELECT took FROM req WHERE role = 'web' ORDER BY took LIMIT 1 OFFSET
            (SELECT (count(*) * 90 + 99) / 100 - 1 FROM req WHERE role = 'web'))",
    ),
    (
        "requests | summarize count() by bin(timestamp, 1m)",
        "SELECT substr(time, 1, 17) || '00Z', count(*) FROM req GROUP BY 1",
    ),
    (
        "requests | summarize variance(duration)",
        "SELECT (sum(took * took) - sum(took) * sum(took) / count(*)) / (count(*) - 1) FROM req",
    ),
    (
        "dependencies | summarize count() by type, target",
        "SELECT kind, target, count(*) FROM dep GROUP BY kind, target",
    ),
    (
        "dependencies | where duration > 50 | count",
        "SELECT count(*) FROM dep WHERE took > 50",
    ),
    (
        "exceptions | summarize count() by type, outerMessage",
        "SELECT kind, message, count(*) FROM exc GROUP BY kind, message",
    ),
    (
        "traces | where severityLevel >= 2 | count",
        "SELECT count(*) FROM msg WHERE severity >= 2",
    ),
    (
        "traces | where message has 'placed' | count",
        "SELECT count(*) FROM msg WHERE ' ' || message || ' ' LIKE '% placed %'",
    ),
    (
        "requests | where name startswith 'post' | summarize dcount(operation_Id)",
        "SELECT count(DISTINCT operation) FROM req WHERE name LIKE 'post%'",
    ),
    (
        "requests | top 5 by timestamp desc | project timestamp, name",
        "SELECT time, name FROM req ORDER BY time DESC LIMIT 5",
    ),
    (
        "requests | where customDimensions.merchant == 'm-1' | count",
        "SELECT count(*) FROM req WHERE merchant = 'm-1'",
    ),
    (
        "requests | extend m = tostring(customDimensions.merchant) | summarize count() by m",
        "SELECT coalesce(merchant, ''), count(*) FROM req GROUP BY 1",
    ),
    (
        "requests | summarize countif(success == 'False'), count() by name",
        "SELECT name, sum(success = 0), count(*) FROM req GROUP BY name",
    ),
    (
        "requests | join kind=inner dependencies on operation_Id | count",
        "SELECT count(*) FROM req JOIN dep ON req.operation = dep.operation",
    ),
    (
        "requests | join kind=leftouter (exceptions | project operation_Id, problem = type) on operation_Id
         | summarize count() by problem",
        "SELECT coalesce(exc.kind, ''), count(*) FROM req LEFT JOIN exc ON req.operation = exc.operation GROUP BY 1",
    ),
    (
        "requests | join kind=leftanti exceptions on operation_Id | count",
        "SELECT count(*) FROM req WHERE operation NOT IN (SELECT operation FROM exc)",
    ),
    (
        "union requests, dependencies | summarize count() by itemType",
        "SELECT iif(base = 'RequestData', 'request', 'dependency'), count(*) FROM item
         WHERE base IN ('RequestData', 'RemoteDependencyData') GROUP BY 1",
    ),
    (
        "customMetrics | summarize sum(value), avg(value) by name",
        "SELECT metric, sum(value), avg(value) FROM met GROUP BY metric",
    ),
    (
        "requests | distinct name, resultCode",
        "SELECT DISTINCT name, code FROM req",
    ),
    (
        "requests | extend speed = iff(duration > 80, 'slow', 'fast') | summarize count() by speed",
        "SELECT iif(took > 80, 'slow', 'fast'), count(*) FROM req GROUP BY 1",
    ),
    (
        "requests | extend verb = tostring(split(name, ' ')[0]) | summarize count() by verb",
        "SELECT substr(name, 1, instr(name, ' ') - 1), count(*) FROM req GROUP BY 1",
    ),
    (
        "requests | where cloud_RoleName == 'web' | summarize arg_max(duration, operation_Id) by name",
        "SELECT name, max(took), operation FROM req WHERE role = 'web' GROUP BY name",
    ),
    (
        "dependencies | summarize n = count() by target | where n > 10 | order by n desc, target asc | project target, n",
        "SELECT target, count(*) FROM dep GROUP BY target HAVING count(*) > 10",
    ),
    (
        "requests | where url contains 'ORDERS' | summarize dcount(user_Id) by cloud_RoleName",
        "SELECT role, count(DISTINCT user) FROM req WHERE url LIKE '%orders%' GROUP BY role",
    ),
    (
        "let busiest = requests | summarize c = count() by name | top 1 by c | project name;
         requests | where name in (busiest) | summarize sum(itemCount)",
        "SELECT sum(stands_for) FROM req WHERE name = (SELECT name FROM req GROUP BY name ORDER BY count(*) DESC LIMIT 1)",
    ),
    (
        "requests | mv-expand key = bag_keys(customDimensions) | summarize count() by tostring(key)",
        "SELECT member.key, count(*) FROM req, json_each(req.json, '$.data.baseData.properties') AS member GROUP BY 1",
    ),
];

/// Orders, and requests of another role whose durations all differ.
fn data() -> Vec<Value> {
    let story = Story::ago(900);
    let mut items = story.orders(60);
    for index in 0..300_usize {
        let (operation, id) = (operation(1_000 + index), format!("web{index}"));
        let name = ["GET /", "GET /orders", "POST /cart"][index % 7 % 3];
        let code = if index % 11 == 4 { "503" } else { "200" };
        let took = 10 + i64::try_from(index * 7_919 % 907).unwrap();
        let at = i64::try_from(index * 1_733).unwrap();
        let mut request = story.request(("web", name), (at, took), (&operation, &id, ""), code);
        if index % 5 == 0 {
            request["sampleRate"] = json!(25);
        }
        items.push(request);
        if index % 3 == 0 {
            let parent = (operation.as_str(), id.as_str());
            items.push(story.trace("web", at + 1, parent, "cart placed by hand"));
            items.push(story.metric(
                "web",
                at,
                "queue length",
                f64::from(index as u32) / 4.0,
                "m-3",
            ));
        }
    }
    items
}

fn of_sql(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection
        .prepare(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|index| {
            Ok(match row.get(index)? {
                Cell::Null => Value::Null,
                Cell::Integer(number) => json!(number),
                Cell::Real(number) => json!(number),
                Cell::Text(text) => json!(text),
                Cell::Blob(bytes) => panic!("{bytes:?}"),
            })
        });
        cells.collect::<rusqlite::Result<Vec<Value>>>()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Cells that are the same are the same text: numbers to nine digits, instants without zeros at the end.
fn normal(rows: &[Vec<Value>]) -> Vec<String> {
    let cell = |cell: &Value| match cell {
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            format!("{number:.9e}")
        }
        Value::String(text) if text.ends_with('Z') && text.contains('.') => {
            let text = text.trim_end_matches('Z').trim_end_matches('0');
            format!("{}Z", text.trim_end_matches('.'))
        }
        other => other.to_string(),
    };
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | "))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_agree_with_sql_that_was_written_by_hand() {
    let directory = std::env::temp_dir().join(format!("azmon-differential-{}", std::process::id()));
    let portal = Harness::start_with(Portal::builder().data_directory(&directory)).await;
    portal.accept(&data()).await;
    let database = Database::open(directory);
    let mut differing = Vec::new();
    for (kql, sql) in PAIRS {
        let answer = ask(&portal, kql).await;
        let rows = answer["tables"][0]["rows"].clone();
        let rows: Vec<Vec<Value>> =
            serde_json::from_value(rows).unwrap_or_else(|_| panic!("{kql}: {answer:#}"));
        let wanted = of_sql(&database.connection, sql);
        assert!(!wanted.is_empty(), "{sql}");
        let (found, wanted) = (normal(&rows), normal(&wanted));
        if found != wanted {
            differing.push(format!("{kql}\n  KQL {found:?}\n  SQL {wanted:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The columns that duckdb-kql gets of each table.
const COPIED: [(&str, &str); 5] = [
    (
        "requests",
        "timestamp, id, name, success, resultCode, duration, url, operation_Id, operation_ParentId, user_Id,
         cloud_RoleName, itemType, itemCount, customDimensions",
    ),
    (
        "dependencies",
        "timestamp, id, name, success, resultCode, duration, type, target, data, operation_Id, operation_ParentId,
         cloud_RoleName, itemType, itemCount, customDimensions",
    ),
    (
        "exceptions",
        "timestamp, type, outerMessage, problemId, operation_Id, cloud_RoleName, itemType, itemCount",
    ),
    (
        "traces",
        "timestamp, message, severityLevel, operation_Id, cloud_RoleName, itemType, itemCount",
    ),
    (
        "customMetrics",
        "timestamp, name, value, cloud_RoleName, itemType",
    ),
];

/// Queries for duckdb-kql beside those of [`PAIRS`].
const MORE: [&str; 24] = [
    "requests | summarize percentiles(duration, 5, 50, 99) by name",
    "requests | summarize count(), dcount(user_Id) by bin(timestamp, 5m), cloud_RoleName",
    "requests | summarize stdev(duration), variance(duration) by cloud_RoleName",
    "requests | summarize sumif(duration, resultCode == '200'), avgif(duration, name has 'orders')",
    "requests | summarize arg_min(duration, id, name)",
    "requests | where duration between (20.0 .. 60.0) | count",
    "requests | where name !startswith 'GET' and url !contains 'x' | summarize count() by name",
    "requests | where name in~ ('get /', 'POST /CART') | summarize count() by resultCode",
    "requests | where url matches regex @'orders/[0-9]+' | count",
    "requests | where isempty(user_Id) | count",
    "requests | extend band = case(duration < 50, 'a', duration < 200, 'b', 'c') | summarize count() by band",
    "requests | extend m = toupper(substring(name, 0, 3)), n = strlen(name) | summarize max(n) by m",
    "requests | extend r = round(duration / 7, 2), f = floor(duration, 10) | summarize sum(r), sum(f)",
    "requests | extend w = strcat(cloud_RoleName, '-', resultCode) | distinct w",
    "requests | extend code = toint(resultCode) | summarize sum(code), max(code % 7)",
    "requests | summarize total = count(), slow = countif(duration > 100) by name | extend share = 1.0 * slow / total",
    "requests | project-away url, customDimensions | where cloud_RoleName == 'web' | top 4 by duration asc | project id",
    "requests | join kind=leftsemi (exceptions) on operation_Id | summarize count() by name",
    "requests | join kind=rightouter (exceptions | project operation_Id, type) on operation_Id | count",
    "dependencies | summarize take = count() by type | join kind=inner (dependencies | summarize sum(duration) by type) on type | project type, take",
    "union withsource = origin requests, traces | count",
    "traces | extend words = array_length(split(message, ' ')) | summarize count() by words",
    "let limit = 90; let slow = requests | where duration > limit; slow | summarize count() by name",
    "customMetrics | where value > 3 | summarize min(value), max(value), sum(value) by name",
];

/// The query of [`PAIRS`] that duckdb-kql answers with a null string, which the language does not have.
const NULL_STRING: &str = "join kind=leftouter (exceptions";

/// Of this many queries at least the answers are compared; duckdb-kql refuses some by name.
const COMPARED: usize = 50;

async fn ask(portal: &Harness, query: &str) -> Value {
    let response = portal
        .post("/v1/apps/local/query")
        .header("content-type", "application/json")
        .body(json!({"query": query}).to_string());
    json_of(response.send().await.unwrap()).await
}

/// The answers of duckdb-kql over the same tables.
fn of_duckdb(tables: &Value, queries: &[&str]) -> Vec<Value> {
    const PACKAGES: [&str; 3] = ["duckdb-kql==1.1.2", "duckdb==2.0.1", "pytz==2026.6"];
    const SCRIPT: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/duckdb-kql/answer.py"
    );
    let python = python(env!("CARGO_TARGET_TMPDIR"), "duckdb-kql", &PACKAGES);
    let input = std::env::temp_dir().join(format!("azmon-duckdb-{}.json", std::process::id()));
    std::fs::write(
        &input,
        json!({"tables": tables, "queries": queries}).to_string(),
    )
    .unwrap();
    let output = succeed(
        Command::new(python)
            .arg(SCRIPT)
            .stdin(File::open(&input).unwrap()),
    );
    std::fs::remove_file(&input).unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_agree_with_another_implementation_of_the_language() {
    let portal = Harness::start().await;
    portal.accept(&data()).await;
    let mut tables = serde_json::Map::new();
    for (name, columns) in COPIED {
        let answer = ask(&portal, &format!("{name} | project {columns}")).await;
        assert!(answer["tables"].is_array(), "{name}: {answer:#}");
        tables.insert(name.to_owned(), answer["tables"][0].clone());
    }
    let queries: Vec<&str> = PAIRS.iter().map(|(kql, _)| *kql).chain(MORE).collect();
    let asked = queries.clone();
    let others = tokio::task::spawn_blocking(move || of_duckdb(&tables.into(), &asked));
    let (mut compared, mut differing) = (0, Vec::new());
    for (query, other) in queries.iter().zip(others.await.unwrap()) {
        let Ok(wanted) = serde_json::from_value::<Vec<Vec<Value>>>(other["rows"].clone()) else {
            continue;
        };
        let answer = ask(&portal, query).await;
        let rows: Vec<Vec<Value>> = serde_json::from_value(answer["tables"][0]["rows"].clone())
            .unwrap_or_else(|_| panic!("{query}: {answer:#}"));
        compared += 1;
        let (found, wanted) = (normal(&rows), normal(&wanted));
        if (found != wanted) != query.contains(NULL_STRING) {
            differing.push(format!("{query}\n  portal {found:?}\n  duckdb {wanted:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(compared >= COMPARED, "{compared}");
}

/// The portal's own database, for reading alone.
struct Database {
    directory: PathBuf,
    connection: Connection,
}

impl Database {
    fn open(directory: PathBuf) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(directory.join("portal.db"), flags).unwrap();
        connection.execute_batch(TABLES).unwrap();
        Self {
            directory,
            connection,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
