//! Receiving telemetry: `POST /v2.1/track` and `/v2/track`, answered as Application Insights answers.
//!
//! ```text
//! body ─► decode ─► split ─► judge, item by item ─► store, committed
//!          gzip      JSON array,    │                └► answer: 200, 206 with errors, 400, 429, 503
//!                    object, NDJSON └ refused, with the field that is wrong
//! ```
//! Any content type is taken, and none: real clients send three. Any instrumentation key is taken except
//! an empty one.
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | Body as sent | [`MAX_BODY`], 32 MiB | 413 |
//! | Body decompressed | [`MAX_DECODED`], 64 MiB | 413 |
//! | Items of a body | [`MAX_ITEMS`], 64,000 | 413 |
//! | One item | [`MAX_ITEM`], 64 KiB | the item is refused, with status 400 |
//!
//! **200 means kept**: the accepted items are committed to the database and can be read. A batch that cannot be kept
//! now is answered 429 (too much waits for the writer) or 503 (the disk is full, the database failed), with
//! `Retry-After`; SDKs keep it and try again. Three bodies are decompressed and read at a time, which bounds the memory
//! that they take together.
//!
//! The last two are documented limits of the service. It documents none for a body, so those two are this
//! crate's, far above what any client sends. Unlike the service, an item of any age is taken: telemetry that is
//! replayed from a file is welcome here.

mod answer;
mod decode;
mod judge;
mod split;
mod track;

pub(crate) use self::judge::judge;
pub(crate) use self::track::{read, read_body, routes};

/// The portal takes any key; this one is what it tells people to use.
pub(crate) const INSTRUMENTATION_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// The largest body, in bytes, as it is sent.
pub const MAX_BODY: usize = 32 * 1_024 * 1_024;
/// The largest body, in bytes, after decompression.
pub const MAX_DECODED: usize = 64 * 1_024 * 1_024;
/// The most items of one body.
pub const MAX_ITEMS: usize = 64_000;
/// The largest item, in bytes of JSON.
pub const MAX_ITEM: usize = 64 * 1_024;
