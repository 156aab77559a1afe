//! JSON of items, as serde_json writes it, but with a quick look at texts: nearly none of them needs an escape.

mod line;
mod serializer;

pub(crate) use self::line::{Clock, JsonLine, hex_digits};
pub(crate) use self::serializer::append;
