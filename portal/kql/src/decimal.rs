//! Decimal numbers of up to 38 digits.

use std::cmp::Ordering;
use std::fmt;

/// The number of fractional digits of a quotient.
const DIVISION_SCALE: u32 = 18;
const MAX_SCALE: u32 = 28;

/// A decimal number: `mantissa` · 10^-`scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    pub(crate) fn new(mantissa: i128, scale: u32) -> Self {
        Self { mantissa, scale }
    }

    /// Reads `-12.5` or `1e3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut mantissa = 0_i128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa
                .checked_mul(10)?
                .checked_add(i128::from(byte - b'0'))?;
        }
        if negative {
            mantissa = -mantissa;
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if scale < 0 {
            let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
            return Some(Self::new(mantissa.checked_mul(factor)?, 0));
        }
        (scale.unsigned_abs() <= 38).then(|| Self::new(mantissa, scale.unsigned_abs()))
    }

    pub(crate) fn from_long(value: i64) -> Self {
        Self::new(i128::from(value), 0)
    }

    pub(crate) fn from_real(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() >= 1e37 {
            return None;
        }
        Self::parse(&format!("{value}")).or_else(|| Self::parse(&format!("{value:.18}")))
    }

    #[expect(clippy::cast_precision_loss, reason = "a double is asked for")]
    pub(crate) fn to_real(self) -> f64 {
        self.to_string().parse().unwrap_or(self.mantissa as f64)
    }

    /// The integer part.
    pub(crate) fn to_long(self) -> Option<i64> {
        let factor = 10_i128.checked_pow(self.scale)?;
        i64::try_from(self.mantissa / factor).ok()
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let left = self
            .mantissa
            .checked_mul(10_i128.checked_pow(scale - self.scale)?)?;
        let right = other
            .mantissa
            .checked_mul(10_i128.checked_pow(scale - other.scale)?)?;
        Some((left, right, scale))
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self::new(left.checked_add(right)?, scale))
    }

    pub(crate) fn sub(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self::new(left.checked_sub(right)?, scale))
    }

    pub(crate) fn mul(self, other: Self) -> Option<Self> {
        let (left, right) = (self.normal(), other.normal());
        let product = Self::new(
            left.mantissa.checked_mul(right.mantissa)?,
            left.scale + right.scale,
        );
        Some(product.at_most(MAX_SCALE))
    }

    pub(crate) fn div(self, other: Self) -> Option<Self> {
        let (left, right, _) = self.normal().aligned(other.normal())?;
        if right == 0 {
            return None;
        }
        let mut scale = DIVISION_SCALE;
        loop {
            let factor = 10_i128.checked_pow(scale)?;
            if let Some(scaled) = left.checked_mul(factor) {
                return Some(Self::new(scaled / right, scale).normal());
            }
            scale = scale.checked_sub(1)?;
        }
    }

    pub(crate) fn rem(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self::new(left.checked_rem_euclid(right)?, scale))
    }

    pub(crate) fn neg(self) -> Option<Self> {
        Some(Self::new(self.mantissa.checked_neg()?, self.scale))
    }

    pub(crate) fn abs(self) -> Option<Self> {
        Some(Self::new(self.mantissa.checked_abs()?, self.scale))
    }

    fn at_most(mut self, scale: u32) -> Self {
        while self.scale > scale {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Without trailing zeros, so that equal numbers have equal fields.
    pub(crate) fn normal(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    pub(crate) fn key(self) -> (i128, u32) {
        let normal = self.normal();
        (normal.mantissa, normal.scale)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.aligned(*other) {
            Some((left, right, _)) => left.cmp(&right),
            None => self.to_real().total_cmp(&other.to_real()),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let normal = self.normal();
        let sign = if normal.mantissa < 0 { "-" } else { "" };
        let digits = normal.mantissa.unsigned_abs().to_string();
        let scale = normal.scale as usize;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        let sum = Decimal::parse("0.1")
            .unwrap()
            .add(Decimal::parse("0.2").unwrap());
        assert_eq!(sum.unwrap().to_string(), "0.3");
        assert_eq!(Decimal::parse("-1.50").unwrap().to_string(), "-1.5");
        assert_eq!(
            Decimal::parse("1e3").unwrap(),
            Decimal::parse("1000").unwrap()
        );
        let third = Decimal::parse("1")
            .unwrap()
            .div(Decimal::parse("3").unwrap());
        assert_eq!(third.unwrap().to_string(), "0.333333333333333333");
        assert!(
            Decimal::parse("1")
                .unwrap()
                .div(Decimal::parse("0").unwrap())
                .is_none()
        );
        assert!(Decimal::parse(".").is_none() && Decimal::parse("1x").is_none());
    }
}
