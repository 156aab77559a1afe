//! Receives telemetry: `POST /v2.1/track` and `/v2/track`, with the responses of Application Insights.
//!
//! ```text
//! body ─► decode ─► split ─► judge, item by item ─► store, committed
//!          gzip      JSON array,    │                └► answer: 200, 206 with errors, 400, 429, 503
//!                    object, NDJSON └ refused, with the field that is wrong
//! ```
//! Any content type is accepted, and also none: real clients send three. Any instrumentation key is accepted
//! except an empty one.
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | Body as sent | [`MAX_BODY`], 32 MiB | 413 |
//! | Body decompressed | [`MAX_DECODED`], 64 MiB | 413 |
//! | Items of a body | [`MAX_ITEMS`], 64,000 | 413 |
//! | One item | [`MAX_ITEM`], 64 KiB | the item is refused, with status 400 |
//!
//! **200 means stored**: the accepted items are committed to the database and can be read. A batch that cannot be
//! stored now is answered with 429 (the writer's queue is full) or 503 (the disk is full, or the database
//! failed), with `Retry-After`; SDKs keep the batch and try again. Three bodies are decompressed and parsed at a
//! time, which bounds their memory.
//!
//! The last two are documented limits of the service. The service documents no limits for a body, so the first
//! two are this crate's, far above the bodies of any client. Unlike the service, the portal accepts an item of
//! any age, so that telemetry can be replayed from a file.

mod answer;
mod decode;
mod judge;
mod split;
mod track;

pub(crate) use self::judge::judge;
pub(crate) use self::track::{read, read_body, routes};

/// The portal accepts any instrumentation key. This one is in its connection string.
pub(crate) const INSTRUMENTATION_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// The maximum size of a body as sent, in bytes.
pub const MAX_BODY: usize = 32 * 1_024 * 1_024;
/// The maximum size of a decompressed body, in bytes.
pub const MAX_DECODED: usize = 64 * 1_024 * 1_024;
/// The maximum number of items in one body.
pub const MAX_ITEMS: usize = 64_000;
/// The maximum size of an item, in bytes of JSON.
pub const MAX_ITEM: usize = 64 * 1_024;
