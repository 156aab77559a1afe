//! Tokens.

use std::sync::Arc;

use super::Span;
use crate::convert::{parse_long, parse_real};
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::time;
use crate::types::Type;
use crate::value::{Value, parse_guid};

#[derive(Debug, Clone)]
pub(crate) enum TokenKind {
    Ident,
    String(Arc<str>),
    /// A number, a timespan such as `5m`, or a literal such as `datetime(2026-01-02)`.
    Literal(Value, Type),
    /// `datetime()`, the time of the query.
    Now,
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// Longest first.
const SYMBOLS: &[&str] = &[
    "..", "==", "=~", "!=", "!~", "<=", ">=", "<>", "=>", "|", ";", ",", ":", "(", ")", "[", "]",
    "{", "}", "=", "<", ">", "+", "-", "*", "/", "%", ".", "!", "~", "@", "$", "?", "^", "&",
];

/// All tokens of the text, the last of which is [`TokenKind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = matches!(token.kind, TokenKind::End);
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn span(&self, start: usize) -> Span {
        Span::new(offset(start), offset(self.at))
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_space(&mut self) {
        loop {
            self.take(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take(|c| c != '\n');
        }
    }

    fn next(&mut self) -> Result<Token> {
        self.skip_space();
        let start = self.at;
        let kind = match self.rest().chars().next() {
            None => TokenKind::End,
            Some(c) if c.is_ascii_digit() => self.number(start)?,
            Some('"' | '\'') => TokenKind::String(self.string(start)?),
            Some('@') if self.rest()[1..].starts_with(['"', '\'']) => {
                TokenKind::String(self.verbatim(start)?)
            }
            Some('`') if self.rest().starts_with("```") => {
                TokenKind::String(self.fenced(start, "```")?)
            }
            Some('~') if self.rest().starts_with("~~~") => {
                TokenKind::String(self.fenced(start, "~~~")?)
            }
            Some(c) if c.is_alphabetic() || c == '_' => self.word(start)?,
            Some(c) => match SYMBOLS
                .iter()
                .find(|symbol| self.rest().starts_with(**symbol))
            {
                Some(symbol) => {
                    self.at += symbol.len();
                    TokenKind::Symbol(symbol)
                }
                None => {
                    self.at += c.len_utf8();
                    return Err(Error::syntax(
                        self.span(start),
                        format!("unexpected character '{c}'"),
                    ));
                }
            },
        };
        Ok(Token {
            kind,
            span: self.span(start),
        })
    }

    fn number(&mut self, start: usize) -> Result<TokenKind> {
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            self.take(|c| c.is_ascii_hexdigit());
            let text = &self.text[start..self.at];
            let number = parse_long(text).ok_or_else(|| self.bad_number(start))?;
            return Ok(TokenKind::Literal(Value::Long(number), Type::Long));
        }
        self.take(|c| c.is_ascii_digit());
        let mut whole = true;
        if self.rest().starts_with('.')
            && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            whole = false;
            self.at += 1;
            self.take(|c| c.is_ascii_digit());
        }
        let rest = self.rest();
        if rest.starts_with(['e', 'E']) {
            let exponent = rest[1..].trim_start_matches(['+', '-']);
            if rest.len() - exponent.len() <= 2
                && exponent.starts_with(|c: char| c.is_ascii_digit())
            {
                whole = false;
                self.at += rest.len() - exponent.len();
                self.take(|c| c.is_ascii_digit());
            }
        }
        let number = &self.text[start..self.at];
        let unit = self.take(|c| c.is_alphanumeric() || c == '_');
        if !unit.is_empty() {
            let ticks = time::parse_timespan(&self.text[start..self.at])
                .ok_or_else(|| self.bad_number(start))?;
            return Ok(TokenKind::Literal(Value::TimeSpan(ticks), Type::TimeSpan));
        }
        if whole {
            let number = number.parse().map_err(|_| self.bad_number(start))?;
            return Ok(TokenKind::Literal(Value::Long(number), Type::Long));
        }
        let number = number.parse().map_err(|_| self.bad_number(start))?;
        Ok(TokenKind::Literal(Value::Real(number), Type::Real))
    }

