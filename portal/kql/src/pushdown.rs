//! Pushes parts of a plan down to tables: conditions, columns, limits.

use crate::catalog::{Filter, FilterOp, Hint, ScanOrder};
use crate::expr::{Compare, Expr, Node};
use crate::options::PushDown;
use crate::plan::{Plan, PlanNode, Scan};
use crate::syntax::ast::TextKind;
use crate::types::Type;
use crate::value::Value;

/// The maximum number of values in an `in` that is pushed down.
const MAX_VALUES: usize = 200;

/// The plan with all possible push-down.
pub(crate) fn pushed(mut plan: Plan, push_down: &PushDown) -> Plan {
    if push_down.filters {
        filters(&mut plan);
    }
    if push_down.limit {
        limits(&mut plan);
    }
    if push_down.projection {
        let all = vec![true; plan.types.len()];
        needed(&mut plan, &all);
    }
    plan
}

fn filters(plan: &mut Plan) {
    plan.node.each_input_mut(&mut filters);
    let PlanNode::Filter { input, predicate } = &mut plan.node else {
        return;
    };
    if predicate.has_window() {
        return;
    }
    let conjuncts = match std::mem::replace(&mut predicate.node, Node::Const(Value::Bool(true))) {
        Node::And(items) => items.into_iter().flat_map(flattened).collect(),
        other => vec![Expr::new(other, Type::Bool)],
    };
    let mut kept: Vec<Expr> = conjuncts
        .into_iter()
        .filter_map(|conjunct| sink(input, conjunct))
        .collect();
    match kept.len() {
        0 => {
            let input = std::mem::replace(&mut **input, nothing());
            *plan = input;
        }
        1 => *predicate = kept.remove(0),
        _ => *predicate = Expr::new(Node::And(kept), Type::Bool),
    }
}

fn nothing() -> Plan {
    Plan::new(PlanNode::Values(crate::batch::Batch::default()), Vec::new())
}

fn flattened(expr: Expr) -> Vec<Expr> {
    match expr.node {
        Node::And(items) => items.into_iter().flat_map(flattened).collect(),
        _ => vec![expr],
    }
}

/// Moves a condition towards the tables. Returns the part that stays.
fn sink(plan: &mut Plan, condition: Expr) -> Option<Expr> {
    match &mut plan.node {
        PlanNode::Scan(scan) if scan.limit.is_none() => match filter(&condition, scan) {
            Some(filter) => {
                scan.filters.push(filter);
                None
            }
            None => {
                scan.hints.extend(hint(&condition, scan));
                Some(condition)
            }
        },
        PlanNode::Filter { input, predicate } if !predicate.has_window() => sink(input, condition),
        PlanNode::Project { input, exprs } if !exprs.iter().any(Expr::has_window) => {
            match condition.substituted(exprs) {
                // A condition that does not reach a table stays above, where it costs the same.
                Some(inner) => sink(input, inner).map(|_| condition),
                None => Some(condition),
            }
        }
        PlanNode::Union(inputs) => {
            for input in inputs {
                if let Some(left) = sink(input, condition.clone()) {
                    let types = input.types.clone();
                    let inner = std::mem::replace(input, nothing());
                    *input = Plan::new(
                        PlanNode::Filter {
                            input: Box::new(inner),
                            predicate: left,
                        },
                        types,
                    );
                }
            }
            None
        }
        _ => Some(condition),
    }
}

/// The condition as a filter of the table.
fn filter(condition: &Expr, scan: &Scan) -> Option<Filter> {
    let (column, op, values) = match &condition.node {
        Node::Compare(op, left, right) => {
            let (column, op, value) = match (&left.node, &right.node) {
                (Node::Column(column), Node::Const(value)) => (*column, *op, value),
                (Node::Const(value), Node::Column(column)) => (*column, mirrored(*op), value),
                _ => return None,
            };
            let op = match op {
                Compare::Equal => FilterOp::Equal,
                Compare::Less => FilterOp::Less,
                Compare::LessOrEqual => FilterOp::LessOrEqual,
                Compare::Greater => FilterOp::Greater,
                Compare::GreaterOrEqual => FilterOp::GreaterOrEqual,
                Compare::NotEqual => return None,
            };
            (column, op, vec![value.clone()])
        }
        Node::InSet {
            negated: false,
            fold: false,
            value,
            set,
        } => match value.node {
            Node::Column(column) if set.values.len() <= MAX_VALUES => {
                (column, FilterOp::In, set.values.clone())
            }
            _ => return None,
        },
        _ => return None,
    };
    let ty = scan.table.schema().get(column)?.ty;
    let fits = |value: &Value| {
        matches!(
            (ty, value),
            (Type::Bool, Value::Bool(_))
                | (Type::Int | Type::Long, Value::Long(_))
                | (Type::Real, Value::Real(_))
                | (Type::String, Value::String(_))
                | (Type::DateTime, Value::DateTime(_))
                | (Type::TimeSpan, Value::TimeSpan(_))
        )
    };
    let has_nan = values
        .iter()
        .any(|value| matches!(value, Value::Real(number) if number.is_nan()));
    if !values.iter().all(fits) || has_nan {
        return None;
    }
    let filter = Filter::new(column, op, values);
    scan.table.can_filter(&filter).then_some(filter)
}

