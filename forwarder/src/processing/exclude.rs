use azmon::envelope::{Data, Envelope, tags};

use crate::config::{Condition, ExcludeRule};
use crate::processing::glob::Glob;
use crate::processing::text;

/// Rules that exclude items.
#[derive(Debug, Default)]
pub(super) struct Exclusions {
    rules: Vec<Vec<Compiled>>,
}

#[derive(Debug)]
enum Compiled {
    Type(Vec<String>),
    Name(Glob),
    Role(Glob),
    Url(Glob),
    Target(Glob),
    ResultCode(Glob),
    Success(bool),
    Property(String, Glob),
}

impl Exclusions {
    pub(super) fn new(rules: &[ExcludeRule]) -> Self {
        let compile = |rule: &ExcludeRule| rule.conditions.iter().map(Compiled::of).collect();
        Self {
            rules: rules.iter().map(compile).collect(),
        }
    }

    pub(super) fn excludes(&self, envelope: &Envelope<'_>) -> bool {
        let fits = |conditions: &Vec<Compiled>| {
            !conditions.is_empty() && conditions.iter().all(|one| one.fits(envelope))
        };
        self.rules.iter().any(fits)
    }
}

impl Compiled {
    fn of(condition: &Condition) -> Self {
        match condition {
            Condition::Type(types) => Self::Type(types.clone()),
            Condition::Name(pattern) => Self::Name(Glob::new(pattern)),
            Condition::Role(pattern) => Self::Role(Glob::new(pattern)),
            Condition::Url(pattern) => Self::Url(Glob::new(pattern)),
            Condition::Target(pattern) => Self::Target(Glob::new(pattern)),
            Condition::ResultCode(pattern) => Self::ResultCode(Glob::new(pattern)),
            Condition::Success(success) => Self::Success(*success),
            Condition::Property(key, pattern) => Self::Property(key.clone(), Glob::new(pattern)),
        }
    }

    fn fits(&self, envelope: &Envelope<'_>) -> bool {
        let data = &envelope.data;
        let matches = |glob: &Glob, text: Option<&str>| text.is_some_and(|text| glob.matches(text));
        match self {
            Self::Type(types) => {
                let kind = text::kind(data);
                types.iter().any(|one| one.eq_ignore_ascii_case(kind))
            }
            Self::Name(glob) => glob.matches(text::name(data)),
            Self::Role(glob) => matches(glob, text::tag(envelope, tags::CLOUD_ROLE)),
            Self::Url(glob) => matches(glob, text::url(data)),
            Self::Target(glob) => match data {
                Data::RemoteDependency(data) => matches(glob, data.target.as_deref()),
                _ => false,
            },
            Self::ResultCode(glob) => matches(glob, text::result_code(data)),
            Self::Success(success) => text::success(data) == Some(*success),
            Self::Property(key, glob) => {
                matches(glob, data.properties().get(key).map(AsRef::as_ref))
            }
        }
    }
}
