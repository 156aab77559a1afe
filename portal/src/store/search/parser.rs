//! The parser of searches and filters.

use std::fmt;

use crate::store::fields::{Column, Field};
use crate::store::search::expression::{Comparison, Expression};
use crate::store::words;

/// The maximum number of words and operators in one search.
const MAX_TERMS: usize = 100;
/// The maximum nesting of parentheses.
const MAX_DEPTH: usize = 32;

/// The error of a search, with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchError {
    position: usize,
    message: String,
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "q is wrong at character {}: {}",
            self.position + 1,
            self.message
        )
    }
}

impl Expression {
    /// Parses a search. `None` if it is empty.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, SearchError> {
        let tokens = tokenize(text)?;
        if tokens.is_empty() {
            return Ok(None);
        }
        let mut parser = Parser {
            tokens: &tokens,
            end: text.chars().count(),
            depth: 0,
        };
        let expression = parser.any()?;
        match parser.tokens.first() {
            None => Ok(Some(expression)),
            Some(token) => Err(token.wrong("this parenthesis closes nothing")),
        }
    }

    /// Parses a filter `field~op~value`.
    pub(crate) fn parse_filter(text: &str) -> Result<(String, Self), String> {
        let mut parts = text.splitn(3, '~');
        let (Some(name), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("f={text:?} is not of the form field~op~value"));
        };
        let comparison = match operator {
            "is" => Comparison::Is,
            "not" => Comparison::IsNot,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            "has" => Comparison::Has,
            other => {
                return Err(format!(
                    "operator {other:?} of f is none of is, not, gt, ge, lt, le, has"
                ));
            }
        };
        let field = Field::parse(name);
        let name = match &field {
            Field::Column(column) => column.name().to_owned(),
            Field::Key(key) => key.clone(),
        };
        Ok((
            name,
            Self::Compare {
                field,
                comparison,
                value: value.to_owned(),
            },
        ))
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Symbol {
    And,
    Or,
    Not,
    Open,
    Close,
    Term(Expression),
}

#[derive(Debug, Clone)]
struct Token {
    position: usize,
    symbol: Symbol,
}

impl Token {
    fn wrong(&self, message: &str) -> SearchError {
        SearchError {
            position: self.position,
            message: message.to_owned(),
        }
    }
}

fn tokenize(text: &str) -> Result<Vec<Token>, SearchError> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(character) = characters.get(position) {
        if character.is_whitespace() {
            position += 1;
            continue;
        }
        let start = position;
        let symbol = match character {
            '(' => {
                position += 1;
                Symbol::Open
            }
            ')' => {
                position += 1;
                Symbol::Close
            }
            '-' if characters
                .get(position + 1)
                .is_some_and(|next| !next.is_whitespace())
                && starts_term(&characters, position) =>
            {
                position += 1;
                Symbol::Not
            }
            _ => match term(&characters, &mut position)? {
                Some(symbol) => symbol,
                None => continue,
            },
        };
        tokens.push(Token {
            position: start,
            symbol,
        });
        if tokens.len() > MAX_TERMS {
            return Err(SearchError {
                position: start,
                message: format!("more than {MAX_TERMS} terms"),
            });
        }
    }
    Ok(tokens)
}

fn starts_term(characters: &[char], position: usize) -> bool {
    position == 0
        || characters
            .get(position - 1)
            .is_some_and(|before| before.is_whitespace() || *before == '(')
}

