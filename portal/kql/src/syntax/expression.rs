//! Scalar expressions, by precedence.

use super::ast::{Ast, Binary, Item, Kind, Name, TextKind, TextOp};
use super::parser::Parser;
use super::{Span, TokenKind};
use crate::error::{Error, Result};
use crate::value::Value;

const OR: u8 = 1;
const AND: u8 = 2;
const COMPARISON: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;

/// A comparison by a keyword: the operator and its number of tokens.
enum WordOp {
    Text(TextOp),
    HasAny,
    HasAll,
    In { fold: bool },
    Between,
}

fn text_op(kind: TextKind, fold: bool) -> Option<WordOp> {
    Some(WordOp::Text(TextOp { kind, fold }))
}

fn word_op(word: &str) -> Option<WordOp> {
    match word {
        "contains" => text_op(TextKind::Contains, true),
        "contains_cs" | "containscs" => text_op(TextKind::Contains, false),
        "startswith" => text_op(TextKind::StartsWith, true),
        "startswith_cs" => text_op(TextKind::StartsWith, false),
        "endswith" => text_op(TextKind::EndsWith, true),
        "endswith_cs" => text_op(TextKind::EndsWith, false),
        "has" => text_op(TextKind::Has, true),
        "has_cs" => text_op(TextKind::Has, false),
        "hasprefix" => text_op(TextKind::HasPrefix, true),
        "hasprefix_cs" => text_op(TextKind::HasPrefix, false),
        "hassuffix" => text_op(TextKind::HasSuffix, true),
        "hassuffix_cs" => text_op(TextKind::HasSuffix, false),
        "matches" => text_op(TextKind::Matches, false),
        "has_any" => Some(WordOp::HasAny),
        "has_all" => Some(WordOp::HasAll),
        "in" => Some(WordOp::In { fold: false }),
        "between" => Some(WordOp::Between),
        _ => None,
    }
}

