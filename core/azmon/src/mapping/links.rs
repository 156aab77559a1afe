//! Links: the property `_MS.links`, and the time that messages spent in the queue.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::Link;

use crate::mapping::Arena;
use crate::mapping::text;

/// The measurement of the mean time, in milliseconds, that a consumer's messages spent in the queue.
pub(super) const TIME_SINCE_ENQUEUED: &str = "timeSinceEnqueued";

/// Maximum number of links: their JSON stays below the limit of a property's value and is never cut.
const MAX_LINKS: usize = 100;

/// Attribute of a link: the time at which its message was enqueued, in milliseconds since 1970.
const ENQUEUED_TIME: &str = "enqueuedTime";

/// The links as compact JSON, for the property `_MS.links`.
pub(super) fn json<'a>(links: &[Link], arena: &'a Arena) -> Option<&'a str> {
    if links.is_empty() {
        return None;
    }
    let links = links.get(..MAX_LINKS).unwrap_or(links);
    let mut json = arena.string(82 * links.len() + 2);
    for link in links {
        let context = &link.span_context;
        json.push_str(if json.is_empty() { "[" } else { "," });
        json.push_str(r#"{"operation_Id":""#);
        json.push_str(arena.hex(context.trace_id().to_bytes()));
        json.push_str(r#"","id":""#);
        json.push_str(arena.hex(context.span_id().to_bytes()));
        json.push_str(r#""}"#);
    }
    json.push(']');
    Some(json.into_bump_str())
}

/// The mean time that the messages spent in the queue, in milliseconds, over the links that have an enqueued time. A
/// clock that is behind yields 0, not a negative time.
pub(super) fn time_since_enqueued(links: &[Link], start: SystemTime) -> Option<f64> {
    let start = milliseconds_since_1970(start);
    let (count, sum) = links
        .iter()
        .filter_map(enqueued_time)
        .fold((0.0, 0.0), |(count, sum), enqueued| {
            (count + 1.0, sum + (start - enqueued))
        });
    (count > 0.0).then(|| (sum / count).max(0.0))
}

fn enqueued_time(link: &Link) -> Option<f64> {
    link.attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key.as_str() == ENQUEUED_TIME)
        .and_then(|attribute| text::to_number(&attribute.value))
        .filter(|time| time.is_finite() && *time > 0.0)
}

fn milliseconds_since_1970(time: SystemTime) -> f64 {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => milliseconds(since),
        Err(before) => -milliseconds(before.duration()),
    }
}