    fn bad_number(&self, start: usize) -> Error {
        let text = self.text.get(start..self.at).unwrap_or_default();
        Error::syntax(
            self.span(start),
            format!("'{text}' is not a number or a timespan"),
        )
    }

    fn string(&mut self, start: usize) -> Result<Arc<str>> {
        let quote = self.rest().chars().next().unwrap_or('"');
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.take(|c| c != quote && c != '\\' && c != '\n');
            out.push_str(plain);
            match self.rest().chars().next() {
                Some('\\') => {
                    self.at += 1;
                    self.escape(&mut out, start)?;
                }
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(Arc::from(out));
                }
                _ => return Err(unclosed(start)),
            }
        }
    }

    fn escape(&mut self, out: &mut String, start: usize) -> Result<()> {
        let Some(c) = self.rest().chars().next() else {
            return Err(unclosed(start));
        };
        self.at += c.len_utf8();
        out.push(match c {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'u' | 'U' | 'x' => {
                let width = match c {
                    'u' => 4,
                    'U' => 8,
                    _ => 2,
                };
                let code = self
                    .rest()
                    .get(..width)
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let Some(code) = code else {
                    let at = self.at;
                    return Err(Error::syntax(
                        self.span(at - 2),
                        "the escape is not complete",
                    ));
                };
                self.at += width;
                if (0xD800..0xDC00).contains(&code)
                    && let Some(low) = self
                        .rest()
                        .strip_prefix("\\u")
                        .and_then(|rest| rest.get(..4))
                    && let Ok(low @ 0xDC00..0xE000) = u32::from_str_radix(low, 16)
                {
                    self.at += 6;
                    char::from_u32(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00)
                        .unwrap_or('\u{FFFD}')
                } else {
                    char::from_u32(code).unwrap_or('\u{FFFD}')
                }
            }
            '\\' | '"' | '\'' | '/' => c,
            other => {
                let at = self.at;
                let begin = at - other.len_utf8() - 1;
                return Err(Error::syntax(
                    self.span(begin),
                    format!("'\\{other}' is not an escape"),
                ));
            }
        });
        Ok(())
    }

    /// `@"…"`: without escapes; the quote is doubled.
    fn verbatim(&mut self, start: usize) -> Result<Arc<str>> {
        self.at += 1;
        let quote = self.rest().chars().next().unwrap_or('"');
        self.at += 1;
        let mut out = String::new();
        loop {
            out.push_str(self.take(|c| c != quote));
            if self.rest().is_empty() {
                return Err(unclosed(start));
            }
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return Ok(Arc::from(out));
            }
            out.push(quote);
            self.at += 1;
        }
    }

    fn fenced(&mut self, start: usize, fence: &str) -> Result<Arc<str>> {
        self.at += fence.len();
        let rest = self.rest();
        let length = rest.find(fence).ok_or_else(|| unclosed(start))?;
        self.at += length + fence.len();
        let body = &rest[..length];
        // A line break directly after the opening fence is not part of the text.
        let body = body
            .strip_prefix("\r\n")
            .or_else(|| body.strip_prefix('\n'))
            .unwrap_or(body);
        Ok(Arc::from(body))
    }

    fn word(&mut self, start: usize) -> Result<TokenKind> {
        let word = self.take(|c| c.is_alphanumeric() || c == '_');
        if matches!(word, "h" | "H") {
            if self.rest().starts_with(['"', '\'']) {
                return self.string(self.at).map(TokenKind::String);
            }
            if self.rest().starts_with("@\"") || self.rest().starts_with("@'") {
                return self.verbatim(self.at).map(TokenKind::String);
            }
        }
        match word {
            "true" => return Ok(TokenKind::Literal(Value::Bool(true), Type::Bool)),
            "false" => return Ok(TokenKind::Literal(Value::Bool(false), Type::Bool)),
            _ => {}
        }
        match Type::parse(word) {
            Some(Type::String | Type::Dynamic) | None => Ok(TokenKind::Ident),
            Some(ty) => self.typed_literal(start, ty),
        }
    }

    /// `datetime(…)` and similar literals; only the name if no bracket follows.
    fn typed_literal(&mut self, start: usize, ty: Type) -> Result<TokenKind> {
        let after_name = self.at;
        self.take(|c| c == ' ' || c == '\t');
        if !self.rest().starts_with('(') {
            self.at = after_name;
            return Ok(TokenKind::Ident);
        }
        let rest = &self.rest()[1..];
        let Some(length) = rest.find(')') else {
            self.at = self.text.len();
            return Err(Error::syntax(self.span(start), "')' is missing"));
        };
        let body = rest[..length].trim();
        self.at += length + 2;
        let unquoted = body
            .strip_prefix(['"', '\''])
            .and_then(|inner| inner.strip_suffix(['"', '\'']))
            .unwrap_or(body);
        if unquoted.eq_ignore_ascii_case("null") {
            return Ok(TokenKind::Literal(Value::Null, ty));
        }
        if ty == Type::DateTime && unquoted.is_empty() {
            return Ok(TokenKind::Now);
        }
        let value = match ty {
            Type::Bool => match unquoted.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Int => parse_long(unquoted)
                .filter(|number| i32::try_from(*number).is_ok())
                .map(Value::Long),
            Type::Long => parse_long(unquoted).map(Value::Long),
            Type::Real => parse_real(unquoted).map(Value::Real),
            Type::Decimal => Decimal::parse(unquoted).map(Value::Decimal),
            Type::DateTime => time::parse_datetime(unquoted).map(Value::DateTime),
            Type::TimeSpan => time::parse_timespan(unquoted).map(Value::TimeSpan),
            Type::Guid => parse_guid(unquoted).map(Value::Guid),
            Type::String | Type::Dynamic => None,
        };
        match value {
            Some(value) => Ok(TokenKind::Literal(value, ty)),
            None => {
                let shown: String = body.chars().take(40).collect();
                Err(Error::syntax(
                    self.span(start),
                    format!("'{shown}' is not a literal of type {ty}"),
                ))
            }
        }
    }
}

