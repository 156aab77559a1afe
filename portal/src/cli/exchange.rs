//! `azmon import` and `azmon export`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::Value;

use crate::cli::arguments::{ExportArguments, ExportFormat, ImportArguments};
use crate::cli::client::PortalClient;
use crate::cli::output::{complain, harmless, say};

/// The maximum number of printed errors of a file.
const MAX_SHOWN: usize = 10;

pub(super) async fn import(arguments: ImportArguments) -> Result<(), String> {
    let portal = PortalClient::new(arguments.address)?;
    let mut refused = 0;
    for file in &arguments.files {
        let bytes = read(file)?;
        let request = portal.request(Method::POST, "/api/import", &[]).body(bytes);
        let text = portal
            .send(request)
            .await?
            .text()
            .await
            .map_err(|error| format!("the answer ended early: {error}"))?;
        let answer: Value = serde_json::from_str(&text)
            .map_err(|error| format!("the answer is not JSON: {error}"))?;
        let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
        let (received, accepted) = (number("received"), number("accepted"));
        refused += received.saturating_sub(accepted);
        say(&format!(
            "{}: {accepted} of {received} items",
            file.display()
        ));
        let errors = answer
            .get("errors")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for error in errors.iter().take(MAX_SHOWN) {
            let line = error.get("line").and_then(Value::as_u64).unwrap_or(0);
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            complain(&format!("  line {line}: {}", harmless(message)));
        }
    }
    match refused {
        0 => Ok(()),
        count => Err(format!("{count} items were refused")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(bytes)
}

pub(super) async fn export(arguments: ExportArguments) -> Result<(), String> {
    let portal = PortalClient::new(arguments.address)?;
    let mut query = arguments.filters.query();
    if arguments.format == ExportFormat::Otlp {
        query.push(("format", "otlp".to_owned()));
    }
    let request = portal.request(Method::GET, "/api/export", &query);
    let mut response = portal.send(request).await?;
    let mut output = Output::new(arguments.output.as_deref())?;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| format!("the portal ended: {error}"))?
    {
        output.write(&chunk)?;
    }
    output.finish()
}

enum Output {
    Plain(Box<dyn Write>),
    Compressed(Box<GzEncoder<File>>),
}

impl Output {
    fn new(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else {
            return Ok(Self::Plain(Box::new(io::stdout())));
        };
        let file = File::create(path)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
        Ok(if is_compressed {
            Self::Compressed(Box::new(GzEncoder::new(file, Compression::default())))
        } else {
            Self::Plain(Box::new(file))
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = match self {
            Self::Plain(output) => output.write_all(bytes),
            Self::Compressed(output) => output.write_all(bytes),
        };
        written.map_err(|error| format!("cannot write: {error}"))
    }

    fn finish(self) -> Result<(), String> {
        let finished = match self {
            Self::Plain(mut output) => output.flush(),
            Self::Compressed(output) => output.finish().map(drop),
        };
        finished.map_err(|error| format!("cannot write: {error}"))
    }
}
