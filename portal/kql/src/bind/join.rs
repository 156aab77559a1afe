//! `join` and `lookup`.

use std::rc::Rc;

use super::names::Names;
use super::operator::unknown_column;
use super::scope::Scope;
use super::{Binder, Relation, Row};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::plan::{Join, PlanNode};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Binary, JoinKind, Kind};
use crate::types::{Field, Type};

impl Binder<'_> {
    #[expect(clippy::too_many_arguments, reason = "the parts of the operator")]
    pub(super) fn join(
        &mut self,
        left: Relation,
        kind: JoinKind,
        right: &Ast,
        on: &[Ast],
        lookup: bool,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let right = self.relation(right, scope)?;
        let mut keys = Vec::new();
        for condition in on {
            self.join_keys(condition, &left, &right, &mut keys)?;
        }
        let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
        for (a, b, span) in &keys {
            let (a, b) = (
                Expr::column(*a, left.fields[*a].ty),
                Expr::column(*b, right.fields[*b].ty),
            );
            let (a, b) = self.join_types(a, b, *span)?;
            left_keys.push(a);
            right_keys.push(b);
        }
        // The keys of a lookup occur once in the output.
        let right_columns: Vec<usize> = (0..right.fields.len())
            .filter(|index| !lookup || !keys.iter().any(|(_, key, _)| key == index))
            .collect();
        let mut names = Names::default();
        let mut fields: Vec<Field> = Vec::new();
        let shows_left = !matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let shows_right = !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        if shows_left {
            for field in &left.fields {
                fields.push(field.renamed(&names.unique(&field.name)));
            }
        }
        let mut shown = Vec::new();
        if shows_right {
            for index in right_columns {
                let field = &right.fields[index];
                fields.push(field.renamed(&names.unique(&field.name)));
                shown.push(index);
            }
        }
        let types = fields.iter().map(|field| field.ty).collect();
        let node = PlanNode::Join(Box::new(Join {
            left: left.plan,
            right: right.plan,
            kind,
            left_keys,
            right_keys,
            right_columns: shown,
        }));
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name: None,
        })
    }

    fn join_types(&mut self, left: Expr, right: Expr, span: Span) -> Result<(Expr, Expr)> {
        let (a, b) = (left.ty, right.ty);
        let ty = match (a, b) {
            (a, b) if a == b && a != Type::Dynamic => return Ok((left, right)),
            (a, b) if a.is_number() && b.is_number() => a.wider(b),
            (Type::Dynamic, Type::Dynamic) => Type::String,
            (Type::Dynamic, other) | (other, Type::Dynamic) => other,
            _ => {
                return Err(Error::semantic(
                    span,
                    "SEM0064",
                    format!("a column of type {a} cannot be joined with one of {b}"),
                ));
            }
        };
        Ok((
            self.convert(left, ty, span)?,
            self.convert(right, ty, span)?,
        ))
    }

    /// `a`, `$left.x == $right.y`, or several of these joined by `and`.
    fn join_keys(
        &mut self,
        condition: &Ast,
        left: &Relation,
        right: &Relation,
        keys: &mut Vec<(usize, usize, Span)>,
    ) -> Result<()> {
        let span = condition.span;
        match &condition.kind {
            Kind::Name(name) => {
                let a = (Row {
                    fields: &left.fields,
                })
                .find(name)
                .ok_or_else(|| unknown_column(name, span, &left.fields))?;
                let b = (Row {
                    fields: &right.fields,
                })
                .find(name)
                .ok_or_else(|| unknown_column(name, span, &right.fields))?;
                keys.push((a, b, span));
                Ok(())
            }
            Kind::And(items) => items
                .iter()
                .try_for_each(|item| self.join_keys(item, left, right, keys)),
            Kind::Binary(Binary::Equal, one, other) => {
                let (one, other) = (side(one)?, side(other)?);
                let (a, b) = match (one.0, other.0) {
                    (true, false) => (one, other),
                    (false, true) => (other, one),
                    _ => return Err(bad_condition(span)),
                };
                let a = (Row {
                    fields: &left.fields,
                })
                .find(a.1)
                .ok_or_else(|| unknown_column(a.1, a.2, &left.fields))?;
                let b = (Row {
                    fields: &right.fields,
                })
                .find(b.1)
                .ok_or_else(|| unknown_column(b.1, b.2, &right.fields))?;
                keys.push((a, b, span));
                Ok(())
            }
            _ => Err(bad_condition(span)),
        }
    }
}

/// Whether the operand is `$left`, and its column.
fn side(ast: &Ast) -> Result<(bool, &str, Span)> {
    let (object, column) = match &ast.kind {
        Kind::Member(object, column) => (object, &**column),
        Kind::Index(object, index) => match &index.kind {
            Kind::Literal(crate::value::Value::String(column), _) => (object, &**column),
            _ => return Err(bad_condition(ast.span)),
        },
        _ => return Err(bad_condition(ast.span)),
    };
    match &object.kind {
        Kind::Special(name) if &**name == "$left" => Ok((true, column, ast.span)),
        Kind::Special(name) if &**name == "$right" => Ok((false, column, ast.span)),
        _ => Err(bad_condition(ast.span)),
    }
}

fn bad_condition(span: Span) -> Error {
    Error::semantic(
        span,
        "SEM0100",
        "a join is on the name of a column or on $left.a == $right.b",
    )
}
