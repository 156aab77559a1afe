//! `/api/import` and `/api/export`: files of envelopes, for sharing the data of an incident.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::ops::ControlFlow;

use axum::Json;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::api::ask::Ask;
use crate::api::items::of_problem;
use crate::api::otlp_json::OtlpJson;
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::api::{Context, OtlpReader};
use crate::ingestion::{MAX_DECODED, read_body};
use crate::server::ApiError;
use crate::store::{ItemFilter, NewItem, Order};

/// The maximum size of a file as sent, in bytes.
const MAX_FILE: usize = 128 * 1_024 * 1_024;
/// The maximum length of a line, in bytes: an envelope has at most 64 KiB, but one line of an OpenTelemetry
/// export may have thousands of spans.
const MAX_LINE: u64 = 16 * 1_024 * 1_024;
/// The maximum size of a decompressed file, in bytes.
const MAX_EXPANDED: u64 = 4 * 1_024 * 1_024 * 1_024;
/// The number of lines that are written together.
const CHUNK: usize = 2_000;
/// The maximum number of reported errors.
const MAX_ERRORS: usize = 100;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_FILE)
}

#[derive(Debug, Serialize)]
pub(crate) struct ImportError {
    line: usize,
    message: String,
}

#[derive(Debug, Serialize)]
struct Imported {
    files: usize,
    received: usize,
    accepted: usize,
    errors: Vec<ImportError>,
}

/// The lines of a file, read on a blocking thread.
pub(crate) type Chunk = Result<(Vec<NewItem>, Vec<ImportError>, usize), String>;

pub(super) async fn import(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    let (chunks, mut read) = mpsc::channel::<Chunk>(1);
    let otlp = context.otlp.clone();
    let reading = tokio::task::spawn_blocking(move || {
        read_file(&body, otlp.as_deref(), &mut |chunk| {
            chunks
                .blocking_send(chunk)
                .map_err(|_| "the request has ended".to_owned())
        });
    });
    let mut imported = Imported {
        files: 1,
        received: 0,
        accepted: 0,
        errors: Vec::new(),
    };
    while let Some(chunk) = read.recv().await {
        let (items, errors, received) = chunk.map_err(ApiError::bad_request)?;
        imported.received += received;
        imported.accepted += items.len();
        let room = MAX_ERRORS.saturating_sub(imported.errors.len());
        imported.errors.extend(errors.into_iter().take(room));
        // A file upload waits for room, unlike telemetry of a client.
        append_patiently(&context, items).await?;
    }
    reading
        .await
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Json(imported).into_response())
}

async fn append_patiently(context: &Context, items: Vec<NewItem>) -> Result<(), ApiError> {
    Ok(context.store.append(items).await?)
}

/// Takes some lines of a file; an error ends the reading.
type Chunks<'a> = dyn FnMut(Chunk) -> Result<(), String> + 'a;

/// Reads a file of envelopes or OTLP JSON, gzip or not. The last chunk may be an error.
pub(crate) fn read_file(body: &Bytes, otlp: Option<&OtlpReader>, chunks: &mut Chunks<'_>) {
    let mut reader: Box<dyn BufRead> = if body.starts_with(GZIP_MAGIC) {
        Box::new(BufReader::new(
            MultiGzDecoder::new(Cursor::new(body.clone())).take(MAX_EXPANDED),
        ))
    } else {
        Box::new(Cursor::new(body.clone()))
    };
    if let Err(message) = read_lines(&mut reader, otlp, chunks) {
        // Sending fails only after the request has ended.
        let _ = chunks(Err(message));
    }
}

