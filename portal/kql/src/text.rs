//! Values as text: the result of `tostring`, and the content of a cell.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::value::{Value, empty, guid_text, real_text};
use crate::{json, time};

impl Value {
    /// The result of `tostring`: "" for null, compact JSON for arrays and bags.
    #[must_use]
    pub fn to_text(&self) -> Arc<str> {
        match self {
            Self::Null => empty(),
            Self::String(text) => text.clone(),
            other => {
                let mut text = String::new();
                other.write_text(&mut text);
                Arc::from(text)
            }
        }
    }

    pub(crate) fn write_text(&self, out: &mut String) {
        match self {
            Self::Null => {}
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Long(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Real(value) => out.push_str(&real_text(*value)),
            Self::Decimal(value) => {
                let _ = write!(out, "{value}");
            }
            Self::String(text) => out.push_str(text),
            Self::DateTime(ticks) => out.push_str(&time::datetime_text(*ticks)),
            Self::TimeSpan(ticks) => out.push_str(&time::timespan_text(*ticks)),
            Self::Guid(guid) => out.push_str(&guid_text(*guid)),
            Self::Array(_) | Self::Bag(_) => json::write(self, out),
        }
    }
}
