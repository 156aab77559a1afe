//! `summarize`, `distinct` and `count`.

use std::rc::Rc;
use std::sync::Arc;

use super::aggregate::is_aggregate;
use super::names::{Names, inferred};
use super::scope::Scope;
use super::{AGGREGATE_BASE, Binder, Relation, Row};
use crate::error::{Error, Result};
use crate::expr::{Expr, Node};
use crate::plan::{Aggregate, AggregateKind, Aggregation, PlanNode};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Item, Kind};
use crate::types::{Field, Type};
use crate::value::Value;

/// A group key with its column.
pub(super) struct Key {
    pub(super) field: Field,
    pub(super) expr: Expr,
}

/// A column computed from keys and aggregates, with placeholders for both.
pub(super) struct Output {
    pub(super) field: Field,
    pub(super) expr: Expr,
    span: Span,
}

impl Binder<'_> {
    pub(super) fn summarize(
        &mut self,
        input: Relation,
        items: &[Item],
        by: &[Item],
        grouped: bool,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut names = Names::default();
        let keys = self.keys(&input, by, &mut names, scope)?;
        let (outputs, calls) = self.outputs(&input, items, &mut names, scope)?;
        self.aggregation(input, keys, outputs, calls, grouped || !by.is_empty(), span)
    }

    /// One aggregate of one column, for `pivot`.
    pub(super) fn summarize_one(
        &mut self,
        input: Relation,
        aggregate: &Ast,
        by: &[Item],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut names = Names::default();
        let keys = self.keys(&input, by, &mut names, scope)?;
        let outer = self.aggregates.replace(Vec::new());
        let bound = self.expr(
            aggregate,
            Row {
                fields: &input.fields,
            },
            scope,
        );
        let calls = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        let expr = bound?;
        let field = Field::new(&names.unique("cell"), expr.ty);
        self.aggregation(
            input,
            keys,
            vec![Output { field, expr, span }],
            calls,
            true,
            span,
        )
    }

    pub(super) fn keys(
        &mut self,
        input: &Relation,
        by: &[Item],
        names: &mut Names,
        scope: &Rc<Scope>,
    ) -> Result<Vec<Key>> {
        let row = Row {
            fields: &input.fields,
        };
        let mut keys = Vec::with_capacity(by.len());
        for item in by {
            let mut expr = self.expr(&item.value, row, scope)?;
            if expr.has_window() {
                return Err(Error::unsupported(
                    item.value.span,
                    "a window function as a key of groups",
                ));
            }
            if expr.ty == Type::Dynamic {
                self.note("a dynamic after 'by' is grouped by its text; Kusto demands tostring()");
                expr = self.convert(expr, Type::String, item.value.span)?;
            }
            let name = match &item.name {
                Some(name) => names.unique(&name.text),
                None => names.of(&item.value),
            };
            let field = match expr.node {
                Node::Column(index) => input.fields[index].renamed(&name),
                _ => Field::new(&name, expr.ty),
            };
            names.mark_key(&name);
            keys.push(Key { field, expr });
        }
        Ok(keys)
    }

    /// The columns of a list of aggregates, and the aggregates that they use.
    fn outputs(
        &mut self,
        input: &Relation,
        items: &[Item],
        names: &mut Names,
        scope: &Rc<Scope>,
    ) -> Result<(Vec<Output>, Vec<Aggregate>)> {
        let outer = self.aggregates.replace(Vec::new());
        let outputs = self.outputs_inside(input, items, names, scope);
        let calls = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        Ok((outputs?, calls))
    }

    pub(super) fn outputs_inside(
        &mut self,
        input: &Relation,
        items: &[Item],
        names: &mut Names,
        scope: &Rc<Scope>,
    ) -> Result<Vec<Output>> {
        let row = Row {
            fields: &input.fields,
        };
        let mut outputs = Vec::new();
        for item in items {
            let span = item.value.span;
            if let Kind::Call(call) = &item.value.kind
                && is_aggregate(&call.name.text)
                && scope.find(&call.name.text).is_none()
            {
                let mut calls = self.aggregates.take().unwrap_or_default();
                let bound = self.aggregate(call, span, row, scope);
                let bound = match bound {
                    Ok(bound) => bound,
                    Err(error) => {
                        self.aggregates = Some(calls);
                        return Err(error);
                    }
                };
                let explicit: Vec<&str> = bound
                    .names
                    .iter()
                    .filter(|name| !name.by_star)
                    .map(|name| name.text.as_str())
                    .collect();
                let base: usize = calls.iter().map(|call| call.outputs.len()).sum();
                for (index, (ty, name)) in
                    bound.aggregate.outputs.iter().zip(&bound.names).enumerate()
                {
                    // A name for an aggregate of several columns applies to the first column.
                    let text = match &item.name {
                        Some(given) if index == 0 => names.unique(&given.text),
                        _ if name.by_star
                            && (names.is_key(&name.text)
                                || explicit.contains(&name.text.as_str())) =>
                        {
                            continue;
                        }
                        _ => names.unique(&name.text),
                    };
                    let mut field = Field::new(&text, *ty);
                    if let Some(Node::Column(column)) =
                        bound.aggregate.args.get(index).map(|arg| &arg.node)
                        && bound.aggregate.outputs.len() > 1
                        && let Some(source) = input.fields.get(*column)
                    {
                        field = source.renamed(&text);
                    }
                    let expr = Expr::column(AGGREGATE_BASE + base + index, *ty);
                    outputs.push(Output { field, expr, span });
                }
                calls.push(bound.aggregate);
                self.aggregates = Some(calls);
                continue;
            }
            let expr = self.expr(&item.value, row, scope)?;
            let name = match &item.name {
                Some(name) => names.unique(&name.text),
                None => match inferred(&item.value) {
                    Some(name) => names.unique(&name),
                    None => names.counted(),
                },
            };
            let field = Field::new(&name, expr.ty);
            outputs.push(Output { field, expr, span });
        }
        Ok(outputs)
    }

    pub(super) fn aggregation(
        &mut self,
        input: Relation,
        keys: Vec<Key>,
        outputs: Vec<Output>,
        calls: Vec<Aggregate>,
        grouped: bool,
        span: Span,
    ) -> Result<Relation> {
        let key_exprs: Vec<Expr> = keys.iter().map(|key| key.expr.clone()).collect();
        let mut types: Vec<Type> = key_exprs.iter().map(|key| key.ty).collect();
        types.extend(calls.iter().flat_map(|call| call.outputs.iter().copied()));
        let mut items: Vec<(Field, Expr)> = keys
            .into_iter()
            .enumerate()
            .map(|(index, key)| {
                let expr = Expr::column(index, key.expr.ty);
                (key.field, expr)
            })
            .collect();
        for output in outputs {
            let expr = over_groups(output.expr, &key_exprs, output.span)?;
            items.push((output.field, expr));
        }
        let node = PlanNode::Aggregate(Box::new(Aggregation {
            input: input.plan,
            keys: key_exprs,
            calls,
            grouped,
        }));
        let plan = self.plan(node, types, span)?;
        let straight = items.len() == plan.types.len()
            && items.iter().enumerate().all(
                |(index, (_, expr))| matches!(expr.node, Node::Column(column) if column == index),
            );
        if straight {
            return Ok(Relation {
                plan,
                fields: items.into_iter().map(|(field, _)| field).collect(),
                name: None,
            });
        }
        let inner = Relation {
            plan,
            fields: Vec::new(),
            name: None,
        };
        self.projected(inner, items, span)
    }

    /// A single column with the number of rows.
    pub(super) fn count(&mut self, input: Relation, span: Span) -> Result<Relation> {
        let call = Aggregate {
            kind: AggregateKind::Count,
            args: Vec::new(),
            predicate: None,
            outputs: vec![Type::Long],
        };
        let output = Output {
            field: Field::new("Count", Type::Long),
            expr: Expr::column(AGGREGATE_BASE, Type::Long),
            span,
        };
        self.aggregation(input, Vec::new(), vec![output], vec![call], false, span)
    }

    pub(super) fn distinct(
        &mut self,
        input: Relation,
        items: &[Ast],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut names = Names::default();
        let mut keys = Vec::new();
        for item in items {
            if matches!(item.kind, Kind::Star) {
                for (field, expr) in super::columns(&input.fields) {
                    let field = field.renamed(&names.unique(&field.name));
                    keys.push(Key { field, expr });
                }
                continue;
            }
            let expr = self.expr(
                item,
                Row {
                    fields: &input.fields,
                },
                scope,
            )?;
            let name = names.of(item);
            let field = match expr.node {
                Node::Column(index) => input.fields[index].renamed(&name),
                _ => Field::new(&name, expr.ty),
            };
            keys.push(Key { field, expr });
        }
        self.aggregation(input, keys, Vec::new(), Vec::new(), true, span)
    }

    pub(super) fn filtered(
        &mut self,
        input: Relation,
        predicate: Expr,
        span: Span,
    ) -> Result<Relation> {
        let types = input.plan.types.clone();
        let node = PlanNode::Filter {
            input: Box::new(input.plan),
            predicate,
        };
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields: input.fields,
            name: input.name,
        })
    }
}

