//! Binds calls of functions.

use std::rc::Rc;

use super::aggregate::is_aggregate;
use super::expression::check_regex;
use super::names::conversion;
use super::operand::common_type;
use super::scope::{Entry, Scope};
use super::{Binder, Row};
use crate::error::{Error, Result};
use crate::expr::{Arithmetic, Expr, Node, Window};
use crate::functions::{self, Function, Outcome, Signature, UNSUPPORTED, signatures};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Call, Kind};
use crate::time::Part;
use crate::types::Type;
use crate::value::Value;

/// Functions that the binder implements itself, beside those of the table.
pub(crate) const SPECIAL_FUNCTIONS: &[&str] = &[
    "ago",
    "case",
    "column_ifexists",
    "columnifexists",
    "gettype",
    "iff",
    "iif",
    "materialize",
    "next",
    "now",
    "pack_all",
    "prev",
    "row_cumsum",
    "row_number",
    "row_rank_dense",
    "row_rank_min",
    "row_window_session",
    "table",
    "tobool",
    "toboolean",
    "todatetime",
    "todecimal",
    "todouble",
    "toguid",
    "toint",
    "tolong",
    "toreal",
    "toscalar",
    "tostring",
    "totime",
    "totimespan",
    "typeof",
];

fn window(name: &str) -> Option<(Window, usize, usize)> {
    Some(match name {
        "prev" => (Window::Previous, 1, 3),
        "next" => (Window::Next, 1, 3),
        "row_number" => (Window::RowNumber, 0, 2),
        "row_cumsum" => (Window::CumulativeSum, 1, 2),
        "row_rank_dense" => (Window::RankDense, 1, 2),
        "row_rank_min" => (Window::RankMin, 1, 2),
        "row_window_session" => (Window::Session, 3, 4),
        _ => return None,
    })
}

