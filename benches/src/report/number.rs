/// The cell of a value that was not measured.
pub(super) const UNKNOWN: &str = "–";

/// The tolerance of equality: allocations are whole numbers, except for occasional growth of buffers.
pub(super) const ROUNDING: f64 = 0.005;

/// A number with thousands separators, and with decimals only where they are significant.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        magnitude if (value - value.round()).abs() < ROUNDING * magnitude.max(1.0) => 0,
        magnitude if magnitude >= 100.0 => 0,
        magnitude if magnitude >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("−", digits),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// A difference, with its sign.
pub(super) fn surplus(value: f64) -> String {
    let sign = if value >= 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value))
}

/// A ratio with two decimals.
pub(super) fn ratio(value: f64) -> String {
    format!("{value:.2}").replace('-', "−")
}

/// The value formatted by `show`, or [`UNKNOWN`].
pub(super) fn or_unknown(value: Option<f64>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), show)
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart_and_decimals_few() {
        for (value, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (0.254, "0.25"),
            (12.34, "12.3"),
            (12.02, "12"),
            (999.6, "1,000"),
            (1_322.4, "1,322"),
            (1_234_567.0, "1,234,567"),
            (-43.38, "−43.4"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_surplus_has_a_sign() {
        assert_eq!(surplus(11.0), "+11");
        assert_eq!(surplus(-3.0), "−3");
    }
}
