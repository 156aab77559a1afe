//! `make-series`.

use std::rc::Rc;

use super::names::Names;
use super::scope::Scope;
use super::summarize::{Key, Output};
use super::{Binder, Relation, Row};
use crate::error::{Error, Result};
use crate::expr::{Expr, Node};
use crate::plan::{Aggregate, PlanNode, Series};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Item, MakeSeries};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn make_series(
        &mut self,
        input: Relation,
        series: &MakeSeries,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut names = Names::default();
        let mut keys = self.keys(&input, &series.by, &mut names, scope)?;
        let row = Row {
            fields: &input.fields,
        };
        let axis = self.expr(&series.axis.value, row, scope)?;
        if !axis.ty.is_number() && !matches!(axis.ty, Type::DateTime | Type::TimeSpan) {
            return Err(Error::semantic(
                series.axis.value.span,
                "SEM0219",
                format!(
                    "the axis must be a number, datetime or timespan, not {}",
                    axis.ty
                ),
            ));
        }
        let step_type = if axis.ty == Type::DateTime {
            Type::TimeSpan
        } else {
            axis.ty
        };
        let step = self.bound(&series.step, step_type, scope, "the step")?;
        if !(step.as_long().is_some_and(|step| step > 0)
            || step.as_real().is_some_and(|step| step > 0.0))
        {
            return Err(Error::semantic(
                series.step.span,
                "SEM0219",
                "the step must be greater than 0",
            ));
        }
        let from = series
            .from
            .as_ref()
            .map(|from| self.bound(from, axis.ty, scope, "the start"))
            .transpose()?;
        let to = series
            .to
            .as_ref()
            .map(|to| self.bound(to, axis.ty, scope, "the end"))
            .transpose()?;
        let items: Vec<&Item> = series.aggregates.iter().map(|(item, _)| item).collect();
        let (outputs, calls) = self.series_outputs(&input, &items, &mut names, scope)?;
        let mut defaults = Vec::new();
        for (output, (_, default)) in outputs.iter().zip(&series.aggregates) {
            defaults.push(match default {
                Some(default) => {
                    let value = self.constant(default, scope, "the default")?;
                    let ty = output.field.ty;
                    let value = if ty == Type::Long && value.ty == Type::Real {
                        value
                    } else {
                        self.convert(value, ty, default.span)?
                    };
                    value.as_const().cloned().unwrap_or_default()
                }
                None => match output.field.ty {
                    Type::Real => Value::Real(0.0),
                    Type::Int | Type::Long => Value::Long(0),
                    Type::TimeSpan => Value::TimeSpan(0),
                    _ => Value::Null,
                },
            });
        }
        let axis_name = match &series.axis.name {
            Some(name) => names.unique(&name.text),
            None => names.of(&series.axis.value),
        };
        let input = self.within(
            input,
            &axis,
            from.as_ref(),
            to.as_ref(),
            series.in_range,
            span,
        )?;
        let origin = match (&from, series.in_range) {
            (Some(from), false) => from.clone(),
            _ => crate::convert::convert(&Value::Long(0), axis.ty),
        };
        let bin = self.apply(
            "bin_at",
            vec![
                axis.clone(),
                Expr::constant(step.clone(), step_type),
                Expr::constant(origin, axis.ty),
            ],
            axis.ty,
            span,
        )?;
        let key_count = keys.len();
        let output_fields: Vec<Field> = outputs.iter().map(|output| output.field.clone()).collect();
        let mut fields: Vec<Field> = keys.iter().map(|key| key.field.clone()).collect();
        keys.push(Key {
            field: Field::new("bin", axis.ty),
            expr: bin,
        });
        let binned = self.aggregation(input, keys, outputs, calls, true, span)?;
        let mut types: Vec<Type> = fields.iter().map(|field| field.ty).collect();
        for field in &output_fields {
            fields.push(Field::new(&field.name, Type::Dynamic));
            types.push(Type::Dynamic);
        }
        fields.push(Field::new(&axis_name, Type::Dynamic));
        types.push(Type::Dynamic);
        let node = PlanNode::Series(Box::new(Series {
            input: binned.plan,
            keys: key_count,
            defaults,
            from,
            to,
            step,
            inclusive: series.in_range,
            non_empty: series.non_empty,
        }));
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name: None,
        })
    }

    fn series_outputs(
        &mut self,
        input: &Relation,
        items: &[&Item],
        names: &mut Names,
        scope: &Rc<Scope>,
    ) -> Result<(Vec<Output>, Vec<Aggregate>)> {
        let outer = self.aggregates.replace(Vec::new());
        let mut outputs = Vec::new();
        let mut failed = None;
        for item in items {
            match self.outputs_inside(input, std::slice::from_ref(*item), names, scope) {
                Ok(mut bound) if bound.len() == 1 => outputs.append(&mut bound),
                Ok(_) => {
                    failed = Some(Error::unsupported(
                        item.value.span,
                        "an aggregate of several columns in 'make-series'",
                    ));
                }
                Err(error) => failed = Some(error),
            }
            if failed.is_some() {
                break;
            }
        }
        let calls = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        match failed {
            Some(error) => Err(error),
            None => Ok((outputs, calls)),
        }
    }

    fn bound(&mut self, ast: &Ast, ty: Type, scope: &Rc<Scope>, subject: &str) -> Result<Value> {
        let value = self.constant(ast, scope, subject)?;
        let fits =
            value.ty == ty || value.ty == Type::Dynamic || (value.ty.is_number() && ty.is_number());
        if !fits {
            return Err(Error::semantic(
                ast.span,
                "SEM0219",
                format!("{subject} must be of type {ty}, not {}", value.ty),
            ));
        }
        let value = self.convert(value, ty, ast.span)?;
        match value.as_const() {
            Some(value) if !value.is_null() => Ok(value.clone()),
            _ => Err(Error::semantic(
                ast.span,
                "SEM0219",
                format!("{subject} is null"),
            )),
        }
    }

    /// The rows whose axis value is in the range.
    fn within(
        &mut self,
        input: Relation,
        axis: &Expr,
        from: Option<&Value>,
        to: Option<&Value>,
        inclusive: bool,
        span: Span,
    ) -> Result<Relation> {
        use crate::expr::Compare::{GreaterOrEqual, Less, LessOrEqual};

        let mut predicates = vec![self.apply("isnotnull", vec![axis.clone()], Type::Bool, span)?];
        let upper = if inclusive { LessOrEqual } else { Less };
        for (end, op) in [(from, GreaterOrEqual), (to, upper)] {
            if let Some(end) = end {
                let end = Expr::constant(end.clone(), axis.ty);
                predicates.push(self.compare(op, axis.clone(), end, Row::NONE, span)?);
            }
        }
        let predicate = self.node(Node::And(predicates), Type::Bool, span)?;
        self.filtered(input, predicate, span)
    }
}
