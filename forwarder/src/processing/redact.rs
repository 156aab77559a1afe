use std::borrow::Cow;

use azmon::envelope::{Data, Envelope};
use regex_lite::Regex;

use crate::config::Redaction;
use crate::processing::glob::Glob;

/// The replacement for redacted text.
const REDACTED: &str = "[redacted]";

/// Redacts texts.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    properties: Vec<Glob>,
    remove: Vec<Glob>,
    patterns: Vec<Regex>,
}

impl Redactor {
    /// Ignores invalid patterns: validation rejects a configuration that has one.
    pub(super) fn new(redaction: &Redaction) -> Self {
        let globs = |patterns: &[String]| patterns.iter().map(|one| Glob::new(one)).collect();
        let patterns = redaction.patterns.iter();
        Self {
            properties: globs(&redaction.properties),
            remove: globs(&redaction.remove),
            patterns: patterns.filter_map(|one| Regex::new(one).ok()).collect(),
        }
    }

    pub(super) fn redact(&self, envelope: &mut Envelope<'static>) {
        let Self {
            properties,
            remove,
            patterns,
        } = self;
        if !(properties.is_empty() && remove.is_empty() && patterns.is_empty()) {
            let has = |globs: &[Glob], key: &str| globs.iter().any(|glob| glob.matches(key));
            envelope.data.properties_mut().retain(|key, value| {
                if has(properties, key) {
                    *value = Cow::Borrowed(REDACTED);
                }
                self.replace(value);
                !has(remove, key)
            });
        }
        if !patterns.is_empty() {
            self.redact_texts(&mut envelope.data);
        }
    }

    fn redact_texts(&self, data: &mut Data<'static>) {
        let replace = |text: &mut Cow<'static, str>| self.replace(text);
        match data {
            Data::Request(data) => {
                replace(&mut data.name);
                data.url.iter_mut().for_each(replace);
            }
            Data::RemoteDependency(data) => {
                replace(&mut data.name);
                data.data.iter_mut().for_each(replace);
                data.target.iter_mut().for_each(replace);
            }
            Data::Exception(data) => {
                for exception in &mut data.exceptions {
                    replace(&mut exception.message);
                    exception.stack.iter_mut().for_each(replace);
                }
            }
            Data::Message(data) => replace(&mut data.message),
            Data::Event(data) => replace(&mut data.name),
            Data::Availability(data) => {
                replace(&mut data.name);
                data.message.iter_mut().for_each(replace);
            }
            Data::PageView(data) => data.url.iter_mut().for_each(replace),
            Data::PageViewPerf(data) => data.page.url.iter_mut().for_each(replace),
            // A metric's name contains no user data.
            Data::Metric(_) => {}
        }
    }

    fn replace(&self, text: &mut Cow<'static, str>) {
        for pattern in &self.patterns {
            if let Cow::Owned(replaced) = pattern.replace_all(text, REDACTED) {
                *text = Cow::Owned(replaced);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use azmon::envelope::{Measurements, MessageData, Properties};

    use super::*;

    #[test]
    fn properties_and_texts_are_redacted() {
        let mut properties = Properties::new();
        properties.push("db.Password", "secret");
        properties.push("card", "4111111111111111");
        properties.push("internal.id", "7");
        let mut envelope = Envelope::new(
            SystemTime::UNIX_EPOCH,
            Data::Message(MessageData {
                ver: 2,
                message: "paid by 4111111111111111.".into(),
                severity_level: None,
                properties,
                measurements: Measurements::new(),
            }),
        );
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let redaction = Redaction {
            properties: texts(&["*password*"]),
            remove: texts(&["internal.*"]),
            patterns: texts(&[r"\d{16}"]),
        };
        Redactor::new(&redaction).redact(&mut envelope);
        let Data::Message(data) = envelope.data else {
            panic!()
        };
        assert_eq!(data.message, "paid by [redacted].");
        let properties: Vec<_> = data.properties.iter().collect();
        assert_eq!(properties.len(), 2);
        assert!(properties.iter().all(|(_, value)| *value == REDACTED));
    }
}
