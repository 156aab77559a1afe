//! What both layers do with an exchange that is under way: the future, the body, and their ends.

mod body;
mod end;
mod future;
mod observer;
mod panic_mark;
mod scope;

pub use self::body::ResponseBody;
#[cfg(feature = "axum")]
pub use self::end::AxumBody;
pub use self::end::{AtBodyEnd, AtHeaders, SpanEnd};
pub use self::future::ResponseFuture;

pub(crate) use self::future::Recording;
pub(crate) use self::observer::Observer;
pub(crate) use self::panic_mark::PanicMark;
pub(crate) use self::scope::Scope;
