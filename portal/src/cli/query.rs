//! `azmon query`: runs a KQL query in a portal, and prints the rows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::arguments::{QueryArguments, QueryFormat};
use crate::cli::client::PortalClient;
use crate::cli::output::{harmless, say};

/// The maximum number of characters in a table cell.
const MAX_CELL: usize = 60;

pub(super) async fn run(arguments: QueryArguments) -> Result<(), String> {
    let portal = PortalClient::new(arguments.address)?;
    let path = format!(
        "/v1/apps/{}/query",
        arguments.app.as_deref().unwrap_or("local")
    );
    let body = json!({"query": arguments.query, "timespan": arguments.timespan});
    let request = portal
        .request(Method::POST, &path, &[])
        .header("content-type", "application/json")
        .body(body.to_string());
    let response = portal.send(request).await?;
    let text = response
        .text()
        .await
        .map_err(|error| format!("the answer ended early: {error}"))?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|error| format!("the answer is not JSON: {error}"))?;
    let table = answer
        .pointer("/tables/0")
        .ok_or("the answer has no table")?;
    let names: Vec<String> = list(table, "columns")
        .iter()
        .map(|column| text_of(&column["name"]))
        .collect();
    let rows = list(table, "rows");
    match arguments.format {
        QueryFormat::Table => show_table(&names, rows),
        QueryFormat::Csv => show_csv(&names, rows),
        QueryFormat::Json => rows.iter().for_each(|row| {
            let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
            let members = names.iter().cloned().zip(cells.iter().cloned());
            say(&Value::Object(members.collect()).to_string());
        }),
    }
    if let Some(error) = answer.pointer("/error/details/0/message") {
        return Err(text_of(error));
    }
    if arguments.fail_if_any && !rows.is_empty() {
        return Err(format!("the query gives {} rows", rows.len()));
    }
    Ok(())
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cells(row: &Value) -> Vec<String> {
    row.as_array()
        .map(|cells| cells.iter().map(text_of).collect())
        .unwrap_or_default()
}

fn show_table(names: &[String], rows: &[Value]) {
    let shown = |text: &String| -> String {
        let text = harmless(text);
        match text.chars().count() > MAX_CELL {
            true => text.chars().take(MAX_CELL - 1).chain(['…']).collect(),
            false => text,
        }
    };
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| cells(row).iter().map(shown).collect())
        .collect();
    let width = |column: usize| {
        let cells = lines
            .iter()
            .filter_map(|line| line.get(column))
            .chain(names.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    say(&line(names));
    say(&widths
        .iter()
        .map(|width| "-".repeat(*width))
        .collect::<Vec<_>>()
        .join("  "));
    lines.iter().for_each(|cells| say(&line(cells)));
}

fn show_csv(names: &[String], rows: &[Value]) {
    let line = |cells: &[String]| {
        let fields: Vec<String> = cells
            .iter()
            .map(|cell| match cell.contains([',', '"', '\n', '\r']) {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            })
            .collect();
        fields.join(",")
    };
    say(&line(names));
    rows.iter().for_each(|row| say(&line(&cells(row))));
}
