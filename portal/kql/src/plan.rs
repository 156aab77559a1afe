//! Executable plans: trees of operators over typed columns.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use crate::batch::Batch;
use crate::catalog::{Filter, Hint, ScanOrder, Table};
use crate::expr::Expr;
use crate::syntax::ast::{JoinKind, ParseKind};
use crate::types::Type;
use crate::value::Value;

/// An operator, with the types of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) node: PlanNode,
    pub(crate) types: Vec<Type>,
    pub(crate) depth: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum PlanNode {
    Scan(Scan),
    Values(Batch),
    Range {
        from: Value,
        to: Value,
        step: Value,
    },
    Filter {
        input: Box<Plan>,
        predicate: Expr,
    },
    Project {
        input: Box<Plan>,
        exprs: Vec<Expr>,
    },
    Aggregate(Box<Aggregation>),
    Sort {
        input: Box<Plan>,
        keys: Vec<Sort>,
        limit: Option<usize>,
    },
    Take {
        input: Box<Plan>,
        rows: usize,
    },
    Join(Box<Join>),
    Union(Vec<Plan>),
    MvExpand(Box<MvExpand>),
    Parse(Box<Parse>),
    Series(Box<Series>),
}

/// A table scan. Columns that are not needed are null.
#[derive(Clone)]
pub(crate) struct Scan {
    pub(crate) table: Arc<dyn Table>,
    pub(crate) needed: Vec<bool>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) hints: Vec<Hint>,
    pub(crate) limit: Option<usize>,
    pub(crate) order: Option<ScanOrder>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("table", &self.table.name())
            .field("filters", &self.filters)
            .field("limit", &self.limit)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Aggregation {
    pub(crate) input: Plan,
    pub(crate) keys: Vec<Expr>,
    pub(crate) calls: Vec<Aggregate>,
    /// Whether an empty input produces no row.
    pub(crate) grouped: bool,
}

/// A call of an aggregate, with one or more result columns.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) kind: AggregateKind,
    pub(crate) args: Vec<Expr>,
    pub(crate) predicate: Option<Expr>,
    pub(crate) outputs: Vec<Type>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AggregateKind {
    Count,
    Sum,
    Average,
    Min,
    Max,
    DistinctCount,
    Percentiles {
        ranks: Vec<f64>,
        weighted: bool,
        array: bool,
    },
    ArgMax {
        least: bool,
    },
    TakeAny,
    MakeList {
        most: usize,
        nulls: bool,
    },
    MakeSet {
        most: usize,
    },
    MakeBag {
        most: usize,
    },
    Deviation {
        population: bool,
    },
    Variance {
        population: bool,
    },
    BinaryAnd,
    BinaryOr,
    BinaryXor,
}

#[derive(Debug, Clone)]
pub(crate) struct Sort {
    pub(crate) expr: Expr,
    pub(crate) ascending: bool,
    pub(crate) nulls_first: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) left: Plan,
    pub(crate) right: Plan,
    pub(crate) kind: JoinKind,
    pub(crate) left_keys: Vec<Expr>,
    pub(crate) right_keys: Vec<Expr>,
    /// The columns of the right side in the output.
    pub(crate) right_columns: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct MvExpand {
    pub(crate) input: Plan,
    /// The arrays, each with the column for its elements.
    pub(crate) columns: Vec<(Expr, usize)>,
    pub(crate) arrays: bool,
    /// The column for the index.
    pub(crate) item_index: Option<usize>,
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Parse {
    pub(crate) input: Plan,
    pub(crate) value: Expr,
    pub(crate) kind: ParseKind,
    pub(crate) drops: bool,
    pub(crate) pattern: Vec<Part>,
    /// Of kind `regex`; column `n` is the group `azmon_n`.
    pub(crate) regex: Option<Regex>,
    /// The column for each new value, with its type.
    pub(crate) targets: Vec<(usize, Type)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Star,
    Text(Arc<str>),
    /// The next of the targets.
    Column,
}

#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// Keys, the bin, and the aggregates, one row for each group and bin.
    pub(crate) input: Plan,
    pub(crate) keys: usize,
    pub(crate) defaults: Vec<Value>,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
    pub(crate) step: Value,
    /// Whether `to` itself is a bin.
    pub(crate) inclusive: bool,
    pub(crate) non_empty: bool,
}

impl Plan {
    pub(crate) fn new(node: PlanNode, types: Vec<Type>) -> Self {
        let mut depth = 0;
        node.each_input(&mut |input| depth = depth.max(input.depth));
        Self {
            node,
            types,
            depth: depth + 1,
        }
    }

    /// The number of operators in this plan.
    pub(crate) fn size(&self) -> usize {
        let mut size = 1;
        self.node.each_input(&mut |input| size += input.size());
        size
    }
}

impl PlanNode {
    pub(crate) fn each_input(&self, visit: &mut dyn FnMut(&Plan)) {
        match self {
            Self::Scan(_) | Self::Values(_) | Self::Range { .. } => {}
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Sort { input, .. }
            | Self::Take { input, .. } => {
                visit(input);
            }
            Self::Aggregate(aggregation) => visit(&aggregation.input),
            Self::Join(join) => {
                visit(&join.left);
                visit(&join.right);
            }
            Self::Union(inputs) => inputs.iter().for_each(visit),
            Self::MvExpand(expand) => visit(&expand.input),
            Self::Parse(parse) => visit(&parse.input),
            Self::Series(series) => visit(&series.input),
        }
    }

    pub(crate) fn each_input_mut(&mut self, visit: &mut dyn FnMut(&mut Plan)) {
        match self {
            Self::Scan(_) | Self::Values(_) | Self::Range { .. } => {}
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Sort { input, .. }
            | Self::Take { input, .. } => {
                visit(input);
            }
            Self::Aggregate(aggregation) => visit(&mut aggregation.input),
            Self::Join(join) => {
                visit(&mut join.left);
                visit(&mut join.right);
            }
            Self::Union(inputs) => inputs.iter_mut().for_each(visit),
            Self::MvExpand(expand) => visit(&mut expand.input),
            Self::Parse(parse) => visit(&mut parse.input),
            Self::Series(series) => visit(&mut series.input),
        }
    }
}