fn unclosed(start: usize) -> Error {
    Error::syntax(
        Span::new(offset(start), offset(start + 1)),
        "the string has no end",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<String> {
        tokens(text)
            .expect("tokens")
            .into_iter()
            .filter_map(|token| match token.kind {
                TokenKind::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn strings_of_all_forms_are_read() {
        let text = r#" "a\"b\u0041" 'c"' @"d\e""f" h'g' H@"i" ```j"'k``` "#;
        assert_eq!(
            strings(text),
            ["a\"bA", "c\"", "d\\e\"f", "g", "i", "j\"'k"]
        );
    }

    #[test]
    fn literals_have_their_types() {
        for (text, ty) in [
            ("1", Type::Long),
            ("0x1F", Type::Long),
            ("1.5", Type::Real),
            ("1e5", Type::Real),
            ("5m", Type::TimeSpan),
            ("2days", Type::TimeSpan),
            ("datetime(2026-01-02T03:04:05Z)", Type::DateTime),
            ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", Type::Guid),
            ("int(null)", Type::Int),
            ("real(+inf)", Type::Real),
            ("time(1.02:03:04.5)", Type::TimeSpan),
        ] {
            let tokens = tokens(text).expect(text);
            assert!(
                matches!(&tokens[0].kind, TokenKind::Literal(_, found) if *found == ty),
                "{text}"
            );
        }
    }

    #[test]
    fn text_that_is_no_token_is_refused_with_its_place() {
        for text in [
            "\"abc",
            "'a\nb'",
            "12abc",
            "datetime(x)",
            "int(3000000000)",
            "@'a",
            "§",
            "99999999999999999999",
        ] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
