//! Functions that `let` defines. Calls are inlined.

use std::rc::Rc;
use std::sync::Arc;

use super::scope::{Entry, Scope, lets};
use super::{Binder, Relation, Row};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::syntax::Span;
use crate::syntax::ast::{Arg, Call, Lambda, ParamKind};
use crate::types::Type;

impl Binder<'_> {
    pub(super) fn user_scalar(
        &mut self,
        call: &Call,
        lambda: &Arc<Lambda>,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        self.inlined(span, |binder| {
            let inner = binder.arguments(call, lambda, None, span, row, scope)?;
            let inner = lets(&lambda.body, &inner)?;
            binder.expr(&lambda.body.result, Row::NONE, &inner)
        })
    }

    /// `first` is the input of `invoke`, which becomes the first argument.
    pub(super) fn user_table(
        &mut self,
        call: &Call,
        lambda: &Arc<Lambda>,
        first: Option<Relation>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        self.inlined(span, |binder| {
            let inner = binder.arguments(call, lambda, first, span, Row::NONE, scope)?;
            let inner = lets(&lambda.body, &inner)?;
            binder.relation(&lambda.body.result, &inner)
        })
    }

    /// The scope of a function's body: its definition scope and its parameters.
    fn arguments(
        &mut self,
        call: &Call,
        lambda: &Lambda,
        first: Option<Relation>,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Rc<Scope>> {
        let name = &call.name.text;
        let Some(Entry::Tree { scope: home, .. }) = scope.find(name) else {
            return Err(Error::semantic(
                call.name.span,
                "SEM0260",
                format!("unknown function '{name}'"),
            ));
        };
        let mut inner = home.clone();
        let mut positional = call.args.iter().filter(|arg| arg.name.is_none());
        let mut first = first;
        for param in &lambda.params {
            let named = call.args.iter().find(|arg| {
                arg.name
                    .as_ref()
                    .is_some_and(|name| name.text == param.name.text)
            });
            let entry = match (&param.kind, first.take()) {
                (ParamKind::Table(columns), Some(relation)) => {
                    self.check_columns(&relation, columns.as_deref(), call.name.span)?;
                    Entry::Table(relation)
                }
                (ParamKind::Scalar { .. }, Some(_)) => {
                    return Err(Error::semantic(
                        call.name.span,
                        "SEM0219",
                        format!("the first parameter of {name}() is not a table"),
                    ));
                }
                (kind, None) => match (named.or_else(|| positional.next()), kind) {
                    (Some(arg), kind) => self.argument(arg, kind, row, scope)?,
                    (
                        None,
                        ParamKind::Scalar {
                            ty,
                            default: Some(default),
                        },
                    ) => {
                        let value = self.expr(default, Row::NONE, &home.clone())?;
                        Entry::Scalar(self.convert(value, *ty, span)?)
                    }
                    (None, _) => {
                        return Err(Error::semantic(
                            call.name.span,
                            "SEM0219",
                            format!("{name}() needs a value for '{}'", param.name.text),
                        ));
                    }
                },
            };
            inner = Scope::with(&inner, param.name.text.clone(), entry);
        }
        if positional.next().is_some() {
            return Err(Error::semantic(
                call.name.span,
                "SEM0219",
                format!("{name}() takes {} arguments", lambda.params.len()),
            ));
        }
        Ok(inner)
    }

    fn argument(
        &mut self,
        arg: &Arg,
        kind: &ParamKind,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Entry> {
        let span = arg.value.span;
        match kind {
            ParamKind::Table(columns) => {
                let relation = self.relation(&arg.value, scope)?;
                self.check_columns(&relation, columns.as_deref(), span)?;
                Ok(Entry::Table(relation))
            }
            ParamKind::Scalar { ty, .. } => {
                let value = self.expr(&arg.value, row, scope)?;
                let fits = value.ty == *ty
                    || value.ty == Type::Dynamic
                    || *ty == Type::Dynamic
                    || (value.ty.is_number() && ty.is_number());
                if !fits {
                    return Err(Error::semantic(
                        span,
                        "SEM0219",
                        format!("a value of type {ty} is expected here, not {}", value.ty),
                    ));
                }
                Ok(Entry::Scalar(self.convert(value, *ty, span)?))
            }
        }
    }

    #[expect(clippy::unused_self, reason = "a step of arguments()")]
    fn check_columns(
        &self,
        relation: &Relation,
        columns: Option<&[crate::syntax::ast::Typed]>,
        span: Span,
    ) -> Result<()> {
        for column in columns.unwrap_or_default() {
            let found = relation
                .fields
                .iter()
                .find(|field| field.name == column.name.text);
            let fits = found.is_some_and(|field| {
                field.ty == column.ty || (field.ty.is_number() && column.ty.is_number())
            });
            if !fits {
                return Err(Error::semantic(
                    span,
                    "SEM0219",
                    format!(
                        "the table has no column '{}' of type {}",
                        column.name.text, column.ty
                    ),
                ));
            }
        }
        Ok(())
    }
}
