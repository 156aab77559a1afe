//! Binds calls of aggregates: arguments, results, names.

use std::rc::Rc;

use super::names::inferred;
use super::scope::Scope;
use super::{AGGREGATE_BASE, Binder, Row};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::plan::{Aggregate, AggregateKind};
use crate::syntax::Span;
use crate::syntax::ast::{Call, Kind};
use crate::types::Type;

/// The supported aggregates.
pub(crate) const AGGREGATES: &[&str] = &[
    "any",
    "anyif",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "avg",
    "avgif",
    "binary_all_and",
    "binary_all_or",
    "binary_all_xor",
    "count",
    "count_distinct",
    "count_distinctif",
    "countif",
    "dcount",
    "dcountif",
    "make_bag",
    "make_bag_if",
    "make_dictionary",
    "make_list",
    "make_list_if",
    "make_list_with_nulls",
    "make_set",
    "make_set_if",
    "makelist",
    "makeset",
    "max",
    "maxif",
    "min",
    "minif",
    "percentile",
    "percentiles",
    "percentiles_array",
    "percentilesw",
    "percentilesw_array",
    "percentilew",
    "stdev",
    "stdevif",
    "stdevp",
    "stdevpif",
    "sum",
    "sumif",
    "take_any",
    "take_anyif",
    "variance",
    "varianceif",
    "variancep",
    "variancepif",
];

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

/// A bound call with the names of its columns.
pub(super) struct Bound {
    pub(super) aggregate: Aggregate,
    pub(super) names: Vec<Name>,
}

/// The name of a column of an aggregate.
pub(super) struct Name {
    pub(super) text: String,
    /// Whether a column is dropped, rather than renamed, if its name is taken.
    pub(super) by_star: bool,
}

impl Name {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            by_star: false,
        }
    }
}

