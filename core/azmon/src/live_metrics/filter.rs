//! Filters: compiled once, then compared with each item.

use crate::live_metrics::duration::{parse_ticks, ticks_of};
use crate::live_metrics::subject::{LiveTelemetryType, Subject, TextField};
use crate::live_metrics::wire::{FilterGroupInfo, FilterInfo};

/// A filter that cannot be understood, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidFilter {
    pub(super) filter: FilterInfo,
    pub(super) reason: String,
}

/// Filters all of which must match.
#[derive(Debug)]
pub(super) struct Group(Vec<Filter>);

impl Group {
    /// Understands all filters of a group, or none.
    pub(super) fn new(
        of: LiveTelemetryType,
        info: &FilterGroupInfo,
    ) -> Result<Self, InvalidFilter> {
        let filters = info.filters.iter().map(|filter| {
            Filter::new(of, filter).map_err(|reason| InvalidFilter {
                filter: filter.clone(),
                reason,
            })
        });
        filters.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn matches(&self, subject: Subject<'_>) -> bool {
        self.0.iter().all(|filter| filter.matches(subject))
    }
}

/// Whether one of the groups matches, or none is there.
pub(super) fn any_matches(groups: &[Group], subject: Subject<'_>) -> bool {
    groups.is_empty() || groups.iter().any(|group| group.matches(subject))
}

#[derive(Debug)]
enum Filter {
    Text(TextOf, TextTest),
    Number(NumberOf, Order, f64),
    Duration(Order, i64),
    Success(bool),
    /// In any field, or in none.
    Any(LiveTelemetryType, Needle, bool),
}

/// Where a text comes from.
#[derive(Debug)]
enum TextOf {
    Field(TextField),
    Dimension(String),
}

/// Where a number comes from.
#[derive(Debug)]
enum NumberOf {
    Text(TextOf),
    Measurement(String),
}

#[derive(Debug)]
enum TextTest {
    Equal(Needle),
    NotEqual(Needle),
    Contains(Needle),
    DoesNotContain(Needle),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy)]
enum Predicate {
    Order(Order),
    Contains,
    DoesNotContain,
}

impl Predicate {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "Equal" => Self::Order(Order::Equal),
            "NotEqual" => Self::Order(Order::NotEqual),
            "LessThan" => Self::Order(Order::Less),
            "LessThanOrEqual" => Self::Order(Order::LessOrEqual),
            "GreaterThan" => Self::Order(Order::Greater),
            "GreaterThanOrEqual" => Self::Order(Order::GreaterOrEqual),
            "Contains" => Self::Contains,
            "DoesNotContain" => Self::DoesNotContain,
            _ => return Err(format!("the predicate {text:?} is not known")),
        })
    }
}

