//! The line that is written directly from a record equals the line of its envelope.

mod calls;
mod compare;
mod generated;
mod requests;
