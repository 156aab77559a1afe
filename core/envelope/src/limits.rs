//! The service's limits, in UTF-16 code units, and the one function that cuts to them.
//!
//! The service is written in .NET, which counts text in UTF-16 code units: a character outside the Basic Multilingual
//! Plane, such as `🦀`, counts as two.
//!
//! Sources: the ingestion schema as the official exporters apply it, and the documented service
//! limits of Application Insights.

use std::borrow::Cow;

/// Longest instrumentation key.
pub const INSTRUMENTATION_KEY: usize = 40;
/// Longest key of a property or a measurement; a longer one is dropped with its value.
pub const KEY: usize = 150;
/// Longest property value.
pub const PROPERTY_VALUE: usize = 8_192;
/// Longest value of a property that carries generative AI content: see [`GEN_AI_CONTENT_KEYS`].
pub const GEN_AI_CONTENT: usize = 256 * 1_024;
/// Longest id of a request, dependency or availability result.
pub const ID: usize = 512;
/// Longest name of a request, dependency, availability result or page view.
pub const NAME: usize = 1_024;
/// Longest name of a custom event.
pub const EVENT_NAME: usize = 512;
/// Longest URL of a request or a page view.
pub const URL: usize = 2_048;
/// Longest result code, source, dependency type or target.
pub const SHORT_TEXT: usize = 1_024;
/// Longest dependency data: a command, a statement, a URL.
pub const DEPENDENCY_DATA: usize = 8_192;
/// Longest message of a trace or an exception, and longest stack.
pub const MESSAGE: usize = 32_768;
/// Most frames of a parsed stack.
pub const STACK_FRAMES: usize = 100;
/// Longest message of an availability result.
pub const AVAILABILITY_MESSAGE: usize = 8_192;
/// Longest name of a metric.
pub const METRIC_NAME: usize = 1_024;
/// Longest namespace of a metric.
pub const METRIC_NAMESPACE: usize = 256;

/// Properties whose values may have [`GEN_AI_CONTENT`] characters.
pub const GEN_AI_CONTENT_KEYS: [&str; 7] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.evaluation.explanation",
];

/// Replaces an empty text that the service requires, as the official distributions do.
pub const NOT_AVAILABLE: &str = "n/a";

/// The maximum length of the value of a property, by its key.
#[must_use]
pub fn property_value(key: &str) -> usize {
    if key.starts_with("gen_ai.") && GEN_AI_CONTENT_KEYS.contains(&key) {
        GEN_AI_CONTENT
    } else {
        PROPERTY_VALUE
    }
}

/// Cuts `text` to its first characters that take at most `max` UTF-16 code units together.
///
/// Borrowed text is re-sliced, owned text truncated: neither allocates.
pub fn truncate(text: &mut Cow<'_, str>, max: usize) {
    if text.len() <= max {
        return;
    }
    let mut units = 0;
    let mut beyond = text.char_indices().skip_while(|(_, character)| {
        units += character.len_utf16();
        units <= max
    });
    let Some((end, _)) = beyond.next() else {
        return;
    };
    match text {
        Cow::Borrowed(borrowed) => *borrowed = &borrowed[..end],
        Cow::Owned(owned) => owned.truncate(end),
    }
}

/// [`truncate`] for a required text. The service refuses an item whose required text is empty, so [`NOT_AVAILABLE`]
/// replaces it.
pub(super) fn truncate_required(text: &mut Cow<'_, str>, max: usize) {
    truncate(text, max);
    if text.is_empty() {
        *text = Cow::Borrowed(NOT_AVAILABLE);
    }
}

/// [`truncate`] for a field that may be absent.
pub fn truncate_option(text: &mut Option<Cow<'_, str>>, max: usize) {
    if let Some(text) = text {
        truncate(text, max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_within_the_limit_is_untouched() {
        let mut text = Cow::Borrowed("héllo");
        truncate(&mut text, 5);
        assert_eq!(text, "héllo");
    }

    #[test]
    fn text_is_cut_between_characters_not_inside_one() {
        for (max, expected) in [
            (0, ""),
            (1, "a"),
            (2, "a世"),
            (3, "a世"),
            (4, "a世🦀"),
            (5, "a世🦀é"),
        ] {
            let mut borrowed = Cow::Borrowed("a世🦀é");
            truncate(&mut borrowed, max);
            assert_eq!(borrowed, expected);
            assert!(matches!(borrowed, Cow::Borrowed(_)));

            let mut owned: Cow<'_, str> = Cow::Owned("a世🦀é".to_owned());
            truncate(&mut owned, max);
            assert_eq!(owned, borrowed);
        }
    }

    #[test]
    fn a_required_text_is_never_empty() {
        let mut text = Cow::Borrowed("");
        truncate_required(&mut text, 10);
        assert_eq!(text, "n/a");
    }

    #[test]
    fn generative_ai_content_may_be_longer() {
        assert_eq!(property_value("gen_ai.input.messages"), GEN_AI_CONTENT);
        assert_eq!(property_value("gen_ai.request.model"), PROPERTY_VALUE);
    }
}
