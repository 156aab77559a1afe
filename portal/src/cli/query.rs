//! `azmon query`: runs a KQL query in a portal or over a file, and prints the rows.

use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use azmon_portal::Portal;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::arguments::{PortalAddress, QueryArguments, QueryFormat};
use crate::cli::client::PortalClient;
use crate::cli::output::{complain, harmless, say};

/// The maximum number of characters in a table cell.
const MAX_CELL: usize = 60;

pub(super) async fn run(arguments: QueryArguments) -> Result<(), String> {
    let Some(file) = &arguments.file else {
        let portal = PortalClient::new(arguments.address.clone())?;
        return ask(&portal, &arguments).await;
    };
    let opened = Opened::new(file).await?;
    let address = PortalAddress {
        portal: opened.portal.url(),
        token: None,
    };
    let portal = PortalClient::new(address)?;
    let answered = match &opened.import {
        Some(file) => load(&portal, file).await,
        None => Ok(()),
    };
    let answered = match answered {
        Ok(()) => ask(&portal, &arguments).await,
        Err(message) => Err(message),
    };
    opened.portal.shutdown().await;
    answered
}

/// A private portal over a file.
struct Opened {
    portal: Portal,
    /// The file to import first.
    import: Option<PathBuf>,
    /// A copy of a database with another name. It is removed at the end.
    _copy: Option<Copy>,
}

struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        // The system removes remaining files from its directory for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DATABASE: &str = "portal.db";
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

impl Opened {
    async fn new(file: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot read {}: {error}", file.display());
        let is_directory = fs::metadata(file).map_err(failed)?.is_dir();
        let mut copy = None;
        let directory = if is_directory {
            let database = file.join(DATABASE);
            fs::metadata(&database)
                .map_err(|error| format!("cannot read {}: {error}", database.display()))?;
            Some(file.to_owned())
        } else if starts_with(file, SQLITE_MAGIC).map_err(failed)? {
            if file.file_name().is_some_and(|name| name == DATABASE) {
                let parent = file.parent().filter(|parent| *parent != Path::new(""));
                Some(parent.unwrap_or_else(|| Path::new(".")).to_owned())
            } else {
                let name = format!(
                    "azmon-query-{}-{:016x}",
                    std::process::id(),
                    fastrand::u64(..)
                );
                let directory = std::env::temp_dir().join(name);
                fs::create_dir(&directory).map_err(failed)?;
                copy = Some(Copy(directory.clone()));
                fs::copy(file, directory.join(DATABASE)).map_err(failed)?;
                Some(directory)
            }
        } else {
            None
        };
        // A query must not remove items.
        let mut builder = Portal::builder().max_bytes(u64::MAX);
        let import = match directory {
            Some(directory) => {
                builder = builder.data_directory(directory);
                None
            }
            None => Some(file.to_owned()),
        };
        let portal = builder
            .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self {
            portal,
            import,
            _copy: copy,
        })
    }
}

fn starts_with(file: &Path, magic: &[u8]) -> io::Result<bool> {
    let mut start = Vec::new();
    fs::File::open(file)?
        .take(magic.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start == magic)
}

/// Imports a file. Lines that are not telemetry are reported, and do not prevent the query.
async fn load(portal: &PortalClient, file: &Path) -> Result<(), String> {
    let bytes =
        fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let request = portal.request(Method::POST, "/api/import", &[]).body(bytes);
    let text = portal
        .send(request)
        .await?
        .text()
        .await
        .map_err(|error| format!("the file was not read to its end: {error}"))?;
    let answer: Value =
        serde_json::from_str(&text).map_err(|error| format!("the answer is not JSON: {error}"))?;
    let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (received, accepted) = (number("received"), number("accepted"));
    if accepted == 0 {
        let message = answer.pointer("/errors/0/message").map(text_of);
        let message = message.unwrap_or_else(|| "it is empty".to_owned());
        return Err(format!(
            "{} has no telemetry: {}",
            file.display(),
            harmless(&message)
        ));
    }
    if accepted < received {
        complain(&format!(
            "warning: {}: {} of {received} items cannot be read",
            file.display(),
            received - accepted
        ));
    }
    Ok(())
}

async fn ask(portal: &PortalClient, arguments: &QueryArguments) -> Result<(), String> {
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