impl Parser<'_> {
    /// `name = expression` or an expression.
    pub(crate) fn item(&mut self) -> Result<Item> {
        if self.is_symbol("(") && self.is_tuple_assignment() {
            return Err(Error::unsupported(
                self.span(),
                "an assignment to several columns",
            ));
        }
        let name = self.assigned_name()?;
        let value = self.expression()?;
        Ok(Item { name, value })
    }

    /// `name =`, if it comes next.
    pub(crate) fn assigned_name(&mut self) -> Result<Option<Name>> {
        if !self.is_assignment() {
            return Ok(None);
        }
        let name = self.name()?;
        self.expect("=")?;
        Ok(Some(name))
    }

    fn is_tuple_assignment(&self) -> bool {
        let mut ahead = 1;
        loop {
            match self.peek_at(ahead).kind {
                TokenKind::Ident | TokenKind::Symbol(",") => ahead += 1,
                TokenKind::Symbol(")") => return self.is_symbol_at(ahead + 1, "="),
                _ => return false,
            }
        }
    }

    pub(crate) fn expression(&mut self) -> Result<Ast> {
        self.nested(|parser| parser.binary(OR))
    }

    fn binary(&mut self, lowest: u8) -> Result<Ast> {
        let start = self.span();
        let mut left = self.unary()?;
        loop {
            if let Some((op, level)) = self.symbol_op() {
                if level < lowest {
                    return Ok(left);
                }
                self.advance();
                let right = self.binary(level + 1)?;
                let depth = 1 + left.depth.max(right.depth);
                left = self.node_of_depth(
                    Kind::Binary(op, Box::new(left), Box::new(right)),
                    start,
                    depth,
                )?;
                continue;
            }
            if self.is_symbol(":")
                && lowest <= COMPARISON
                && matches!(left.kind, Kind::Name(_))
                && self.in_search
            {
                self.advance();
                let right = self.binary(SUM)?;
                left =
                    self.node_of_depth(Kind::Colon(Box::new(left), Box::new(right)), start, 2)?;
                continue;
            }
            match self.word_at(0) {
                Some("or") if lowest <= OR => {
                    left = self.chain(left, start, "or", AND, Kind::Or)?
                }
                Some("and") if lowest <= AND => {
                    left = self.chain(left, start, "and", COMPARISON, Kind::And)?
                }
                Some(word) if lowest <= COMPARISON => match word_op(word) {
                    Some(op) => {
                        self.advance();
                        left = self.comparison(left, start, &op, false)?;
                    }
                    None => return Ok(left),
                },
                None if lowest <= COMPARISON && self.is_symbol("!") => {
                    let Some(op) = self.word_at(1).and_then(word_op) else {
                        return Err(self.unexpected("an operator"));
                    };
                    self.advance();
                    self.advance();
                    left = self.comparison(left, start, &op, true)?;
                }
                _ => return Ok(left),
            }
        }
    }

    /// `a or b or c` as one node, so that long chains are not deep.
    fn chain(
        &mut self,
        first: Ast,
        start: Span,
        word: &str,
        level: u8,
        kind: impl FnOnce(Vec<Ast>) -> Kind,
    ) -> Result<Ast> {
        let mut items = vec![first];
        while self.eat_word(word) {
            items.push(self.binary(level)?);
        }
        let depth = 1 + items.iter().map(|item| item.depth).max().unwrap_or(0);
        self.node_of_depth(kind(items), start, depth)
    }

    fn symbol_op(&self) -> Option<(Binary, u8)> {
        let TokenKind::Symbol(symbol) = self.peek().kind else {
            return None;
        };
        Some(match symbol {
            "==" => (Binary::Equal, COMPARISON),
            "!=" | "<>" => (Binary::NotEqual, COMPARISON),
            "=~" => (Binary::EqualFold, COMPARISON),
            "!~" => (Binary::NotEqualFold, COMPARISON),
            "<" => (Binary::Less, COMPARISON),
            "<=" => (Binary::LessOrEqual, COMPARISON),
            ">" => (Binary::Greater, COMPARISON),
            ">=" => (Binary::GreaterOrEqual, COMPARISON),
            "+" => (Binary::Add, SUM),
            "-" => (Binary::Subtract, SUM),
            "*" => (Binary::Multiply, PRODUCT),
            "/" => (Binary::Divide, PRODUCT),
            "%" => (Binary::Modulo, PRODUCT),
            _ => return None,
        })
    }

    fn comparison(&mut self, left: Ast, start: Span, op: &WordOp, negated: bool) -> Result<Ast> {
        let value = Box::new(left);
        match op {
            WordOp::Text(op) => {
                if op.kind == TextKind::Matches {
                    self.expect_word("regex")?;
                }
                let needle = Box::new(self.binary(SUM)?);
                let depth = 1 + value.depth.max(needle.depth);
                let kind = Kind::Text {
                    op: *op,
                    negated,
                    value,
                    needle,
                };
                self.node_of_depth(kind, start, depth)
            }
            WordOp::Between => {
                self.expect("(")?;
                let low = Box::new(self.expression()?);
                self.expect("..")?;
                let high = Box::new(self.expression()?);
                self.expect(")")?;
                let depth = 1 + value.depth.max(low.depth).max(high.depth);
                let kind = Kind::Between {
                    negated,
                    value,
                    low,
                    high,
                };
                self.node_of_depth(kind, start, depth)
            }
            WordOp::In { .. } | WordOp::HasAny | WordOp::HasAll => {
                let tilde = self.eat("~");
                self.expect("(")?;
                let list = if self.is_symbol(")") {
                    Vec::new()
                } else {
                    self.comma_separated(Self::query_expression)?
                };
                self.expect(")")?;
                let depth = 1 + list
                    .iter()
                    .map(|item| item.depth)
                    .max()
                    .unwrap_or(0)
                    .max(value.depth);
                let kind = match op {
                    WordOp::In { fold } => Kind::In {
                        negated,
                        fold: *fold || tilde,
                        value,
                        list,
                    },
                    _ if negated => return Err(self.unexpected("an operator that can be negated")),
                    _ => Kind::HasList {
                        all: matches!(op, WordOp::HasAll),
                        value,
                        list,
                    },
                };
                self.node_of_depth(kind, start, depth)
            }
        }
    }

    fn unary(&mut self) -> Result<Ast> {
        let start = self.span();
        if self.eat("-") {
            let inner = self.nested(Self::unary)?;
            if let Kind::Literal(value, ty) = &inner.kind {
                let negative = match value {
                    Value::Long(number) => number.checked_neg().map(Value::Long),
                    Value::Real(number) => Some(Value::Real(-number)),
                    Value::TimeSpan(ticks) => ticks.checked_neg().map(Value::TimeSpan),
                    _ => None,
                };
                if let Some(negative) = negative {
                    return self.leaf(Kind::Literal(negative, *ty), start);
                }
            }
            let depth = inner.depth + 1;
            return self.node_of_depth(Kind::Negate(Box::new(inner)), start, depth);
        }
        if self.eat("+") {
            return self.nested(Self::unary);
        }
        self.postfix()
    }

    /// An expression that binds tighter than comparisons.
    pub(crate) fn sum(&mut self) -> Result<Ast> {
        self.nested(|parser| parser.binary(SUM))
    }
}
