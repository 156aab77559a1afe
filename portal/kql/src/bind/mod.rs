//! Binds the syntax tree to a plan: names, types and arity. Every error has its place.

mod aggregate;
mod call;
mod choice;
mod collection;
mod evaluate;
mod expand;
mod expression;
mod join;
mod names;
mod operand;
mod operator;
mod relation;
mod scope;
mod search;
mod series;
mod summarize;
mod union;
mod user;

use std::rc::Rc;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::expr::{Expr, Node};
use crate::plan::{Aggregate, Plan, PlanNode};
use crate::syntax::Span;
use crate::syntax::ast::Program;
use crate::types::{Field, Type};
use crate::value::Value;

pub(crate) use aggregate::AGGREGATES;
pub(crate) use call::SPECIAL_FUNCTIONS;
use scope::Scope;

/// The maximum number of expressions and operators in one query, after functions are inlined.
const BUDGET: usize = 200_000;
/// The maximum depth of operators.
const MAX_PLAN_DEPTH: usize = 400;
/// The maximum depth of one expression, after functions are inlined.
const MAX_EXPR_DEPTH: u16 = 300;
/// The index of the first aggregate placeholder among the columns of an expression.
const AGGREGATE_BASE: usize = 1 << 40;

/// A plan and the names of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) plan: Plan,
    pub(crate) fields: Vec<Field>,
    /// The name that `withsource` shows.
    pub(crate) name: Option<Arc<str>>,
}

/// `render`: the visualization and its properties.
pub(crate) type Rendering = Vec<(Arc<str>, Value)>;

pub(crate) struct Binder<'a> {
    pub(crate) catalog: &'a dyn Catalog,
    pub(crate) evaluator: &'a mut Evaluator,
    /// Whether parts of the query may be executed while binding, as `toscalar` and `pivot` require.
    pub(crate) executes: bool,
    pub(crate) notes: Vec<String>,
    pub(crate) rendering: Option<Rendering>,
    /// Set if a schema depends on rows that were not read because nothing may be executed.
    pub(crate) open: bool,
    spent: usize,
    calls: usize,
    /// The aggregates of the current list.
    aggregates: Option<Vec<Aggregate>>,
    /// Names defined by `as`.
    named: Vec<(Arc<str>, Relation)>,
}

/// The columns that are in scope for an expression.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) fields: &'a [Field],
}

impl Row<'_> {
    pub(crate) const NONE: Row<'static> = Row { fields: &[] };

    fn find(&self, name: &str) -> Option<usize> {
        let exact = self.fields.iter().position(|field| &*field.name == name);
        exact.or_else(|| {
            self.fields
                .iter()
                .position(|field| field.aliases.iter().any(|alias| &**alias == name))
        })
    }
}

impl<'a> Binder<'a> {
    pub(crate) fn new(
        catalog: &'a dyn Catalog,
        evaluator: &'a mut Evaluator,
        executes: bool,
    ) -> Self {
        Self {
            catalog,
            evaluator,
            executes,
            notes: Vec::new(),
            rendering: None,
            open: false,
            spent: 0,
            calls: 0,
            aggregates: None,
            named: Vec::new(),
        }
    }

    /// Binds a whole query.
    pub(crate) fn program(&mut self, program: &Program) -> Result<Relation> {
        self.notes.extend(program.notes.iter().cloned());
        let scope = scope::lets(program, &Rc::new(Scope::default()))?;
        if !self.is_tabular(&program.result, &scope) {
            // A scalar result becomes a table with one cell.
            let value = self.expr(&program.result, Row::NONE, &scope);
            return match value {
                Ok(_) => Err(Error::semantic(
                    program.result.span,
                    "SEM0103",
                    "the query is a scalar expression; 'print' makes a table of it",
                )),
                Err(error) => Err(error),
            };
        }
        self.relation(&program.result, &scope)
    }

    /// Counts work, which inlining multiplies.
    fn spend(&mut self, work: usize, span: Span) -> Result<()> {
        self.spent += work;
        if self.spent > BUDGET {
            return Err(Error::limit_at(
                span,
                "the query becomes too large once its functions are expanded",
            ));
        }
        Ok(())
    }

    /// A node, evaluated at once if all of its inputs are constants.
    fn node(&mut self, node: Node, ty: Type, span: Span) -> Result<Expr> {
        self.spend(1, span)?;
        let expr = Expr::new(node, ty);
        if expr.depth > MAX_EXPR_DEPTH {
            return Err(Error::limit_at(
                span,
                format!("an expression of more than {MAX_EXPR_DEPTH} levels"),
            ));
        }
        let mut constant = true;
        expr.walk_children(&mut |child| constant &= child.as_const().is_some());
        let fixed = match &expr.node {
            Node::Const(_) | Node::Column(_) | Node::Window(..) => false,
            Node::Call(function, _) => !function.is_random(),
            _ => true,
        };
        if !constant || !fixed {
            return Ok(expr);
        }
        let value = self
            .evaluator
            .eval(&expr, &one_row())
            .map_err(|error| error.or_at(span))?;
        Ok(Expr::constant(value.get(0), ty))
    }

    fn plan(&mut self, node: PlanNode, types: Vec<Type>, span: Span) -> Result<Plan> {
        self.spend(1, span)?;
        let plan = Plan::new(node, types);
        if plan.depth > MAX_PLAN_DEPTH {
            return Err(Error::limit_at(
                span,
                format!("more than {MAX_PLAN_DEPTH} operators on each other"),
            ));
        }
        Ok(plan)
    }

    /// A relation with columns computed from the input.
    fn projected(
        &mut self,
        input: Relation,
        items: Vec<(Field, Expr)>,
        span: Span,
    ) -> Result<Relation> {
        let (fields, exprs): (Vec<Field>, Vec<Expr>) = items.into_iter().unzip();
        let types = exprs.iter().map(|expr| expr.ty).collect();
        let node = PlanNode::Project {
            input: Box::new(input.plan),
            exprs,
        };
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name: input.name,
        })
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}

/// A batch for evaluating constants.
fn one_row() -> crate::batch::Batch {
    crate::batch::Batch {
        columns: Vec::new(),
        rows: 1,
    }
}

/// The columns of a relation as expressions.
fn columns(fields: &[Field]) -> Vec<(Field, Expr)> {
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| (field.clone(), Expr::column(index, field.ty)))
        .collect()
}