/// The text that a column must contain for the condition.
fn hint(condition: &Expr, scan: &Scan) -> Option<Hint> {
    let Node::Text {
        op,
        negated: false,
        value,
        needle,
    } = &condition.node
    else {
        return None;
    };
    let (Node::Column(column), Node::Const(Value::String(text))) = (&value.node, &needle.node)
    else {
        return None;
    };
    let ty = scan.table.schema().get(*column)?.ty;
    let is_text = matches!(ty, Type::String | Type::Dynamic) && op.kind != TextKind::Matches;
    is_text.then(|| Hint::new(*column, text)).flatten()
}

fn mirrored(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessOrEqual => Compare::GreaterOrEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterOrEqual => Compare::LessOrEqual,
        other => other,
    }
}

/// Pushes `take` and `top` to scans that can apply them. The operator stays, with little left to do.
fn limits(plan: &mut Plan) {
    plan.node.each_input_mut(&mut limits);
    match &mut plan.node {
        PlanNode::Take { input, rows } => limit(input, *rows, None),
        PlanNode::Sort {
            input,
            keys,
            limit: Some(rows),
        } => {
            if let [key] = keys.as_slice()
                && key.nulls_first == key.ascending
                && let Node::Column(column) = key.expr.node
            {
                limit(input, *rows, Some((column, !key.ascending)));
            }
        }
        _ => {}
    }
}

fn limit(plan: &mut Plan, rows: usize, order: Option<(usize, bool)>) {
    match &mut plan.node {
        PlanNode::Scan(scan) if scan.limit.is_none() => {
            match order {
                Some((column, descending)) if scan.table.can_order(column) => {
                    scan.order = Some(ScanOrder::new(column, descending));
                }
                Some(_) => return,
                None => {}
            }
            scan.limit = Some(rows);
        }
        PlanNode::Project { input, exprs } if !exprs.iter().any(Expr::has_window) => {
            let order = match order {
                Some((column, descending)) => match exprs.get(column).map(|expr| &expr.node) {
                    Some(Node::Column(inner)) => Some((*inner, descending)),
                    _ => return,
                },
                None => None,
            };
            limit(input, rows, order);
        }
        _ => {}
    }
}

/// Marks the columns that tables must read.
fn needed(plan: &mut Plan, wanted: &[bool]) {
    let none = |input: &Plan| vec![false; input.types.len()];
    match &mut plan.node {
        PlanNode::Scan(scan) => {
            for (needed, wanted) in scan.needed.iter_mut().zip(wanted) {
                *needed = *wanted;
            }
        }
        PlanNode::Values(_) | PlanNode::Range { .. } => {}
        PlanNode::Filter { input, predicate } => {
            let mut used = wanted.to_vec();
            predicate.columns(&mut used);
            needed(input, &used);
        }
        PlanNode::Project { input, exprs } => {
            let mut used = none(input);
            for (expr, wanted) in exprs.iter_mut().zip(wanted) {
                if *wanted {
                    expr.columns(&mut used);
                } else {
                    *expr = Expr::constant(Value::Null, expr.ty);
                }
            }
            needed(input, &used);
        }
        PlanNode::Aggregate(aggregation) => {
            let mut used = none(&aggregation.input);
            aggregation
                .keys
                .iter()
                .for_each(|key| key.columns(&mut used));
            for call in &aggregation.calls {
                call.args
                    .iter()
                    .chain(&call.predicate)
                    .for_each(|expr| expr.columns(&mut used));
            }
            needed(&mut aggregation.input, &used);
        }
        PlanNode::Sort { input, keys, .. } => {
            let mut used = wanted.to_vec();
            keys.iter().for_each(|key| key.expr.columns(&mut used));
            needed(input, &used);
        }
        PlanNode::Take { input, .. } => needed(input, wanted),
        PlanNode::Join(join) => {
            let (mut left, mut right) = (none(&join.left), none(&join.right));
            let shown = wanted.len().saturating_sub(join.right_columns.len());
            for (used, wanted) in left.iter_mut().zip(&wanted[..shown]) {
                *used = *wanted;
            }
            for (column, wanted) in join.right_columns.iter().zip(&wanted[shown..]) {
                right[*column] = *wanted;
            }
            join.left_keys.iter().for_each(|key| key.columns(&mut left));
            join.right_keys
                .iter()
                .for_each(|key| key.columns(&mut right));
            needed(&mut join.left, &left);
            needed(&mut join.right, &right);
        }
        PlanNode::Union(inputs) => inputs.iter_mut().for_each(|input| needed(input, wanted)),
        PlanNode::MvExpand(expand) => {
            let mut used = wanted.to_vec();
            used.resize(expand.input.types.len(), false);
            expand
                .columns
                .iter()
                .for_each(|(expr, _)| expr.columns(&mut used));
            needed(&mut expand.input, &used);
        }
        PlanNode::Parse(parse) => {
            let mut used = wanted.to_vec();
            used.resize(parse.input.types.len(), false);
            parse.value.columns(&mut used);
            needed(&mut parse.input, &used);
        }
        PlanNode::Series(series) => {
            let all = vec![true; series.input.types.len()];
            needed(&mut series.input, &all);
        }
    }
}
