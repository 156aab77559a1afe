//! Which requests leave no telemetry: by path, host, method or user agent.
//!
//! One implementation serves incoming and outgoing requests. An entry is plain, or its prefix names its form:
//!
//! | Entry | of a path | of a host | of a user agent |
//! |---|---|---|---|
//! | `text` | the path itself and what is below it: `health` excludes `/health` and `/health/live`, not `/healthz`; `/` only the root | the name; `*.example.com` every name below `example.com`, but not that | contains the text |
//! | `exact:text` | only the path itself | only the name | the whole text |
//! | `glob:text` | `?` one character, `*` any but `/`, `**` any | the same, but `*` any but `.` | the same, but `*` any |
//! | `regex:text` | found anywhere, unless anchored | the same | the same |
//!
//! - Paths are compared as they were sent (nothing is decoded), without the query, and case-sensitively. Leading
//!   slashes of entry and path are ignored, except by `regex:`, which reads the path with them.
//! - Hosts are compared case-insensitively, and an entry may name a port: `localhost:5000`, `*.internal:8443`,
//!   `[::1]:80`. An entry without a port excludes every port. A request without a port has the port of its scheme. A
//!   plain or exact IP address matches every notation of the address. `regex:` reads the name alone.
//! - User agents are compared case-insensitively, by their first 1,024 bytes.
//! - Methods are plain names: `OPTIONS`.
//! - Regular expressions have the syntax of [`regex-lite`](https://docs.rs/regex-lite): linear time, ASCII character
//!   classes. They read the first 512 bytes of a text, because they cost far more than the other forms.
//! - The caller chooses host, user agent and path of an incoming request, and can therefore have its own requests
//!   excluded.
//!
//! [`Exclusions::opencensus`] follows the rules of OpenCensus instead.

mod environment;
mod error;
mod exclusions;
mod form;
mod glob;
mod host;
mod no_spans;
mod opencensus;
mod path;
#[cfg(test)]
mod tests;
mod user_agent;

pub use self::environment::{EXCLUDED_CLIENT_HOSTS, EXCLUDED_HOSTS, EXCLUDED_PATHS};
pub use self::error::ExclusionError;
pub use self::exclusions::{Exclusions, Subject};
pub use self::no_spans::records_no_spans;
#[doc(hidden)]
pub use self::no_spans::{is_excluded, without_spans};
