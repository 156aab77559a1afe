use std::borrow::Cow;
use std::time::SystemTime;

use crate::envelope::{AvailabilityData, Measurements, Properties, SCHEMA_VERSION, TimeSpan};
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;

/// The result of an availability test, and its time if the record has one; `None` if a required part is missing or
/// unreadable.
pub(super) fn availability<'a>(
    attributes: &Attributes<'a>,
) -> Option<(Option<SystemTime>, AvailabilityData<'a>)> {
    let id = attributes.peek(Key::MicrosoftAvailabilityId)?;
    let name = attributes.peek(Key::MicrosoftAvailabilityName)?;
    let duration: TimeSpan = attributes
        .peek(Key::MicrosoftAvailabilityDuration)?
        .parse()
        .ok()?;
    let success = boolean(attributes.peek(Key::MicrosoftAvailabilitySuccess)?)?;
    for used in [
        Key::MicrosoftAvailabilityId,
        Key::MicrosoftAvailabilityName,
        Key::MicrosoftAvailabilityDuration,
        Key::MicrosoftAvailabilitySuccess,
    ] {
        attributes.mark_used(used);
    }
    let optional = |key| attributes.take(key).map(Cow::Borrowed);
    let data = AvailabilityData {
        ver: SCHEMA_VERSION,
        id: Cow::Borrowed(id),
        name: Cow::Borrowed(name),
        duration,
        success,
        run_location: optional(Key::MicrosoftAvailabilityRunLocation),
        message: optional(Key::MicrosoftAvailabilityMessage),
        properties: Properties::new(),
        measurements: Measurements::new(),
    };
    Some((tested_at(attributes), data))
}

fn tested_at(attributes: &Attributes<'_>) -> Option<SystemTime> {
    let key = Key::MicrosoftAvailabilityTestTimestamp;
    let time: jiff::Timestamp = attributes.peek(key)?.parse().ok()?;
    attributes.mark_used(key);
    Some(time.into())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
