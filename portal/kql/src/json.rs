//! The JSON of `dynamic` values: parsing with limited nesting, compact serialisation, and access to members
//! without parsing the rest.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::value::{Bag, Value, real_text};

/// Deeper JSON stays a string, like invalid JSON.
const MAX_NESTING: usize = 64;

/// Parses one JSON value; `None` if the text is invalid.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader::new(text);
    let value = reader.value(0)?;
    reader.space();
    (reader.at == reader.bytes.len()).then_some(value)
}

/// The result of `parse_json`: the value, or the text itself if it is not valid JSON.
pub(crate) fn parse_lenient(text: &Arc<str>) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    parse(text).unwrap_or_else(|| Value::String(text.clone()))
}

/// The member with this name of the bag in `text`; null if it is missing or the text is not a bag.
pub(crate) fn member(text: &str, key: &str) -> Value {
    let mut reader = Reader::new(text);
    reader.member(key).unwrap_or(Value::Null)
}

/// Writes compact JSON.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Real(number) if number.is_finite() => {
            let text = real_text(*number);
            out.push_str(&text);
            if !text.contains(['.', 'E']) {
                out.push_str(".0");
            }
        }
        Value::Bool(_) | Value::Long(_) | Value::Decimal(_) => value.write_text(out),
        Value::Real(_) | Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) => {
            out.push('"');
            value.write_text(out);
            out.push('"');
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Bag(bag) => {
            out.push('{');
            for (index, (key, member)) in bag.0.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
    }
}

pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        self.bytes
            .get(self.at..)?
            .starts_with(word.as_bytes())
            .then(|| {
                self.at += word.len();
                value
            })
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_NESTING {
            return None;
        }
        self.space();
        match self.peek()? {
            b'{' => {
                self.at += 1;
                let mut bag = Bag::default();
                self.space();
                if self.eat(b'}').is_some() {
                    return Some(Value::Bag(Arc::new(bag)));
                }
                loop {
                    self.space();
                    let key = self.string()?;
                    self.space();
                    self.eat(b':')?;
                    let value = self.value(depth + 1)?;
                    bag.0.push((Arc::from(key), value));
                    self.space();
                    if self.eat(b'}').is_some() {
                        return Some(Value::Bag(Arc::new(without_repeats(bag))));
                    }
                    self.eat(b',')?;
                }
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                self.space();
                if self.eat(b']').is_some() {
                    return Some(Value::array(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    self.space();
                    if self.eat(b']').is_some() {
                        return Some(Value::array(items));
                    }
                    self.eat(b',')?;
                }
            }
            b'"' => self.string().map(Value::text),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        let _ = self.eat(b'-');
        let digits = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if digits == self.at {
            return None;
        }
        let mut whole = true;
        if self.eat(b'.').is_some() {
            whole = false;
            let fraction = self.at;
            while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1;
            }
            if fraction == self.at {
                return None;
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1;
            }
        }
        let text = self.text.get(start..self.at)?;
        if whole && let Ok(number) = text.parse() {
            return Some(Value::Long(number));
        }
        text.parse().ok().map(Value::Real)
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut out = String::new();
        let mut start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    out.push_str(self.text.get(start..self.at)?);
                    self.at += 1;
                    return Some(out);
                }
                b'\\' => {
                    out.push_str(self.text.get(start..self.at)?);
                    self.at += 1;
                    out.push(self.escape()?);
                    start = self.at;
                }
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if (0xD800..0xDC00).contains(&high) && self.word("\\u", Value::Null).is_some() {
                    let low = self.hex()?;
                    let pair = 0x10000 + ((high - 0xD800) << 10) + low.wrapping_sub(0xDC00);
                    return Some(char::from_u32(pair).unwrap_or('\u{FFFD}'));
                }
                char::from_u32(high).unwrap_or('\u{FFFD}')
            }
            b'"' | b'\\' | b'/' => char::from(byte),
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn member(&mut self, key: &str) -> Option<Value> {
        self.space();
        self.eat(b'{')?;
        let mut found = None;
        loop {
            self.space();
            if self.eat(b'}').is_some() {
                return found;
            }
            let is_it = self.key_is(key)?;
            self.space();
            self.eat(b':')?;
            if is_it {
                found = Some(self.value(1)?);
            } else {
                self.skip()?;
            }
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return found;
            }
        }
    }

    fn key_is(&mut self, key: &str) -> Option<bool> {
        let start = self.at + 1;
        if let Some(name) = self.bytes.get(start..start + key.len())
            && name == key.as_bytes()
            && self.bytes.get(start + key.len()) == Some(&b'"')
            && !name.contains(&b'\\')
        {
            self.eat(b'"')?;
            self.at = start + key.len() + 1;
            return Some(true);
        }
        let start = self.at;
        self.skip_string()?;
        let name = self.text.get(start..self.at)?;
        if !name.contains('\\') {
            return Some(false);
        }
        Some(Reader::new(name).string()? == key)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Skips one value without parsing it.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            self.space();
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if open > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    let start = self.at;
                    while self
                        .peek()
                        .is_some_and(|byte| !b",:{}[]\" \t\r\n".contains(&byte))
                    {
                        self.at += 1;
                    }
                    if start == self.at {
                        return None;
                    }
                }
            }
            if open == 0 {
                return Some(());
            }
        }
    }
}

/// Keeps the last of several members with one name.
fn without_repeats(bag: Bag) -> Bag {
    let mut seen = hashbrown::HashMap::with_capacity(bag.0.len());
    let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(bag.0.len());
    for (key, value) in bag.0 {
        match seen.get(&key) {
            Some(&at) => {
                let member: &mut (Arc<str>, Value) = &mut members[at];
                member.1 = value;
            }
            None => {
                seen.insert(key.clone(), members.len());
                members.push((key, value));
            }
        }
    }
    Bag(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        let mut out = String::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn json_is_read_and_written_compact() {
        let value = parse(r#" { "a" : [1, 2.0, -3e2, "x\n\u00e9"], "b": {}, "c": null } "#);
        assert_eq!(
            text(&value.unwrap()),
            r#"{"a":[1,2.0,-300.0,"x\né"],"b":{},"c":null}"#
        );
    }

    #[test]
    fn text_that_is_no_json_is_none() {
        for bad in ["", "{", "[1,]", "nul", "1 2", "{\"a\"}", "\"", "-", "1."] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(parse(&"[".repeat(100_000)).is_none());
    }

    #[test]
    fn a_member_is_found_without_reading_the_rest() {
        let bag = r#"{"x":{"key":1,"n":[1,"}",{"a":2}]},"k\"y":true,"key":"v", "last" : 2}"#;
        assert_eq!(member(bag, "key").as_str(), Some("v"));
        assert_eq!(member(bag, "k\"y").as_bool(), Some(true));
        assert_eq!(member(bag, "last").as_long(), Some(2));
        assert!(member(bag, "none").is_null() && member("[1]", "key").is_null());
    }
}
