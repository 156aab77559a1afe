//! The lines of usual requests and calls, written directly from their records, without attributes and an envelope.
//!
//! Invariant: the line of a record that [`PlainRequest::of`] or [`PlainCall::of`] accepts equals the serialised envelope
//! of [`Mapper::map`](crate::mapping::Mapper). The mapper handles all other records.

mod call;
mod conditions;
mod request;
mod span;

pub(crate) use self::call::PlainCall;
pub(super) use self::call::target;
pub(crate) use self::request::PlainRequest;
