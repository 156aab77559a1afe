//! The portal's readers without sockets and database, for tests that give them hostile input.

use std::time::SystemTime;

use bytes::Bytes;

use crate::api::read_file;
use crate::ingestion::read;
use crate::otlp::{Message, OtlpReceiver, read_line};
use crate::store::{Item, NewItem, prepare};

/// The outcome of a readable input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The number of items in the input.
    pub received: usize,
    /// The number of items that would be stored.
    pub accepted: usize,
}

/// Reads a body as `/v2.1/track` does.
///
/// # Errors
/// Fails with the response's message if the body contains no item.
pub fn track(body: Vec<u8>, encoding: Option<&str>) -> Result<Outcome, String> {
    let read = read(Bytes::from(body), encoding)?;
    outcome(read.received, read.items)
}

/// Reads a file as `/api/import` does. Blocks its thread, which must be in the context of a Tokio runtime.
///
/// # Errors
/// Fails with the response's message if the file cannot be read to its end.
pub fn import(file: Vec<u8>) -> Result<Outcome, String> {
    let (mut received, mut items) = (0, Vec::new());
    let mut failure = None;
    read_file(&Bytes::from(file), Some(&read_line), &mut |chunk| {
        match chunk {
            Ok((found, _, count)) => {
                received += count;
                items.extend(found);
            }
            Err(message) => failure = Some(message),
        }
        Ok(())
    });
    match failure {
        Some(message) => Err(message),
        None => outcome(received, items),
    }
}

/// Receives OTLP over HTTP, one message after the other.
#[derive(Debug, Default)]
pub struct Otlp(OtlpReceiver);

impl Otlp {
    /// Reads a message that was sent to this path, such as `/v1/traces`.
    ///
    /// # Errors
    /// Fails with the status and the body of the response if the message is rejected.
    pub async fn receive(
        &self,
        path: &'static str,
        content_type: &'static str,
        encoding: Option<&'static str>,
        body: Vec<u8>,
    ) -> Result<Outcome, String> {
        let message = Message {
            path,
            content_type,
            encoding,
            body,
        };
        let converted = self.0.receive(message).await?;
        let rejected = usize::try_from(converted.rejected).unwrap_or(usize::MAX);
        outcome(
            converted.items.len().saturating_add(rejected),
            converted.items,
        )
    }
}

/// Performs all steps before an item is written, and reads the item back.
fn outcome(received: usize, items: Vec<NewItem>) -> Result<Outcome, String> {
    let accepted = items.len();
    for json in prepare(items, SystemTime::now()) {
        Item::read(1, 0, json.into())
            .map_err(|error| format!("an accepted item cannot be read again: {error}"))?;
    }
    Ok(Outcome { received, accepted })
}
