//! Custom measurements, and the sample rate.

use std::borrow::Cow;

use opentelemetry::Value;

use crate::envelope::Measurements;
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::text;

/// The numbers of `microsoft.custom_measurements`, a JSON object. Values that are not numbers are skipped.
pub(super) fn custom<'a>(attributes: &Attributes<'a>) -> Measurements<'a> {
    let key = Key::MicrosoftCustomMeasurements;
    let object = match attributes.value(key) {
        Some(Value::String(json)) => serde_json::from_str(json.as_str()),
        _ => return Measurements::new(),
    };
    let Ok(serde_json::Value::Object(object)) = object else {
        return Measurements::new();
    };
    attributes.mark_used(key);
    object
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .filter_map(|(name, value)| Some((Cow::Owned(name), value.as_f64()?)))
        .collect()
}

/// The sampling rate in percent. A value is ignored unless it is above 0 and at most 100.
pub(super) fn sample_rate(attributes: &Attributes<'_>) -> Option<f64> {
    [Key::MicrosoftSampleRate, Key::MsSampleRate]
        .into_iter()
        .find_map(|key| {
            let rate = text::to_number(attributes.value(key)?)?;
            let is_valid = rate > 0.0 && rate <= 100.0;
            is_valid.then(|| attributes.mark_used(key)).map(|()| rate)
        })
}