fn read_lines(
    reader: &mut dyn BufRead,
    otlp: Option<&OtlpReader>,
    chunks: &mut Chunks<'_>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the file cannot be read: {error}");
    let first = reader.fill_buf().map_err(failed)?;
    let is_array = first
        .iter()
        .find(|byte| !byte.is_ascii_whitespace() && !matches!(**byte, 0xef | 0xbb | 0xbf))
        == Some(&b'[');
    if is_array {
        let mut whole = Vec::new();
        reader
            .take(MAX_DECODED as u64 + 1)
            .read_to_end(&mut whole)
            .map_err(failed)?;
        if whole.len() > MAX_DECODED {
            return Err(format!(
                "a JSON array is larger than {MAX_DECODED} bytes; give one envelope a line"
            ));
        }
        let read = read_body(&whole).map_err(|error| error.to_string())?;
        let errors = read.errors.into_iter().map(|refused| ImportError {
            line: refused.index + 1,
            message: refused.message,
        });
        let chunk = (read.items, errors.collect(), read.received);
        return chunks(Ok(chunk));
    }
    let (mut items, mut errors, mut received) = (Vec::new(), Vec::new(), 0);
    for line in 1.. {
        let mut bytes = Vec::new();
        let length = reader
            .take(MAX_LINE)
            .read_until(b'\n', &mut bytes)
            .map_err(failed)?;
        if length == 0 {
            break;
        }
        if length as u64 == MAX_LINE {
            return Err(format!("line {line} is longer than {MAX_LINE} bytes"));
        }
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match otlp.and_then(|otlp| otlp(text)) {
            Some(Ok(found)) => {
                received += found.len();
                items.extend(found);
            }
            Some(Err(message)) => {
                received += 1;
                errors.push(ImportError { line, message });
            }
            None => match read_body(text) {
                Ok(read) => {
                    received += read.received;
                    items.extend(read.items);
                    errors.extend(read.errors.into_iter().map(|refused| ImportError {
                        line,
                        message: refused.message,
                    }));
                }
                Err(error) => {
                    received += 1;
                    errors.push(ImportError {
                        line,
                        message: error.to_string(),
                    });
                }
            },
        }
        if items.len() >= CHUNK {
            let chunk = (
                std::mem::take(&mut items),
                std::mem::take(&mut errors),
                std::mem::take(&mut received),
            );
            chunks(Ok(chunk))?;
        }
    }
    chunks(Ok((items, errors, received)))
}

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Envelopes,
    Otlp,
}

const OWN: [&str; 7] = [
    "format",
    "operation",
    "problem",
    "op",
    "target",
    "duration",
    "success",
];

/// Matching items in the order of arrival: as they were sent, one a line, or as OTLP JSON, some thousand a line.
pub(super) async fn export(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SEARCHED, &OWN])?;
    let format = match parameters.get("format") {
        None | Some("envelopes") => Format::Envelopes,
        Some("otlp") => Format::Otlp,
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "format {other:?} is none of envelopes, otlp"
            )));
        }
    };
    let filter = context
        .store
        .read(move |reader| {
            let mut filter = Ask::new(reader, &parameters)?.filter(&parameters)?;
            of_problem(reader, &parameters, &mut filter)?;
            Ok::<_, ApiError>(filter)
        })
        .await?;
    let pages = stream::try_unfold(
        (context, filter, Some(0)),
        move |(context, filter, after)| async move {
            let Some(after) = after else { return Ok(None) };
            let (text, last) = page(&context, filter.clone(), format, after).await?;
            Ok::<_, std::io::Error>(Some((Bytes::from(text), (context, filter, last))))
        },
    );
    let disposition = match format {
        Format::Envelopes => "attachment; filename=\"azmon.ndjson\"",
        Format::Otlp => "attachment; filename=\"azmon-otlp.jsonl\"",
    };
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// One page of lines, and the id after which the next page starts.
async fn page(
    context: &Context,
    filter: ItemFilter,
    format: Format,
    after: i64,
) -> Result<(String, Option<i64>), std::io::Error> {
    const MAX_PAGE: usize = 4 * 1_024 * 1_024;
    let read = context.store.read(move |reader| {
        let (mut text, mut last, mut is_over) = (String::new(), after, true);
        let (mut otlp, mut size) = (OtlpJson::default(), 0);
        let scanned = reader.matching(&filter, Order::ArrivedAfter(after), &mut |item, row| {
            size += item.json().len();
            match format {
                Format::Envelopes => {
                    text.push_str(&compact(item.json()));
                    text.push('\n');
                }
                Format::Otlp => otlp.add(&item),
            }
            last = row.id;
            if size < MAX_PAGE {
                return ControlFlow::Continue(());
            }
            is_over = false;
            ControlFlow::Break(())
        })?;
        // Rows that were checked without a match are not checked again.
        if scanned.is_cut {
            is_over = false;
            last = last.max(scanned.last);
        }
        text.push_str(&otlp.into_lines());
        Ok::<_, rusqlite::Error>((text, (!is_over).then_some(last)))
    });
    read.await.map_err(std::io::Error::other)
}

/// One line: the removed line breaks only occur between JSON tokens.
fn compact(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}
