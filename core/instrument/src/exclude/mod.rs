//! Which requests leave no telemetry: by path, host, method or user agent.
//!
//! One implementation for incoming and outgoing requests. An entry is plain, or names its form:
//!
//! | Entry | of a path | of a host | of a user agent |
//! |---|---|---|---|
//! | `text` | the path itself and what is below it: `health` excludes `/health` and `/health/live`, not `/healthz`; `/` only the root | the name; `*.example.com` every name below `example.com`, but not that | contains the text |
//! | `exact:text` | only the path itself | only the name | the whole text |
//! | `glob:text` | `?` one character, `*` any but `/`, `**` any | the same, but `*` any but `.` | the same, but `*` any |
//! | `regex:text` | found anywhere, unless anchored | the same | the same |
//!
//! - Paths are compared as they were sent (nothing is decoded), without the query, with their case. Leading
//!   slashes of entry and path do not matter, except to `regex:`, which sees the path with them.
//! - Hosts are compared without case, and may name a port: `localhost:5000`, `*.internal:8443`,
//!   `[::1]:80`. Without one, every port is excluded. A request without a port has that of its scheme. A plain
//!   or exact address is compared as an address, however it is written. `regex:` sees the name alone.
//! - User agents are compared without case, by their first 1,024 bytes.
//! - Methods are plain names: `OPTIONS`.
//! - Regular expressions are those of [`regex-lite`](https://docs.rs/regex-lite): linear time, and ASCII. They
//!   see the first 512 bytes of a text, since they cost more than the other forms by far.
//! - Host, user agent and path of an incoming request are chosen by its caller, who can so be excluded at will.
//!
//! [`Exclusions::opencensus`] has the other rules, of OpenCensus.

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