impl Binder<'_> {
    /// An aggregate inside an expression: a placeholder for a column of the aggregation.
    pub(super) fn aggregate_placeholder(
        &mut self,
        call: &Call,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let Some(outer) = self.aggregates.take() else {
            return Err(Error::semantic(
                call.name.span,
                "SEM0107",
                format!(
                    "the aggregate {}() stands outside of 'summarize' and 'make-series'",
                    call.name.text
                ),
            ));
        };
        let bound = self.aggregate(call, span, row, scope);
        let mut aggregates = outer;
        let result = bound.and_then(|bound| match bound.aggregate.outputs[..] {
            [ty] => {
                let index: usize = aggregates
                    .iter()
                    .map(|aggregate| aggregate.outputs.len())
                    .sum();
                aggregates.push(bound.aggregate);
                Ok(Expr::column(AGGREGATE_BASE + index, ty))
            }
            _ => Err(Error::semantic(
                span,
                "SEM0107",
                format!(
                    "{}() gives several columns and cannot be part of an expression",
                    call.name.text
                ),
            )),
        });
        self.aggregates = Some(aggregates);
        result
    }

    pub(super) fn aggregate(
        &mut self,
        call: &Call,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Bound> {
        self.spend(1, span)?;
        let name = &*call.name.text;
        let first = call
            .args
            .first()
            .map(|arg| inferred(&arg.value).unwrap_or_default())
            .unwrap_or_default();
        let prefixed = |prefix: &str| vec![Name::new(format!("{prefix}_{first}"))];
        match name {
            "count" => {
                let star = matches!(
                    call.args.first().map(|arg| &arg.value.kind),
                    Some(Kind::Star)
                );
                self.arity(call, 0, Some(usize::from(star)))?;
                Ok(simple(
                    AggregateKind::Count,
                    Vec::new(),
                    None,
                    Type::Long,
                    vec![Name::new("count_".to_owned())],
                ))
            }
            "countif" => {
                self.arity(call, 1, Some(1))?;
                let predicate = self.predicate(call, 0, row, scope)?;
                Ok(simple(
                    AggregateKind::Count,
                    Vec::new(),
                    Some(predicate),
                    Type::Long,
                    prefixed(name),
                ))
            }
            "sum" | "sumif" | "avg" | "avgif" | "stdev" | "stdevif" | "stdevp" | "stdevpif"
            | "variance" | "varianceif" | "variancep" | "variancepif" => {
                self.numeric(call, row, scope, prefixed(name))
            }
            "min" | "minif" | "max" | "maxif" => {
                let (arg, predicate) =
                    self.arg_and_predicate(call, name.ends_with("if"), row, scope)?;
                if arg.ty == Type::Guid {
                    return Err(self.misfit(call, arg.ty));
                }
                let kind = if name.starts_with("min") {
                    AggregateKind::Min
                } else {
                    AggregateKind::Max
                };
                let ty = arg.ty;
                Ok(simple(kind, vec![arg], predicate, ty, prefixed(name)))
            }
            "dcount" | "dcountif" | "count_distinct" | "count_distinctif" => {
                let conditional = name.ends_with("if");
                let most = if name.starts_with("dcount") { 2 } else { 1 };
                self.arity(
                    call,
                    1 + usize::from(conditional),
                    Some(most + usize::from(conditional)),
                )?;
                let arg = self.expr(&call.args[0].value, row, scope)?;
                let predicate = if conditional {
                    Some(self.predicate(call, 1, row, scope)?)
                } else {
                    None
                };
                if let Some(accuracy) = call.args.get(1 + usize::from(conditional)) {
                    self.constant(&accuracy.value, scope, "the accuracy")?;
                }
                Ok(simple(
                    AggregateKind::DistinctCount,
                    vec![arg],
                    predicate,
                    Type::Long,
                    prefixed(name),
                ))
            }
            "percentile" | "percentiles" | "percentiles_array" | "percentilew" | "percentilesw"
            | "percentilesw_array" => self.percentiles(call, row, scope, &first),
            "arg_max" | "arg_min" | "argmax" | "argmin" => self.arg_extreme(call, row, scope),
            "any" | "take_any" | "anyif" | "take_anyif" => self.take_any(call, row, scope),
            "binary_all_and" | "binary_all_or" | "binary_all_xor" => {
                self.arity(call, 1, Some(1))?;
                let arg = self.expr(&call.args[0].value, row, scope)?;
                let arg = self.convert(arg, Type::Long, span)?;
                let kind = match name {
                    "binary_all_and" => AggregateKind::BinaryAnd,
                    "binary_all_or" => AggregateKind::BinaryOr,
                    _ => AggregateKind::BinaryXor,
                };
                let names = if first.is_empty() {
                    prefixed(name)
                } else {
                    vec![Name::new(first.clone())]
                };
                Ok(simple(kind, vec![arg], None, Type::Long, names))
            }
            _ => self.collection(call, row, scope, &first),
        }
    }

    #[expect(clippy::unused_self, reason = "called as the other steps are")]
    pub(super) fn misfit(&self, call: &Call, ty: Type) -> Error {
        let span = call
            .args
            .first()
            .map_or(call.name.span, |arg| arg.value.span);
        Error::semantic(
            span,
            "SEM0219",
            format!(
                "{}() cannot be applied to a value of type {ty}",
                call.name.text
            ),
        )
    }

    pub(super) fn predicate(
        &mut self,
        call: &Call,
        index: usize,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let ast = &call.args[index].value;
        let predicate = self.expr(ast, row, scope)?;
        self.condition(predicate, row, ast.span)
    }

    fn arg_and_predicate(
        &mut self,
        call: &Call,
        conditional: bool,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<(Expr, Option<Expr>)> {
        let count = 1 + usize::from(conditional);
        self.arity(call, count, Some(count))?;
        let arg = self.expr(&call.args[0].value, row, scope)?;
        let predicate = if conditional {
            Some(self.predicate(call, 1, row, scope)?)
        } else {
            None
        };
        Ok((arg, predicate))
    }

    /// Sums, averages and deviations.
    fn numeric(
        &mut self,
        call: &Call,
        row: Row<'_>,
        scope: &Rc<Scope>,
        names: Vec<Name>,
    ) -> Result<Bound> {
        let name = &*call.name.text;
        let conditional = name.ends_with("if");
        let (mut arg, predicate) = self.arg_and_predicate(call, conditional, row, scope)?;
        if arg.ty == Type::Dynamic {
            arg = self.convert(arg, Type::Real, call.name.span)?;
        }
        let plain = name.strip_suffix("if").unwrap_or(name);
        let (kind, ty) = match (plain, arg.ty) {
            ("sum", Type::Int | Type::Long) => (AggregateKind::Sum, Type::Long),
            ("sum", ty @ (Type::Real | Type::Decimal | Type::TimeSpan)) => (AggregateKind::Sum, ty),
            ("avg", Type::Int | Type::Long | Type::Real) => (AggregateKind::Average, Type::Real),
            ("avg", ty @ (Type::Decimal | Type::TimeSpan | Type::DateTime)) => {
                (AggregateKind::Average, ty)
            }
            ("stdev", ty) if ty.is_number() => {
                (AggregateKind::Deviation { population: false }, Type::Real)
            }
            ("stdevp", ty) if ty.is_number() => {
                (AggregateKind::Deviation { population: true }, Type::Real)
            }
            ("variance", ty) if ty.is_number() => {
                (AggregateKind::Variance { population: false }, Type::Real)
            }
            ("variancep", ty) if ty.is_number() => {
                (AggregateKind::Variance { population: true }, Type::Real)
            }
            (_, ty) => return Err(self.misfit(call, ty)),
        };
        Ok(simple(kind, vec![arg], predicate, ty, names))
    }
}

pub(super) fn simple(
    kind: AggregateKind,
    args: Vec<Expr>,
    predicate: Option<Expr>,
    ty: Type,
    names: Vec<Name>,
) -> Bound {
    Bound {
        aggregate: Aggregate {
            kind,
            args,
            predicate,
            outputs: vec![ty],
        },
        names,
    }
}
