//! A value of any type.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use crate::decimal::Decimal;

/// A value. The type of its column determines its meaning.
///
/// Integers of both widths are [`Value::Long`]. A cell of type `dynamic` is the plain value, an array or a bag.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Missing.
    #[default]
    Null,
    /// A bool.
    Bool(bool),
    /// An int or a long.
    Long(i64),
    /// A real.
    Real(f64),
    /// A decimal.
    Decimal(Decimal),
    /// A text.
    String(Arc<str>),
    /// Ticks of 100 ns since 0001-01-01 UTC.
    DateTime(i64),
    /// Ticks of 100 ns.
    TimeSpan(i64),
    /// A guid.
    Guid(u128),
    /// An array of a `dynamic`.
    Array(Arc<[Self]>),
    /// A property bag of a `dynamic`, in the order of its members.
    Bag(Arc<Bag>),
}

/// The members of a property bag, in order.
#[derive(Debug, Clone, Default)]
pub struct Bag(pub Vec<(Arc<str>, Value)>);

impl Bag {
    /// The member with this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(name, _)| &**name == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, key: Arc<str>, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some(member) => member.1 = value,
            None => self.0.push((key, value)),
        }
    }
}

static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

/// The empty text, shared.
pub(crate) fn empty() -> Arc<str> {
    EMPTY.clone()
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if text.is_empty() {
            return Self::String(empty());
        }
        Self::String(Arc::from(text))
    }

    /// Whether the value is missing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn array(items: Vec<Self>) -> Self {
        Self::Array(items.into())
    }

    pub(crate) fn bag(members: Vec<(Arc<str>, Self)>) -> Self {
        Self::Bag(Arc::new(Bag(members)))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer, without conversion.
    pub(crate) fn as_long(&self) -> Option<i64> {
        match self {
            Self::Long(value) | Self::DateTime(value) | Self::TimeSpan(value) => Some(*value),
            _ => None,
        }
    }

    /// A number of any kind as a real.
    #[expect(clippy::cast_precision_loss, reason = "Kusto widens long to real")]
    pub(crate) fn as_real(&self) -> Option<f64> {
        match self {
            Self::Long(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Decimal(value) => Some(value.to_real()),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_bag(&self) -> Option<&Bag> {
        match self {
            Self::Bag(bag) => Some(bag),
            _ => None,
        }
    }

    /// The rank of a type in the order of mixed `dynamic` values.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Long(_) | Self::Real(_) | Self::Decimal(_) => 2,
            Self::TimeSpan(_) => 3,
            Self::DateTime(_) => 4,
            Self::String(_) => 5,
            Self::Guid(_) => 6,
            Self::Array(_) => 7,
            Self::Bag(_) => 8,
        }
    }

    /// A total order: nulls first, NaN next, texts ordinal.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b))
            | (Self::DateTime(a), Self::DateTime(b))
            | (Self::TimeSpan(a), Self::TimeSpan(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Guid(a), Self::Guid(b)) => a.cmp(b),
            (Self::Array(a), Self::Array(b)) => {
                let differing = a
                    .iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.order(b))
                    .find(|order| order.is_ne());
                differing.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Bag(_), Self::Bag(_)) => self.to_text().cmp(&other.to_text()),
            _ => match (self.as_real(), other.as_real()) {
                (Some(a), Some(b)) => order_reals(a, b),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    /// Whether both are the same value; members of bags may be in any order.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bag(a), Self::Bag(b)) => {
                a.0.len() == b.0.len()
                    && a.0
                        .iter()
                        .all(|(key, value)| b.get(key).is_some_and(|other| value.same(other)))
            }
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            _ => self.order(other).is_eq(),
        }
    }

    /// Appends bytes that are equal only for equal values.
    pub(crate) fn write_key(&self, out: &mut Vec<u8>) {
        out.push(self.rank());
        match self {
            Self::Null => {}
            Self::Bool(value) => out.push(u8::from(*value)),
            Self::Long(value) | Self::DateTime(value) | Self::TimeSpan(value) => {
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Real(value) => write_real_key(*value, out),
            Self::Decimal(value) => {
                let (mantissa, scale) = value.key();
                out.extend_from_slice(&mantissa.to_le_bytes());
                out.extend_from_slice(&scale.to_le_bytes());
            }
            Self::String(text) => write_text_key(text, out),
            Self::Guid(guid) => out.extend_from_slice(&guid.to_le_bytes()),
            Self::Array(_) | Self::Bag(_) => write_text_key(&self.to_text(), out),
        }
    }

    /// The approximate memory of the value.
    pub(crate) fn size(&self) -> usize {
        const SLOT: usize = size_of::<Value>();
        SLOT + match self {
            Self::String(text) => text.len(),
            Self::Array(items) => items.iter().map(Self::size).sum(),
            Self::Bag(bag) => bag
                .0
                .iter()
                .map(|(key, value)| key.len() + value.size())
                .sum(),
            _ => 0,
        }
    }
}