/// Rewrites the expression to the columns of the aggregation: keys, then aggregates.
fn over_groups(mut expr: Expr, keys: &[Expr], span: Span) -> Result<Expr> {
    if let Node::Column(index) = expr.node {
        expr.node = match index.checked_sub(AGGREGATE_BASE) {
            Some(aggregate) => Node::Column(keys.len() + aggregate),
            None => {
                let key = keys
                    .iter()
                    .position(|key| matches!(key.node, Node::Column(column) if column == index));
                match key {
                    Some(key) => Node::Column(key),
                    None => {
                        return Err(Error::semantic(
                            span,
                            "SEM0107",
                            "a column must stand in an aggregate or after 'by'",
                        ));
                    }
                }
            }
        };
        return Ok(expr);
    }
    let mut failed = None;
    expr.node.each_child_mut(&mut |child| {
        let taken = std::mem::replace(child, Expr::constant(Value::Null, Type::Dynamic));
        match over_groups(taken, keys, span) {
            Ok(mapped) => *child = mapped,
            Err(error) => failed = Some(error),
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(expr),
    }
}

/// The names of fields, for messages.
pub(super) fn field_names(fields: &[Field]) -> impl Iterator<Item = &str> {
    fields.iter().map(|field: &Field| {
        let name: &Arc<str> = &field.name;
        &**name
    })
}
