//! Aggregates that keep values: percentiles, rows, lists, sets, bags.

use std::rc::Rc;

use super::aggregate::{Bound, Name, simple};
use super::names::inferred;
use super::scope::Scope;
use super::{Binder, Row};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::functions::MAX_ARRAY;
use crate::plan::{Aggregate, AggregateKind};
use crate::syntax::ast::{Call, Kind};
use crate::types::Type;
use crate::value::{Value, real_text};

/// Elements of `makelist` and `makeset`, the old forms.
const OLD_MAX_ARRAY: usize = 128;

impl Binder<'_> {
    pub(super) fn percentiles(
        &mut self,
        call: &Call,
        row: Row<'_>,
        scope: &Rc<Scope>,
        first: &str,
    ) -> Result<Bound> {
        let name = &*call.name.text;
        let weighted = name.contains('w');
        let array = name.ends_with("_array");
        let single = matches!(name, "percentile" | "percentilew");
        let before = 1 + usize::from(weighted);
        self.arity(call, before + 1, single.then_some(before + 1))?;
        let mut args = Vec::new();
        for arg in &call.args[..before] {
            args.push(self.expr(&arg.value, row, scope)?);
        }
        if args[0].ty == Type::Dynamic {
            args[0] = self.convert(args[0].clone(), Type::Real, call.name.span)?;
        }
        if weighted {
            args[1] = self.convert(args[1].clone(), Type::Long, call.name.span)?;
        }
        let mut ranks = Vec::new();
        for arg in &call.args[before..] {
            let rank = self.constant(&arg.value, scope, "a percentile")?;
            let values = match rank.as_const() {
                Some(Value::Array(items)) if array => items.to_vec(),
                Some(value) => vec![value.clone()],
                None => Vec::new(),
            };
            for value in values {
                match value.as_real() {
                    Some(rank) if (0.0..=100.0).contains(&rank) => ranks.push(rank),
                    _ => {
                        return Err(Error::semantic(
                            arg.value.span,
                            "SEM0219",
                            "a percentile is a number from 0 to 100",
                        ));
                    }
                }
            }
        }
        let ty = match args[0].ty {
            Type::Int => Type::Long,
            Type::Decimal => Type::Real,
            Type::String | Type::Bool | Type::Guid | Type::Dynamic => {
                return Err(self.misfit(call, args[0].ty));
            }
            ty => ty,
        };
        let (outputs, names) = if array {
            (
                vec![Type::Dynamic],
                vec![Name::new(format!("percentile_{first}"))],
            )
        } else {
            (
                vec![ty; ranks.len()],
                ranks
                    .iter()
                    .map(|rank| {
                        Name::new(format!(
                            "percentile_{first}_{}",
                            real_text(*rank).replace('.', "_")
                        ))
                    })
                    .collect(),
            )
        };
        let kind = AggregateKind::Percentiles {
            ranks,
            weighted,
            array,
        };
        Ok(Bound {
            aggregate: Aggregate {
                kind,
                args,
                predicate: None,
                outputs,
            },
            names,
        })
    }

    pub(super) fn arg_extreme(
        &mut self,
        call: &Call,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Bound> {
        self.arity(call, 1, None)?;
        let least = call.name.text.ends_with("min");
        let mut args = Vec::new();
        let mut names = Vec::new();
        for (index, arg) in call.args.iter().enumerate() {
            if matches!(arg.value.kind, Kind::Star) {
                if index == 0 {
                    return Err(Error::semantic(
                        arg.value.span,
                        "SEM0219",
                        "the first argument must be an expression",
                    ));
                }
                for (index, field) in row.fields.iter().enumerate() {
                    args.push(Expr::column(index, field.ty));
                    names.push(Name {
                        text: field.name.to_string(),
                        by_star: true,
                    });
                }
                continue;
            }
            let expr = self.expr(&arg.value, row, scope)?;
            let name = inferred(&arg.value).unwrap_or_else(|| {
                let prefix = if least { "min_" } else { "max_" };
                match (index, names.first()) {
                    (1.., Some(Name { text, .. })) => {
                        format!("{prefix}{}_arg{index}", text.trim_start_matches(prefix))
                    }
                    _ => prefix.to_owned(),
                }
            });
            args.push(expr);
            names.push(Name::new(name));
        }
        let outputs = args.iter().map(|arg| arg.ty).collect();
        Ok(Bound {
            aggregate: Aggregate {
                kind: AggregateKind::ArgMax { least },
                args,
                predicate: None,
                outputs,
            },
            names,
        })
    }

    pub(super) fn take_any(
        &mut self,
        call: &Call,
        row: Row<'_>,
        scope: &Rc<Scope>,
    ) -> Result<Bound> {
        let name = &*call.name.text;
        let old = name.starts_with("any");
        let mut args = Vec::new();
        let mut names = Vec::new();
        let mut predicate = None;
        if name.ends_with("if") {
            self.arity(call, 2, Some(2))?;
            predicate = Some(self.predicate(call, 1, row, scope)?);
        } else {
            self.arity(call, 1, None)?;
        }
        let values = if predicate.is_some() {
            1
        } else {
            call.args.len()
        };
        for (index, arg) in call.args.iter().take(values).enumerate() {
            if matches!(arg.value.kind, Kind::Star) {
                for (index, field) in row.fields.iter().enumerate() {
                    args.push(Expr::column(index, field.ty));
                    names.push(Name {
                        text: if old {
                            format!("any_{}", field.name)
                        } else {
                            field.name.to_string()
                        },
                        by_star: true,
                    });
                }
                continue;
            }
            args.push(self.expr(&arg.value, row, scope)?);
            let name = match inferred(&arg.value) {
                Some(name) if old => format!("any_{name}"),
                Some(name) => name,
                None => format!("any_arg{index}"),
            };
            names.push(Name::new(name));
        }
        let outputs = args.iter().map(|arg| arg.ty).collect();
        Ok(Bound {
            aggregate: Aggregate {
                kind: AggregateKind::TakeAny,
                args,
                predicate,
                outputs,
            },
            names,
        })
    }

    /// Lists, sets and bags.
    pub(super) fn collection(
        &mut self,
        call: &Call,
        row: Row<'_>,
        scope: &Rc<Scope>,
        first: &str,
    ) -> Result<Bound> {
        let name = &*call.name.text;
        let conditional = name.ends_with("_if");
        let most = match name {
            "make_list_with_nulls" => 1,
            _ => 2,
        };
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
        let most = match call.args.get(1 + usize::from(conditional)) {
            Some(limit) => self.row_count(&limit.value, scope)?.min(MAX_ARRAY),
            None if matches!(name, "makelist" | "makeset") => OLD_MAX_ARRAY,
            None => MAX_ARRAY,
        };
        let (kind, prefix) = match name {
            "make_set" | "make_set_if" | "makeset" => (AggregateKind::MakeSet { most }, "set"),
            "make_bag" | "make_bag_if" | "make_dictionary" => {
                (AggregateKind::MakeBag { most }, "bag")
            }
            "make_list_with_nulls" => (AggregateKind::MakeList { most, nulls: true }, "list"),
            _ => (AggregateKind::MakeList { most, nulls: false }, "list"),
        };
        if matches!(kind, AggregateKind::MakeBag { .. }) && arg.ty != Type::Dynamic {
            return Err(self.misfit(call, arg.ty));
        }
        Ok(simple(
            kind,
            vec![arg],
            predicate,
            Type::Dynamic,
            vec![Name::new(format!("{prefix}_{first}"))],
        ))
    }
}