impl Order {
    fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Filter {
    fn new(of: LiveTelemetryType, info: &FilterInfo) -> Result<Self, String> {
        let field = info.field_name.as_str();
        let predicate = Predicate::parse(&info.predicate)?;
        let comparand = info.comparand.as_deref().ok_or("the comparand is null")?;
        let not_for = |kind| format!("{} is not for {kind}", info.predicate);
        let is_equality = matches!(predicate, Predicate::Order(Order::Equal | Order::NotEqual));
        let has_durations = matches!(
            of,
            LiveTelemetryType::Request | LiveTelemetryType::Dependency
        );
        // An absent dimension is an empty text, which only an empty comparand can ask for.
        let may_be_empty = is_equality && field.starts_with(DIMENSIONS);
        if comparand.is_empty() && !may_be_empty {
            return Err("the comparand is empty".to_owned());
        }
        match field {
            "*" => match predicate {
                Predicate::Contains => Ok(Self::Any(of, Needle::new(comparand), true)),
                Predicate::DoesNotContain => Ok(Self::Any(of, Needle::new(comparand), false)),
                Predicate::Order(_) => Err(not_for("any field")),
            },
            "Duration" if has_durations => {
                let Predicate::Order(order) = predicate else {
                    return Err(not_for("durations"));
                };
                let ticks = parse_ticks(comparand).ok_or_else(|| {
                    format!("{comparand:?} is not of the form d.hh:mm:ss.fffffff")
                })?;
                Ok(Self::Duration(order, ticks))
            }
            "Success" if has_durations => {
                let wanted = match () {
                    () if comparand.trim().eq_ignore_ascii_case("true") => true,
                    () if comparand.trim().eq_ignore_ascii_case("false") => false,
                    () => return Err(format!("{comparand:?} is neither true nor false")),
                };
                match predicate {
                    Predicate::Order(Order::Equal) => Ok(Self::Success(wanted)),
                    Predicate::Order(Order::NotEqual) => Ok(Self::Success(!wanted)),
                    _ => Err(not_for("Success")),
                }
            }
            _ => {
                if let Some(key) = key_of(field, MEASUREMENTS) {
                    let Predicate::Order(order) = predicate else {
                        return Err(not_for("numbers"));
                    };
                    let of = NumberOf::Measurement(key.to_owned());
                    return Ok(Self::Number(of, order, comparand_number(comparand)?));
                }
                let text = match key_of(field, DIMENSIONS) {
                    Some(key) => TextOf::Dimension(key.to_owned()),
                    None => TextOf::Field(TextField::of_name(of, field).ok_or_else(|| {
                        format!("{} has no field {:?}", of.as_str(), shortened(field))
                    })?),
                };
                let needle = || Needle::new(comparand);
                let test = match predicate {
                    Predicate::Order(Order::Equal) => TextTest::Equal(needle()),
                    Predicate::Order(Order::NotEqual) => TextTest::NotEqual(needle()),
                    Predicate::Contains => TextTest::Contains(needle()),
                    Predicate::DoesNotContain => TextTest::DoesNotContain(needle()),
                    Predicate::Order(order) => {
                        if matches!(text, TextOf::Field(TextField::Severity)) {
                            return Err(not_for("SeverityLevel"));
                        }
                        let number = comparand_number(comparand)?;
                        return Ok(Self::Number(NumberOf::Text(text), order, number));
                    }
                };
                Ok(Self::Text(text, test))
            }
        }
    }

    fn matches(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::Text(TextOf::Field(field), test) => test.holds(&subject.text(*field)),
            Self::Text(TextOf::Dimension(key), test) => {
                test.holds(subject.dimension(key).unwrap_or_default())
            }
            Self::Number(of, order, comparand) => of
                .number(subject)
                .is_some_and(|number| order.holds(number, *comparand)),
            Self::Duration(order, comparand) => subject
                .duration()
                .is_some_and(|duration| order.holds(ticks_of(duration), *comparand)),
            Self::Success(wanted) => subject.success() == Some(*wanted),
            Self::Any(of, needle, wanted) => subject.any(*of, |text| needle.is_in(text)) == *wanted,
        }
    }
}

impl NumberOf {
    fn number(&self, subject: Subject<'_>) -> Option<f64> {
        match self {
            Self::Text(TextOf::Field(field)) => number(&subject.text(*field)),
            Self::Text(TextOf::Dimension(key)) => number(subject.dimension(key)?),
            Self::Measurement(key) => subject.measurement(key),
        }
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Equal(needle) => needle.is(text),
            Self::NotEqual(needle) => !needle.is(text),
            Self::Contains(needle) => needle.is_in(text),
            Self::DoesNotContain(needle) => !needle.is_in(text),
        }
    }
}

/// A text that is compared without regard to case.
#[derive(Debug)]
struct Needle {
    text: String,
    lower: String,
}

impl Needle {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            lower: text.to_lowercase(),
        }
    }

    fn is(&self, text: &str) -> bool {
        if text.is_ascii() && self.text.is_ascii() {
            return text.eq_ignore_ascii_case(&self.text);
        }
        text.to_lowercase() == self.lower
    }

    fn is_in(&self, text: &str) -> bool {
        if text.is_ascii() && self.text.is_ascii() {
            let (text, needle) = (text.as_bytes(), self.text.as_bytes());
            // An empty text is in every text.
            return needle.is_empty()
                || text
                    .windows(needle.len())
                    .any(|window| window.eq_ignore_ascii_case(needle));
        }
        text.to_lowercase().contains(&self.lower)
    }
}

pub(super) const DIMENSIONS: &str = "CustomDimensions.";
pub(super) const MEASUREMENTS: &str = "CustomMetrics.";

/// Everything after the first dot, whatever it holds.
pub(super) fn key_of<'a>(field: &'a str, prefix: &str) -> Option<&'a str> {
    field.strip_prefix(prefix).filter(|key| !key.is_empty())
}

fn comparand_number(text: &str) -> Result<f64, String> {
    number(text).ok_or_else(|| format!("{:?} is not a number", shortened(text)))
}

/// A decimal number; words for infinity are none.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let number: f64 = text.parse().ok()?;
    let is_plain =
        !text.contains(|letter: char| letter.is_alphabetic() && letter != 'e' && letter != 'E');
    (is_plain && number.is_finite()).then_some(number)
}

/// A part of a text that is long enough to find it again.
pub(super) fn shortened(text: &str) -> &str {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}
