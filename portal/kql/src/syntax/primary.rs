//! The innermost parts of an expression: literals, names, calls, members.

use std::sync::Arc;

use super::ast::{Arg, Ast, Call, Kind, Name};
use super::parser::Parser;
use super::{Span, TokenKind};
use crate::error::Result;
use crate::types::Type;
use crate::value::{Bag, Value, empty};

impl Parser<'_> {
    pub(crate) fn postfix(&mut self) -> Result<Ast> {
        let start = self.span();
        let mut value = self.primary()?;
        loop {
            if self.is_symbol(".") && !matches!(value.kind, Kind::Literal(..)) {
                self.advance();
                if self.is_symbol("[") && self.bracketed_name_ahead().is_none() {
                    value = self.indexed(value, start)?;
                    continue;
                }
                let name = self.name()?;
                // `app("x").requests` names a table; `database("d").table("t")` calls.
                let depth = 1 + value.depth;
                value =
                    self.node_of_depth(Kind::Member(Box::new(value), name.text), start, depth)?;
            } else if self.is_symbol("[") && !matches!(value.kind, Kind::Star | Kind::TypeOf(_)) {
                value = self.indexed(value, start)?;
            } else {
                return Ok(value);
            }
        }
    }

    /// Parses the index in brackets after a value.
    fn indexed(&mut self, value: Ast, start: Span) -> Result<Ast> {
        self.expect("[")?;
        let index = self.expression()?;
        self.expect("]")?;
        let depth = 1 + value.depth.max(index.depth);
        self.node_of_depth(Kind::Index(Box::new(value), Box::new(index)), start, depth)
    }

    fn bracketed_name_ahead(&self) -> Option<()> {
        let string = matches!(self.peek_at(1).kind, TokenKind::String(_));
        (string && self.is_symbol_at(2, "]")).then_some(())
    }

    fn primary(&mut self) -> Result<Ast> {
        let token = self.peek().clone();
        let start = token.span;
        match token.kind {
            TokenKind::Literal(value, ty) => {
                self.advance();
                self.leaf(Kind::Literal(value, ty), start)
            }
            TokenKind::Now => {
                self.advance();
                self.leaf(Kind::Now, start)
            }
            TokenKind::String(_) => {
                let text = self.string()?;
                self.leaf(Kind::Literal(Value::String(text), Type::String), start)
            }
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.nested(Self::query_expression)?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Symbol("*") => {
                self.advance();
                self.leaf(Kind::Star, start)
            }
            TokenKind::Symbol("$") => {
                self.advance();
                let name = self.name()?;
                self.leaf(Kind::Special(Arc::from(format!("${}", name.text))), start)
            }
            TokenKind::Symbol("[") => {
                let name = self.name()?;
                self.leaf(Kind::Name(name.text), start)
            }
            TokenKind::Ident => self.word(),
            TokenKind::Symbol(_) | TokenKind::End => Err(self.unexpected("an expression")),
        }
    }

    /// A string literal; adjacent ones are joined.
    pub(crate) fn string(&mut self) -> Result<Arc<str>> {
        let TokenKind::String(text) = &self.peek().kind else {
            return Err(self.unexpected("a string"));
        };
        let mut text = text.clone();
        self.advance();
        while let TokenKind::String(more) = &self.peek().kind {
            text = Arc::from(format!("{text}{more}"));
            self.advance();
        }
        Ok(text)
    }

    fn word(&mut self) -> Result<Ast> {
        let start = self.span();
        let name = self.name()?;
        if !self.is_symbol("(") {
            return self.leaf(Kind::Name(name.text), start);
        }
        match &*name.text {
            "dynamic" => {
                self.advance();
                let value = self.nested(Self::dynamic)?;
                self.expect(")")?;
                return self.leaf(Kind::Literal(value, Type::Dynamic), start);
            }
            "typeof" => {
                self.advance();
                let ty = self.ty()?;
                self.expect(")")?;
                return self.leaf(Kind::TypeOf(ty), start);
            }
            _ => {}
        }
        let call = self.nested(|parser| parser.call(name))?;
        let depth = 1 + call
            .args
            .iter()
            .map(|arg| arg.value.depth)
            .max()
            .unwrap_or(0);
        self.node_of_depth(Kind::Call(call), start, depth)
    }

    /// The arguments of a call, after its name.
    pub(crate) fn call(&mut self, name: Name) -> Result<Call> {
        self.expect("(")?;
        let args = if self.is_symbol(")") {
            Vec::new()
        } else {
            self.comma_separated(|parser| {
                let name = match parser.is_assignment() {
                    true => {
                        let name = parser.name()?;
                        parser.expect("=")?;
                        Some(name)
                    }
                    false => None,
                };
                let value = parser.query_expression()?;
                Ok(Arg { name, value })
            })?
        };
        self.expect(")")?;
        Ok(Call { name, args })
    }

    /// The text between the brackets of `dynamic(…)`.
    fn dynamic(&mut self) -> Result<Value> {
        match self.peek().kind.clone() {
            TokenKind::String(text) => {
                self.advance();
                Ok(Value::String(text))
            }
            TokenKind::Literal(value, _) => {
                self.advance();
                Ok(value)
            }
            TokenKind::Symbol("-") => {
                self.advance();
                match self.nested(Self::dynamic)? {
                    Value::Long(number) => {
                        Ok(number.checked_neg().map_or(Value::Null, Value::Long))
                    }
                    Value::Real(number) => Ok(Value::Real(-number)),
                    Value::TimeSpan(ticks) => {
                        Ok(ticks.checked_neg().map_or(Value::Null, Value::TimeSpan))
                    }
                    _ => Err(self.unexpected("a number")),
                }
            }
            TokenKind::Ident if self.is_word("null") => {
                self.advance();
                Ok(Value::Null)
            }
            TokenKind::Ident if self.is_word("dynamic") => {
                self.advance();
                self.expect("(")?;
                let value = self.nested(Self::dynamic)?;
                self.expect(")")?;
                Ok(value)
            }
            TokenKind::Symbol("[") => {
                self.advance();
                let mut items = Vec::new();
                while !self.is_symbol("]") {
                    items.push(self.nested(Self::dynamic)?);
                    if !self.eat(",") {
                        break;
                    }
                }
                self.expect("]")?;
                Ok(Value::array(items))
            }
            TokenKind::Symbol("{") => {
                self.advance();
                let mut bag = Bag::default();
                while !self.is_symbol("}") {
                    let key = match self.peek().kind {
                        TokenKind::String(_) => self.string()?,
                        _ => self.name()?.text,
                    };
                    self.expect(":")?;
                    let value = self.nested(Self::dynamic)?;
                    bag.set(key, value);
                    if !self.eat(",") {
                        break;
                    }
                }
                self.expect("}")?;
                Ok(Value::Bag(Arc::new(bag)))
            }
            TokenKind::Symbol(")") => Ok(Value::String(empty())),
            _ => Err(self.unexpected("a dynamic literal")),
        }
    }
}