pub(crate) fn write_text_key(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A whole real has the key of the integer: 5.0 in a dynamic value equals 5.
fn write_real_key(value: f64, out: &mut Vec<u8>) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    const FRACTION: u8 = 9;

    match truncate(value) {
        Some(whole) if value.fract() == 0.0 && value.abs() < EXACT => {
            out.extend_from_slice(&whole.to_le_bytes())
        }
        _ => {
            if let Some(rank) = out.last_mut() {
                *rank = FRACTION;
            }
            out.extend_from_slice(&real_key(value).to_le_bytes());
        }
    }
}

/// Bits that are equal for equal reals: one zero, one NaN.
pub(crate) fn real_key(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        u64::MAX
    } else {
        value.to_bits()
    }
}

/// NaN before all others.
pub(crate) fn order_reals(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// The shortest text that parses to the same number, with an exponent from 1E+15 and below 1E-04.
pub(crate) fn real_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if value != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        let text = format!("{value:E}");
        if let Some((digits, exponent)) = text.split_once('E') {
            let (sign, digits_of_exponent) = match exponent.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => ('+', exponent),
            };
            return format!("{digits}E{sign}{digits_of_exponent:0>2}");
        }
    }
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value}")
    }
}

pub(crate) fn guid_text(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Parses a guid with or without hyphens and braces.
pub(crate) fn parse_guid(text: &str) -> Option<u128> {
    let text = text.trim().trim_matches(['{', '}', '(', ')']);
    let hex: String = text.chars().filter(|character| *character != '-').collect();
    let all_hex = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_hex
        .then(|| u128::from_str_radix(&hex, 16).ok())
        .flatten()
}

/// The integer part; `None` outside 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
pub(crate) fn truncate(number: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;

    (number.is_finite() && (-BOUND..BOUND).contains(&number)).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn reals_print_their_shortest_form() {
        assert_eq!(real_text(1.0), "1");
        assert_eq!(real_text(0.1), "0.1");
        assert_eq!(real_text(1e15), "1E+15");
        assert_eq!(real_text(0.00001), "1E-05");
        assert_eq!(real_text(f64::NEG_INFINITY), "-Infinity");
    }

    #[test]
    fn guids_are_read_and_written() {
        let guid = parse_guid("74be27de-1e4e-49d9-b579-fe0b331d3642").expect("a guid");
        assert_eq!(guid_text(guid), "74be27de-1e4e-49d9-b579-fe0b331d3642");
        assert!(parse_guid("74be27de").is_none());
    }

    #[test]
    fn bags_are_equal_in_any_order() {
        let one = json::parse(r#"{"a":1,"b":[2]}"#).expect("json");
        let other = json::parse(r#"{"b":[2],"a":1}"#).expect("json");
        assert!(one.same(&other));
    }
}