impl Binder<'_> {
    pub(super) fn call(
        &mut self,
        call: &Call,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let name = &*call.name.text;
        if let Some(Entry::Tree { tree, .. }) = scope.find(name)
            && let Kind::Lambda(lambda) = &tree.kind
        {
            let lambda = lambda.clone();
            return self.user_scalar(call, &lambda, span, row, scope);
        }
        if let Some(named) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return Err(Error::semantic(
                named.span,
                "SEM0219",
                format!("{name}() has no named arguments"),
            ));
        }
        if is_aggregate(name) {
            return self.aggregate_placeholder(call, span, row, scope);
        }
        let args: Vec<&Ast> = call.args.iter().map(|arg| &arg.value).collect();
        if let Some(ty) = conversion(name) {
            self.arity(call, 1, Some(1))?;
            let arg = self.expr(args[0], row, scope)?;
            return self.convert(arg, ty, span);
        }
        if let Some((window, least, most)) = window(name) {
            self.arity(call, least, Some(most))?;
            return self.window(window, &args, span, row, scope);
        }
        match name {
            "not" => {
                self.arity(call, 1, Some(1))?;
                let arg = self.expr(args[0], row, scope)?;
                let arg = self.condition(arg, row, args[0].span)?;
                self.apply("not", vec![arg], Type::Bool, span)
            }
            "iff" | "iif" => {
                self.arity(call, 3, Some(3))?;
                self.choice(&args, span, row, scope)
            }
            "case" => {
                self.arity(call, 3, None)?;
                if args.len().is_multiple_of(2) {
                    return Err(Error::semantic(
                        span,
                        "SEM0219",
                        "case() takes pairs of condition and value, and a last value",
                    ));
                }
                self.choice(&args, span, row, scope)
            }
            "now" => {
                self.arity(call, 0, Some(1))?;
                let now =
                    Expr::constant(Value::DateTime(self.evaluator.context.now), Type::DateTime);
                self.shifted(
                    now,
                    Arithmetic::Add,
                    args.first().copied(),
                    span,
                    row,
                    scope,
                )
            }
            "ago" => {
                self.arity(call, 1, Some(1))?;
                let now =
                    Expr::constant(Value::DateTime(self.evaluator.context.now), Type::DateTime);
                self.shifted(
                    now,
                    Arithmetic::Subtract,
                    args.first().copied(),
                    span,
                    row,
                    scope,
                )
            }
            "column_ifexists" | "columnifexists" => {
                self.arity(call, 2, Some(2))?;
                let column = self.constant(args[0], scope, "the name of the column")?;
                let column = column.as_const().map(Value::to_text).unwrap_or_default();
                match row.find(&column) {
                    Some(index) => Ok(Expr::column(index, row.fields[index].ty)),
                    None => self.expr(args[1], row, scope),
                }
            }
            "pack_all" => {
                self.arity(call, 0, Some(1))?;
                let filled = match args.first() {
                    Some(flag) => {
                        self.constant(flag, scope, "the argument of pack_all()")?
                            .as_const()
                            .and_then(Value::as_bool)
                            == Some(true)
                    }
                    None => false,
                };
                let members = row.fields.iter().enumerate().flat_map(|(index, field)| {
                    [
                        Expr::constant(Value::String(field.name.clone()), Type::String),
                        Expr::column(index, field.ty),
                    ]
                });
                let function = if filled { "_pack_filled" } else { "bag_pack" };
                self.apply(function, members.collect(), Type::Dynamic, span)
            }
            "toscalar" => {
                self.arity(call, 1, Some(1))?;
                if self.is_tabular(args[0], scope) {
                    return self.first_cell(args[0], scope);
                }
                self.expr(args[0], Row::NONE, scope)
            }
            "gettype" => {
                self.arity(call, 1, Some(1))?;
                let arg = self.expr(args[0], row, scope)?;
                match arg.ty {
                    Type::Dynamic => self.apply("gettype", vec![arg], Type::String, span),
                    ty => Ok(Expr::constant(Value::text(ty.name()), Type::String)),
                }
            }
            "materialize" | "table" | "view" => Err(Error::semantic(
                span,
                "SEM0100",
                format!("{name}() is a table, and a scalar is expected"),
            )),
            _ => self.function(call, span, row, scope),
        }
    }

    fn function(
        &mut self,
        call: &Call,
        span: Span,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let name = &*call.name.text;
        let Some(function) = functions::find(name).filter(|_| !name.starts_with('_')) else {
            return Err(unknown_function(call, scope));
        };
        let forms = signatures(function.signature);
        let least = forms.iter().map(|form| form.arity().0).min().unwrap_or(0);
        let most = forms
            .iter()
            .map(|form| form.arity().1)
            .collect::<Option<Vec<_>>>()
            .and_then(|most| most.into_iter().max());
        // A type as the last argument converts the result.
        let typed = match (name, call.args.last().map(|arg| &arg.value.kind)) {
            ("extract" | "extract_json" | "extractjson", Some(Kind::TypeOf(ty))) => Some(*ty),
            _ => None,
        };
        let given = call.args.len() - usize::from(typed.is_some());
        if given < least || most.is_some_and(|most| given > most) {
            return Err(wrong_arity(call, least, most, given));
        }
        let mut args = Vec::with_capacity(given);
        for arg in call.args.iter().take(given) {
            args.push(self.expr(&arg.value, row, scope)?);
        }
        self.check_constants(name, &args, call)?;
        if name == "floor" && args.len() == 1 {
            args.push(Expr::constant(Value::Long(1), Type::Long));
        }
        let result = self.signed(function, &forms, args, call, span)?;
        match typed {
            Some(ty) => self.convert(result, ty, span),
            None => Ok(result),
        }
    }

    /// Selects the best-fitting form, and converts the arguments to it.
    fn signed(
        &mut self,
        function: &'static Function,
        forms: &[Signature],
        args: Vec<Expr>,
        call: &Call,
        span: Span,
    ) -> Result<Expr> {
        let cost = |form: &Signature| -> Option<u32> {
            if !form.accepts(args.len()) {
                return None;
            }
            args.iter()
                .enumerate()
                .map(|(index, arg)| form.param(index)?.cost(arg.ty).map(u32::from))
                .sum()
        };
        let best = forms
            .iter()
            .filter_map(|form| Some((cost(form)?, form)))
            .min_by_key(|(cost, _)| *cost);
        let Some((_, form)) = best else {
            return Err(misfit(forms, &args, call));
        };
        let mut converted = Vec::with_capacity(args.len());
        for (index, arg) in args.into_iter().enumerate() {
            let wanted = form.param(index).and_then(|kind| kind.conversion());
            converted.push(match (arg.ty, wanted) {
                (Type::Dynamic, Some(ty)) => self.convert(arg, ty, span)?,
                _ => arg,
            });
        }
        let types: Vec<Type> = converted.iter().map(|arg| arg.ty).collect();
        let ty = match form.outcome {
            Outcome::Exactly(ty) => ty,
            Outcome::First => types.first().copied().unwrap_or(Type::Dynamic),
            Outcome::FirstWidened => match types.first() {
                Some(Type::Int) => Type::Long,
                first => first.copied().unwrap_or(Type::Dynamic),
            },
            Outcome::Widest => types
                .iter()
                .copied()
                .reduce(Type::wider)
                .unwrap_or(Type::Real),
            Outcome::Common => {
                let Some(ty) = common_type(&types) else {
                    return Err(Error::semantic(
                        span,
                        "SEM0220",
                        format!(
                            "the arguments of {}() have no type in common",
                            call.name.text
                        ),
                    ));
                };
                let mut same = Vec::with_capacity(converted.len());
                for arg in converted {
                    same.push(self.convert(arg, ty, span)?);
                }
                converted = same;
                ty
            }
        };
        let function = match (function.name, types.first()) {
            ("tohex", Some(Type::Int)) => functions::find("_tohex_int").unwrap_or(function),
            _ => function,
        };
        self.node(Node::Call(function, converted), ty, span)
    }

    /// Validates constant arguments before any row is read.
    #[expect(clippy::unused_self, reason = "a step of function()")]
    fn check_constants(&self, name: &str, args: &[Expr], call: &Call) -> Result<()> {
        let text = |index: usize| match args.get(index).and_then(Expr::as_const) {
            Some(Value::String(text)) => Some((text, call.args[index].value.span)),
            _ => None,
        };
        let pattern = match name {
            "extract" | "extract_all" | "trim" | "trim_start" | "trim_end" | "replace" => text(0),
            "replace_regex" | "indexof_regex" => text(1),
            _ => None,
        };
        if let Some((pattern, span)) = pattern {
            check_regex(pattern, span)?;
        }
        if let ("datetime_add" | "datetime_diff" | "datetime_part", Some((part, span))) =
            (name, text(0))
            && Part::parse(part).is_none()
        {
            return Err(Error::semantic(
                span,
                "SEM0219",
                format!("'{part}' is not a part of a datetime"),
            )
            .suggest(
                part,
                [
                    "year",
                    "quarter",
                    "month",
                    "week",
                    "day",
                    "hour",
                    "minute",
                    "second",
                    "millisecond",
                    "microsecond",
                    "nanosecond",
                ],
            ));
        }
        if matches!(name, "bag_pack" | "pack" | "pack_dictionary") && !args.len().is_multiple_of(2)
        {
            return Err(Error::semantic(
                call.name.span,
                "SEM0219",
                format!("{name}() takes pairs of key and value"),
            ));
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "called as the other steps are")]
    pub(super) fn arity(&self, call: &Call, least: usize, most: Option<usize>) -> Result<()> {
        let given = call.args.len();
        if given < least || most.is_some_and(|most| given > most) {
            Err(wrong_arity(call, least, most, given))
        } else {
            Ok(())
        }
    }
}

