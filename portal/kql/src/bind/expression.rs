//! Binds scalar expressions.

use std::rc::Rc;
use std::sync::Arc;

use super::scope::{Entry, Known, Scope};
use super::{Binder, Row};
use crate::error::{Error, Result};
use crate::expr::{Compare, Expr, Node};
use crate::functions::compile;
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Binary, Kind, TextKind, TextOp};
use crate::types::Type;
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn expr(&mut self, ast: &Ast, row: Row<'_>, scope: &Rc<Scope>) -> Result<Expr> {
        let span = ast.span;
        match &ast.kind {
            Kind::Literal(value, ty) => Ok(Expr::constant(value.clone(), *ty)),
            Kind::Now => Ok(Expr::constant(
                Value::DateTime(self.evaluator.options.now),
                Type::DateTime,
            )),
            Kind::Name(name) | Kind::Special(name) => self.name(name, span, row, scope),
            Kind::Call(call) => self.call(call, span, row, scope),
            Kind::Negate(inner) => {
                let inner = self.expr(inner, row, scope)?;
                if !inner.ty.is_number() && inner.ty != Type::TimeSpan && inner.ty != Type::Dynamic
                {
                    return Err(Error::semantic(
                        span,
                        "SEM0019",
                        format!("'-' cannot be applied to {}", inner.ty),
                    ));
                }
                let inner = if inner.ty == Type::Dynamic {
                    self.convert(inner, Type::Real, span)?
                } else {
                    inner
                };
                let ty = inner.ty;
                self.apply("_negate", vec![inner], ty, span)
            }
            Kind::Binary(op, left, right) => self.binary(*op, left, right, span, row, scope),
            Kind::And(items) | Kind::Or(items) => {
                let mut conditions = Vec::with_capacity(items.len());
                for item in items {
                    let condition = self.expr(item, row, scope)?;
                    conditions.push(self.condition(condition, row, item.span)?);
                }
                let node = match &ast.kind {
                    Kind::And(_) => Node::And(conditions),
                    _ => Node::Or(conditions),
                };
                self.node(node, Type::Bool, span)
            }
            Kind::Between {
                negated,
                value,
                low,
                high,
            } => self.between(*negated, (value, low, high), span, row, scope),
            Kind::In {
                negated,
                fold,
                value,
                list,
            } => {
                let value = self.expr(value, row, scope)?;
                let items = self.list(list, row, scope)?;
                self.in_list((*negated, *fold), value, items, row, span)
            }
            Kind::HasList { all, value, list } => {
                let value = self.expr(value, row, scope)?;
                let items = self.list(list, row, scope)?;
                self.has_list(*all, &value, items, span)
            }
            Kind::Text {
                op,
                negated,
                value,
                needle,
            } => {
                let value = self.expr(value, row, scope)?;
                let bound = self.expr(needle, row, scope)?;
                self.text(*op, *negated, value, bound, needle.span)
            }
            Kind::Colon(column, needle) => {
                let value = self.expr(column, row, scope)?;
                let bound = self.expr(needle, row, scope)?;
                self.search_term(value, &bound, true, span)
            }
            Kind::Member(object, key) => {
                let object = self.object(object, row, scope)?;
                self.node(
                    Node::Member(Box::new(object), key.clone()),
                    Type::Dynamic,
                    span,
                )
            }
            Kind::Index(object, index) => {
                let object = self.object(object, row, scope)?;
                let index = self.expr(index, row, scope)?;
                match index.as_const() {
                    Some(Value::String(key)) => {
                        let key = key.clone();
                        self.node(Node::Member(Box::new(object), key), Type::Dynamic, span)
                    }
                    _ => self.node(
                        Node::Index(Box::new(object), Box::new(index)),
                        Type::Dynamic,
                        span,
                    ),
                }
            }
            Kind::Star => Err(Error::semantic(
                span,
                "SEM0100",
                "'*' is not an expression here",
            )),
            Kind::TypeOf(_) => Err(Error::semantic(
                span,
                "SEM0100",
                "typeof() is not an expression here",
            )),
            Kind::Query(_) => Err(Error::semantic(
                span,
                "SEM0100",
                "a tabular expression stands where a scalar is expected; toscalar() takes its first cell",
            )),
            Kind::Lambda(_) => Err(Error::semantic(
                span,
                "SEM0100",
                "a function stands where a scalar is expected",
            )),
        }
    }

    fn name(
        &mut self,
        name: &Arc<str>,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        if let Some(index) = row.find(name) {
            return Ok(Expr::column(index, row.fields[index].ty));
        }
        match scope.find(name) {
            Some(Entry::Scalar(expr)) => {
                self.spend(expr.size(), span)?;
                Ok(expr.clone())
            }
            Some(Entry::Table(_)) => Err(Error::semantic(
                span,
                "SEM0100",
                format!(
                    "'{name}' is a table, and a scalar is expected; toscalar() takes its first cell"
                ),
            )),
            Some(Entry::Tree { tree, scope, known }) => {
                if let Some(Known::Scalar(expr)) = &*known.borrow() {
                    return Ok(expr.clone());
                }
                if matches!(tree.kind, Kind::Lambda(_)) {
                    return Err(Error::semantic(
                        span,
                        "SEM0100",
                        format!("'{name}' is a function: it is called as {name}()"),
                    ));
                }
                if self.is_tabular(tree, scope) {
                    return Err(Error::semantic(
                        span,
                        "SEM0100",
                        format!(
                            "'{name}' is a table, and a scalar is expected; toscalar() takes its first cell"
                        ),
                    ));
                }
                let expr = self.inlined(span, |binder| binder.expr(tree, Row::NONE, scope))?;
                if expr.as_const().is_some() {
                    *known.borrow_mut() = Some(Known::Scalar(expr.clone()));
                }
                Ok(expr)
            }
            None => {
                let known = scope.names();
                let candidates = row
                    .fields
                    .iter()
                    .map(|field| &*field.name)
                    .chain(known.iter().map(|name| &**name));
                Err(Error::semantic(
                    span,
                    "SEM0100",
                    format!("the name '{name}' does not refer to a column or a variable"),
                )
                .suggest(name, candidates))
            }
        }
    }

    /// Binds the object of a member or element access.
    fn object(&mut self, ast: &Ast, row: Row<'_>, scope: &Rc<Scope>) -> Result<Expr> {
        let object = self.expr(ast, row, scope)?;
        match object.ty {
            Type::Dynamic => Ok(object),
            Type::String => Err(Error::semantic(
                ast.span,
                "SEM0106",
                "a string has no members; parse_json() makes a dynamic of it",
            )),
            ty => Err(Error::semantic(
                ast.span,
                "SEM0106",
                format!("a value of type {ty} has no members"),
            )),
        }
    }

    fn binary(
        &mut self,
        op: Binary,
        left: &Ast,
        right: &Ast,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let left = self.expr(left, row, scope)?;
        let right = self.expr(right, row, scope)?;
        let compare = match op {
            Binary::Equal => Compare::Equal,
            Binary::NotEqual => Compare::NotEqual,
            Binary::Less => Compare::Less,
            Binary::LessOrEqual => Compare::LessOrEqual,
            Binary::Greater => Compare::Greater,
            Binary::GreaterOrEqual => Compare::GreaterOrEqual,
            Binary::EqualFold => return self.compare_folded(false, left, right, row, span),
            Binary::NotEqualFold => return self.compare_folded(true, left, right, row, span),
            _ => return self.arithmetic(op, left, right, span),
        };
        self.compare(compare, left, right, row, span)
    }

    /// `between` includes both ends. A timespan as the upper end of a datetime is relative to the lower end.
    fn between(
        &mut self,
        negated: bool,
        (value, low, high): (&Ast, &Ast, &Ast),
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let value = self.expr(value, row, scope)?;
        let low = self.expr(low, row, scope)?;
        let mut high = self.expr(high, row, scope)?;
        if low.ty == Type::DateTime && high.ty == Type::TimeSpan {
            high = self.arithmetic(Binary::Add, low.clone(), high, span)?;
        }
        self.spend(value.size(), span)?;
        let (first, second) = match negated {
            false => (Compare::GreaterOrEqual, Compare::LessOrEqual),
            true => (Compare::Less, Compare::Greater),
        };
        let parts = vec![
            self.compare(first, value.clone(), low, row, span)?,
            self.compare(second, value, high, row, span)?,
        ];
        self.node(
            if negated {
                Node::Or(parts)
            } else {
                Node::And(parts)
            },
            Type::Bool,
            span,
        )
    }

    /// The items of a list. A table with one column contributes its rows.
    fn list(&mut self, list: &[Ast], row: Row<'_>, scope: &Rc<Scope>) -> Result<Vec<Expr>> {
        if let [only] = list
            && !matches!(&only.kind, Kind::Name(name) if row.find(name).is_some())
            && self.is_tabular(only, scope)
        {
            let aggregates = self.aggregates.take();
            let values = self.first_column(only, scope);
            self.aggregates = aggregates;
            return values;
        }
        list.iter()
            .map(|item| self.expr(item, row, scope))
            .collect()
    }

    fn has_list(&mut self, all: bool, value: &Expr, items: Vec<Expr>, span: Span) -> Result<Expr> {
        let mut needles = Vec::new();
        for item in items {
            match item.as_const() {
                Some(Value::Array(elements)) => {
                    needles.extend(elements.iter().map(|element| {
                        Expr::constant(Value::String(element.to_text()), Type::String)
                    }));
                }
                _ => needles.push(item),
            }
        }
        let op = TextOp {
            kind: TextKind::Has,
            fold: true,
        };
        let mut parts = Vec::with_capacity(needles.len());
        for needle in needles {
            self.spend(value.size(), span)?;
            parts.push(self.text(op, false, value.clone(), needle, span)?);
        }
        if parts.is_empty() {
            return Ok(Expr::constant(Value::Bool(all), Type::Bool));
        }
        self.node(
            if all {
                Node::And(parts)
            } else {
                Node::Or(parts)
            },
            Type::Bool,
            span,
        )
    }

    pub(super) fn text(
        &mut self,
        op: TextOp,
        negated: bool,
        value: Expr,
        needle: Expr,
        span: Span,
    ) -> Result<Expr> {
        // The JSON of a dynamic value is searched without parsing it.
        let keeps_json = value.ty == Type::Dynamic && matches!(value.node, Node::Column(_));
        let value = if keeps_json {
            value
        } else {
            self.convert(value, Type::String, span)?
        };
        let needle = self.convert(needle, Type::String, span)?;
        if let (TextKind::Matches, Some(Value::String(pattern))) = (op.kind, needle.as_const()) {
            check_regex(pattern, span)?;
        }
        let node = Node::Text {
            op,
            negated,
            value: Box::new(value),
            needle: Box::new(needle),
        };
        self.node(node, Type::Bool, span)
    }

    /// Runs `inside` as the body of an inlined definition, with the nesting limit of function calls.
    pub(super) fn inlined<T>(
        &mut self,
        span: Span,
        inside: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        const MOST: usize = 32;

        if self.calls >= MOST {
            return Err(Error::limit_at(
                span,
                format!("more than {MOST} functions or variables in each other"),
            ));
        }
        self.calls += 1;
        let result = inside(self);
        self.calls -= 1;
        result
    }

    pub(super) fn constant(&mut self, ast: &Ast, scope: &Rc<Scope>, subject: &str) -> Result<Expr> {
        let expr = self.expr(ast, Row::NONE, scope)?;
        match expr.as_const() {
            Some(_) => Ok(expr),
            None => Err(Error::semantic(
                ast.span,
                "SEM0108",
                format!("{subject} must be a constant"),
            )),
        }
    }

    /// A constant number of rows.
    pub(super) fn row_count(&mut self, ast: &Ast, scope: &Rc<Scope>) -> Result<usize> {
        let expr = self.constant(ast, scope, "the number of rows")?;
        let rows = expr.as_const().and_then(|value| match value {
            Value::Real(number) => crate::value::truncate(*number),
            other => other.as_long(),
        });
        match rows.map(usize::try_from) {
            Some(Ok(rows)) => Ok(rows),
            _ => Err(Error::semantic(
                ast.span,
                "SEM0108",
                "the number of rows must be a whole number from 0",
            )),
        }
    }
}

/// Rejects an invalid or too large regular expression.
pub(super) fn check_regex(pattern: &str, span: Span) -> Result<()> {
    compile(pattern).map(|_| ()).map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(bytes) => format!("it takes more than {bytes} bytes"),
            other => other
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .to_owned(),
        };
        Error::semantic(
            span,
            "SEM0420",
            format!("not a regular expression: {reason}"),
        )
    })
}