/// One term: a quoted text, or the text up to a space or parenthesis. `None` if it contains no word.
fn term(characters: &[char], position: &mut usize) -> Result<Option<Symbol>, SearchError> {
    let start = *position;
    let mut name = String::new();
    let mut is_quoted = false;
    let mut operator = None;
    let mut value = String::new();
    while let Some(character) = characters.get(*position) {
        match character {
            '"' => {
                is_quoted = true;
                *position += 1;
                let text = quoted(characters, position, start)?;
                value.push_str(&text);
            }
            ')' if !value.contains('(') => break,
            other if other.is_whitespace() => break,
            ':' | '>' | '<' if operator.is_none() && !is_quoted && is_name(&value) => {
                name = std::mem::take(&mut value);
                *position += 1;
                let has_equal = *character != ':' && characters.get(*position) == Some(&'=');
                *position += usize::from(has_equal);
                operator = Some(match (character, has_equal) {
                    ('>', false) => Comparison::Greater,
                    ('>', true) => Comparison::GreaterOrEqual,
                    ('<', false) => Comparison::Less,
                    ('<', true) => Comparison::LessOrEqual,
                    _ => Comparison::Is,
                });
            }
            other => {
                value.push(*other);
                *position += 1;
            }
        }
    }
    let Some(comparison) = operator else {
        return Ok(plain(&value, is_quoted));
    };
    let field = Field::parse(&name);
    let (comparison, value) = match (comparison, value.strip_suffix('*')) {
        (Comparison::Is, Some(prefix)) if !is_quoted => (Comparison::StartsWith, prefix.to_owned()),
        // Users rarely type a whole message or command.
        (Comparison::Is, _) if matches!(field, Field::Column(Column::Message | Column::Data)) => {
            (Comparison::Has, value)
        }
        (comparison, _) => (comparison, value),
    };
    Ok(Some(Symbol::Term(Expression::Compare {
        field,
        comparison,
        value,
    })))
}

fn quoted(characters: &[char], position: &mut usize, start: usize) -> Result<String, SearchError> {
    let mut text = String::new();
    while let Some(character) = characters.get(*position) {
        *position += 1;
        match character {
            '"' => return Ok(text),
            '\\' if characters.get(*position) == Some(&'"') => {
                *position += 1;
                text.push('"');
            }
            other => text.push(*other),
        }
    }
    Err(SearchError {
        position: start,
        message: "this quotation mark is not closed".to_owned(),
    })
}

/// Whether the text before a colon can be a field. The `http` of `http://` is not a field; it is searched as a
/// word.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "http" | "https")
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || "_.-/@".contains(character))
}

fn plain(value: &str, is_quoted: bool) -> Option<Symbol> {
    match value {
        "AND" | "&&" if !is_quoted => return Some(Symbol::And),
        "OR" | "||" if !is_quoted => return Some(Symbol::Or),
        "NOT" if !is_quoted => return Some(Symbol::Not),
        _ => {}
    }
    if value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Symbol::Term(Expression::Compare {
            field: Field::Column(Column::OperationId),
            comparison: Comparison::Is,
            value: value.to_owned(),
        }));
    }
    let is_prefix = !is_quoted && value.ends_with('*');
    let lower = value.to_lowercase();
    let words: Vec<_> = words::split(&lower).map(str::to_owned).collect();
    (!words.is_empty()).then_some(Symbol::Term(Expression::Words { words, is_prefix }))
}

struct Parser<'a> {
    tokens: &'a [Token],
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn next_is(&mut self, symbol: &Symbol) -> bool {
        match self.tokens.split_first() {
            Some((token, rest)) if token.symbol == *symbol => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn any(&mut self) -> Result<Expression, SearchError> {
        let mut parts = vec![self.all()?];
        while self.next_is(&Symbol::Or) {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn all(&mut self) -> Result<Expression, SearchError> {
        let mut parts = vec![self.single()?];
        loop {
            let is_and = self.next_is(&Symbol::And);
            let goes_on = self.tokens.first().is_some_and(|token| {
                matches!(token.symbol, Symbol::Not | Symbol::Open | Symbol::Term(_))
            });
            if !is_and && !goes_on {
                return Ok(one_or(parts, Expression::And));
            }
            parts.push(self.single()?);
        }
    }

    fn single(&mut self) -> Result<Expression, SearchError> {
        let Some((token, rest)) = self.tokens.split_first() else {
            return Err(SearchError {
                position: self.end,
                message: "something is missing here".to_owned(),
            });
        };
        self.tokens = rest;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(token.wrong("too many parentheses"));
        }
        let expression = match &token.symbol {
            Symbol::Term(expression) => expression.clone(),
            Symbol::Not => Expression::Not(Box::new(self.single()?)),
            Symbol::Open => {
                let inner = self.any()?;
                if !self.next_is(&Symbol::Close) {
                    return Err(token.wrong("this parenthesis is not closed"));
                }
                inner
            }
            Symbol::Close => return Err(token.wrong("this parenthesis closes nothing")),
            Symbol::And | Symbol::Or => {
                return Err(token.wrong("an operator stands between two terms"));
            }
        };
        self.depth -= 1;
        Ok(expression)
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}