fn wrong_arity(call: &Call, least: usize, most: Option<usize>, given: usize) -> Error {
    let wanted = match most {
        Some(most) if most == least => format!("{least}"),
        Some(most) => format!("{least} to {most}"),
        None => format!("at least {least}"),
    };
    Error::semantic(
        call.name.span,
        "SEM0219",
        format!("{}() takes {wanted} arguments, not {given}", call.name.text),
    )
}

/// The error for the first argument that fits no form.
fn misfit(forms: &[Signature], args: &[Expr], call: &Call) -> Error {
    let fitting = forms.iter().filter(|form| form.accepts(args.len()));
    let mut best = (0, None);
    for form in fitting {
        let first = args.iter().enumerate().find(|(index, arg)| {
            form.param(*index)
                .is_none_or(|kind| kind.cost(arg.ty).is_none())
        });
        if let Some((index, arg)) = first
            && index >= best.0
        {
            best = (index, form.param(index).map(|kind| (kind, arg.ty)));
        }
    }
    let (index, misfit) = best;
    let span = call
        .args
        .get(index)
        .map_or(call.name.span, |arg| arg.value.span);
    let reason = match misfit {
        Some((kind, ty)) => format!(
            "argument {} of {}() must be {}, not {ty}",
            index + 1,
            call.name.text,
            kind.describe()
        ),
        None => format!("{}() cannot be called like this", call.name.text),
    };
    Error::semantic(span, "SEM0219", reason)
}

fn unknown_function(call: &Call, scope: &Scope) -> Error {
    let name = &*call.name.text;
    let span = call.name.span;
    if UNSUPPORTED.contains(&name) || name.starts_with("series_") || name.starts_with("geo_") {
        return Error::unsupported(span, &format!("the function '{name}'"));
    }
    if scope.find(name).is_some() {
        return Error::semantic(span, "SEM0260", format!("'{name}' is not a function"));
    }
    let defined = scope.names();
    let mut candidates: Vec<&str> = defined.iter().map(|name| &**name).collect();
    functions::names().for_each(|name| candidates.push(name));
    candidates.extend(SPECIAL_FUNCTIONS.iter().copied());
    candidates.extend(super::AGGREGATES.iter().copied());
    Error::semantic(span, "SEM0260", format!("unknown function '{name}'")).suggest(name, candidates)
}
