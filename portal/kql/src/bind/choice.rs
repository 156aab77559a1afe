//! Binds functions that select values, shift the query's time, or use several rows.

use std::rc::Rc;

use super::operand::common_type;
use super::scope::Scope;
use super::{Binder, Row};
use crate::error::{Error, Result};
use crate::expr::{Arithmetic, Expr, Node, Window};
use crate::syntax::Span;
use crate::syntax::ast::Ast;
use crate::types::Type;

impl Binder<'_> {
    /// `iff` and `case`.
    pub(super) fn choice(
        &mut self,
        args: &[&Ast],
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let mut items = Vec::with_capacity(args.len());
        let last = args.len() - 1;
        for (index, arg) in args.iter().enumerate() {
            let item = self.expr(arg, row, scope)?;
            items.push(if index % 2 == 0 && index != last {
                self.condition(item, row, arg.span)?
            } else {
                item
            });
        }
        let is_value = |index: usize| index % 2 == 1 || index == last;
        let values: Vec<Type> = items
            .iter()
            .enumerate()
            .filter(|(index, _)| is_value(*index))
            .map(|(_, item)| item.ty)
            .collect();
        let Some(ty) = common_type(&values) else {
            return Err(Error::semantic(
                span,
                "SEM0220",
                "the values to choose from have no type in common",
            ));
        };
        let mut converted = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            converted.push(if is_value(index) {
                self.convert(item, ty, span)?
            } else {
                item
            });
        }
        self.node(Node::Case(converted), ty, span)
    }

    /// `now()`, shifted by a timespan.
    pub(super) fn shifted(
        &mut self,
        now: Expr,
        op: Arithmetic,
        by: Option<&Ast>,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let Some(by) = by else {
            return Ok(now);
        };
        let offset = self.expr(by, row, scope)?;
        if offset.ty != Type::TimeSpan && offset.ty != Type::Dynamic {
            return Err(Error::semantic(
                by.span,
                "SEM0219",
                format!("a timespan is expected here, not {}", offset.ty),
            ));
        }
        let offset = self.convert(offset, Type::TimeSpan, span)?;
        self.node(
            Node::Arithmetic(op, Box::new(now), Box::new(offset)),
            Type::DateTime,
            span,
        )
    }

    pub(super) fn window(
        &mut self,
        window: Window,
        args: &[&Ast],
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let mut bound = Vec::with_capacity(args.len());
        for arg in args {
            bound.push(self.expr(arg, row, scope)?);
        }
        if bound.iter().any(Expr::has_window) {
            return Err(Error::unsupported(
                span,
                "a window function inside of another",
            ));
        }
        let ty = match (window, bound.first().map(|arg| arg.ty)) {
            (Window::Previous | Window::Next, Some(ty)) => ty,
            (Window::CumulativeSum, Some(Type::Dynamic)) => Type::Real,
            (Window::CumulativeSum, Some(ty)) if ty.is_number() || ty == Type::TimeSpan => ty,
            (Window::CumulativeSum, Some(ty)) => {
                return Err(Error::semantic(
                    span,
                    "SEM0219",
                    format!("row_cumsum() takes a number or a timespan, not {ty}"),
                ));
            }
            (Window::Session, Some(Type::DateTime)) => Type::DateTime,
            (Window::Session, _) => {
                return Err(Error::semantic(
                    span,
                    "SEM0219",
                    "row_window_session() takes a datetime",
                ));
            }
            _ => Type::Long,
        };
        if window == Window::CumulativeSum && bound[0].ty == Type::Dynamic {
            bound[0] = self.convert(bound[0].clone(), Type::Real, span)?;
        }
        self.node(Node::Window(window, bound), ty, span)
    }
}
