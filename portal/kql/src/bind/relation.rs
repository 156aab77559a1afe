//! Binds tables and the other sources of a pipeline.

use std::rc::Rc;
use std::sync::Arc;

use super::names::{Names, inferred};
use super::scope::{Entry, Known, Scope, lets};
use super::{Binder, Relation, Row};
use crate::batch::{Batch, Vector};
use crate::catalog::{Catalog, Table};
use crate::column::ColumnBuilder;
use crate::error::{Error, Result};
use crate::exec;
use crate::expr::Expr;
use crate::plan::{PlanNode, Scan};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Call, Item, Kind, Name, Query, Source, Typed};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn relation(&mut self, ast: &Ast, scope: &Rc<Scope>) -> Result<Relation> {
        self.spend(1, ast.span)?;
        match &ast.kind {
            Kind::Query(query) => self.query(query, ast.span, scope),
            Kind::Name(name) => self.named_table(name, ast.span, scope),
            Kind::Call(call) => self.table_call(call, ast.span, scope),
            Kind::Member(object, name) => {
                let Kind::Call(call) = &object.kind else {
                    return Err(not_a_table(ast.span));
                };
                let foreign = self.foreign(call, scope)?;
                match foreign.table(name) {
                    Some(table) => self.scan(table, ast.span),
                    None => Err(unknown_table(&*foreign, name, ast.span, &[])),
                }
            }
            _ => Err(not_a_table(ast.span)),
        }
    }

    fn query(&mut self, query: &Query, span: Span, scope: &Rc<Scope>) -> Result<Relation> {
        let mut relation = match &query.source {
            Source::Expression(ast) => self.relation(ast, scope)?,
            Source::Datatable { columns, values } => {
                self.datatable(columns, values, span, scope)?
            }
            Source::Print(items) => self.print(items, span, scope)?,
            Source::Range {
                name,
                from,
                to,
                step,
            } => self.range(name, (from, to, step), span, scope)?,
            Source::Union(union) => self.union(None, union, span, scope)?,
            Source::Search(search) => self.search(None, search, span, scope)?,
            Source::Find(find) => self.find(find, span, scope)?,
        };
        for operator in &query.operators {
            relation = self.operator(relation, operator, scope)?;
        }
        Ok(relation)
    }

    fn named_table(&mut self, name: &Arc<str>, span: Span, scope: &Rc<Scope>) -> Result<Relation> {
        match scope.find(name) {
            Some(Entry::Table(relation)) => {
                self.spend(relation.plan.size(), span)?;
                let mut relation = relation.clone();
                relation.name.get_or_insert_with(|| name.clone());
                return Ok(relation);
            }
            Some(Entry::Scalar(_)) => {
                return Err(Error::semantic(
                    span,
                    "SEM0100",
                    format!("'{name}' is a scalar, and a table is expected"),
                ));
            }
            Some(Entry::Tree { tree, scope, known }) => {
                if let Some(Known::Table(relation)) = &*known.borrow() {
                    return Ok(relation.clone());
                }
                if let Kind::Lambda(lambda) = &tree.kind {
                    if !lambda.params.is_empty() {
                        return Err(Error::semantic(
                            span,
                            "SEM0100",
                            format!("'{name}' is a function: it is called as {name}(…)"),
                        ));
                    }
                    let lambda = lambda.clone();
                    return self.inlined(span, |binder| {
                        let inner = lets(&lambda.body, scope)?;
                        binder.relation(&lambda.body.result, &inner)
                    });
                }
                if !self.is_tabular(tree, scope) && self.catalog.table(name).is_none() {
                    return Err(Error::semantic(
                        span,
                        "SEM0100",
                        format!("'{name}' is a scalar, and a table is expected"),
                    ));
                }
                let mut relation = self.inlined(span, |binder| binder.relation(tree, scope))?;
                relation.name = Some(relation.name.unwrap_or_else(|| name.clone()));
                if matches!(&tree.kind, Kind::Call(call) if &*call.name.text == "materialize") {
                    *known.borrow_mut() = Some(Known::Table(relation.clone()));
                }
                return Ok(relation);
            }
            None => {}
        }
        if let Some((_, relation)) = self.named.iter().rev().find(|(found, _)| found == name) {
            let relation = relation.clone();
            self.spend(relation.plan.size(), span)?;
            return Ok(relation);
        }
        match self.catalog.table(name) {
            Some(table) => self.scan(table, span),
            None => Err(unknown_table(self.catalog, name, span, &scope.names())),
        }
    }

    pub(super) fn scan(&mut self, table: Arc<dyn Table>, span: Span) -> Result<Relation> {
        let fields = table.schema().to_vec();
        let types: Vec<Type> = fields.iter().map(|field| field.ty).collect();
        let name = Some(Arc::from(table.name()));
        let time = table.time_column();
        let node = PlanNode::Scan(Scan {
            needed: vec![true; fields.len()],
            table,
            filters: Vec::new(),
            hints: Vec::new(),
            limit: None,
            order: None,
        });
        let relation = Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name,
        };
        match (self.evaluator.options.timespan, time) {
            (Some((from, to)), Some(column)) => self.in_time(relation, column, from, to, span),
            _ => Ok(relation),
        }
    }

    /// Applies the time range of the options.
    fn in_time(
        &mut self,
        relation: Relation,
        column: usize,
        from: i64,
        to: i64,
        span: Span,
    ) -> Result<Relation> {
        use crate::expr::{Compare, Node};

        let compare = |op, ticks| {
            let column = Expr::column(column, Type::DateTime);
            let bound = Expr::constant(Value::DateTime(ticks), Type::DateTime);
            Expr::new(
                Node::Compare(op, Box::new(column), Box::new(bound)),
                Type::Bool,
            )
        };
        let predicate = Expr::new(
            Node::And(vec![
                compare(Compare::GreaterOrEqual, from),
                compare(Compare::Less, to),
            ]),
            Type::Bool,
        );
        self.filtered(relation, predicate, span)
    }

    fn table_call(&mut self, call: &Call, span: Span, scope: &Rc<Scope>) -> Result<Relation> {
        if let Some(Entry::Tree { tree, .. }) = scope.find(&call.name.text)
            && let Kind::Lambda(lambda) = &tree.kind
        {
            let lambda = lambda.clone();
            let mut relation = self.user_table(call, &lambda, None, span, scope)?;
            relation.name.get_or_insert_with(|| call.name.text.clone());
            return Ok(relation);
        }
        match &*call.name.text {
            "materialize" => {
                self.arity(call, 1, Some(1))?;
                let relation = self.relation(&call.args[0].value, scope)?;
                self.materialized(relation, span)
            }
            "table" => {
                self.arity(call, 1, Some(2))?;
                let name = self.constant(&call.args[0].value, scope, "the name of a table")?;
                let name = name.as_const().map(Value::to_text).unwrap_or_default();
                self.named_table(&name, call.args[0].value.span, scope)
            }
            name if super::SPECIAL_FUNCTIONS.contains(&name)
                || crate::functions::find(name).is_some() =>
            {
                Err(Error::semantic(
                    span,
                    "SEM0100",
                    format!("{name}() is a scalar, and a table is expected"),
                ))
            }
            name => Err(Error::semantic(
                call.name.span,
                "SEM0260",
                format!("unknown function '{name}'"),
            )
            .suggest(name, scope.names().iter().map(|name| &**name))),
        }
    }

    /// `app("…")`, `workspace("…")` and `resource("…")`.
    fn foreign(&mut self, call: &Call, scope: &Rc<Scope>) -> Result<Arc<dyn Catalog>> {
        let span = call.name.span;
        match &*call.name.text {
            "app" | "workspace" | "resource" => {
                self.arity(call, 1, Some(1))?;
                let name = self.constant(&call.args[0].value, scope, "the name")?;
                let name = name.as_const().map(Value::to_text).unwrap_or_default();
                self.catalog.scope(&name).ok_or_else(|| {
                    Error::semantic(
                        call.args[0].value.span,
                        "SEM0139",
                        format!("no {} is named '{name}'", call.name.text),
                    )
                })
            }
            "database" | "cluster" => Err(Error::unsupported(
                span,
                &format!("the function '{}'", call.name.text),
            )),
            _ => Err(not_a_table(span)),
        }
    }

    /// The rows of the relation, read while binding.
    pub(super) fn materialized(&mut self, relation: Relation, span: Span) -> Result<Relation> {
        if !self.executes {
            return Ok(relation);
        }
        let batch = self.rows(&relation)?;
        Ok(Relation {
            plan: self.plan(PlanNode::Values(batch), relation.plan.types, span)?,
            ..relation
        })
    }

    pub(super) fn rows(&mut self, relation: &Relation) -> Result<Batch> {
        exec::collect(&relation.plan, self.evaluator)
    }

    /// `toscalar`: the first cell.
    pub(super) fn first_cell(&mut self, ast: &Ast, scope: &Rc<Scope>) -> Result<Expr> {
        let aggregates = self.aggregates.take();
        let relation = self.relation(ast, scope);
        self.aggregates = aggregates;
        let mut relation = relation?;
        let Some(ty) = relation.fields.first().map(|field| field.ty) else {
            return Ok(Expr::constant(Value::Null, Type::Dynamic));
        };
        if !self.executes {
            return Ok(Expr::constant(Value::Null, ty));
        }
        let types = relation.plan.types.clone();
        let node = PlanNode::Take {
            input: Box::new(relation.plan),
            rows: 1,
        };
        relation.plan = self.plan(node, types, ast.span)?;
        let batch = self.rows(&relation)?;
        let value = if batch.rows > 0 {
            batch.get(0, 0)
        } else {
            Value::Null
        };
        let value = if ty == Type::String {
            Value::String(value.to_text())
        } else {
            value
        };
        Ok(Expr::constant(value, ty))
    }

    /// The first column as constants, for `in (table)`.
    pub(super) fn first_column(&mut self, ast: &Ast, scope: &Rc<Scope>) -> Result<Vec<Expr>> {
        let relation = self.relation(ast, scope)?;
        let Some(ty) = relation.fields.first().map(|field| field.ty) else {
            return Ok(Vec::new());
        };
        if !self.executes {
            return Ok(vec![Expr::constant(Value::Null, ty)]);
        }
        let batch = self.rows(&relation)?;
        self.evaluator.hold(batch.rows, 0)?;
        // A single array contributes its elements there, too.
        Ok((0..batch.rows)
            .map(|row| Expr::constant(batch.get(0, row), ty))
            .collect())
    }

    fn datatable(
        &mut self,
        columns: &[Typed],
        values: &[Ast],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut names = Names::default();
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(&names.unique(&column.name.text), column.ty))
            .collect();
        if !values.len().is_multiple_of(fields.len().max(1)) {
            return Err(Error::semantic(
                span,
                "SEM0219",
                format!(
                    "{} values do not fill rows of {} columns",
                    values.len(),
                    fields.len()
                ),
            ));
        }
        let mut builders: Vec<ColumnBuilder> = fields
            .iter()
            .map(|field| ColumnBuilder::new(field.ty))
            .collect();
        for (index, ast) in values.iter().enumerate() {
            let column = index % fields.len();
            let value = self.constant(ast, scope, "a value of 'datatable'")?;
            let ty = fields[column].ty;
            let fits = value.ty == ty
                || ty == Type::Dynamic
                || ty == Type::String
                || value.ty != Type::String
                || value.ty == Type::Dynamic
                || matches!(ty, Type::DateTime | Type::TimeSpan | Type::Guid);
            if !fits {
                return Err(Error::semantic(
                    ast.span,
                    "SEM0219",
                    format!("a value of type {ty} is expected here, not {}", value.ty),
                ));
            }
            builders[column].push(value.as_const().cloned().unwrap_or_default());
        }
        let rows = values.len() / fields.len().max(1);
        let batch = Batch::new(
            builders.into_iter().map(ColumnBuilder::finish).collect(),
            rows,
        );
        let types = fields.iter().map(|field| field.ty).collect();
        Ok(Relation {
            plan: self.plan(PlanNode::Values(batch), types, span)?,
            fields,
            name: None,
        })
    }

    fn print(&mut self, items: &[Item], span: Span, scope: &Rc<Scope>) -> Result<Relation> {
        let mut names = Names::default();
        let mut bound = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let expr = self.expr(&item.value, Row::NONE, scope)?;
            let name = match &item.name {
                Some(name) => names.unique(&name.text),
                None => {
                    // Only variables are looked up here, not default names.
                    let own =
                        inferred(&item.value).filter(|_| matches!(item.value.kind, Kind::Name(_)));
                    names.unique(&own.unwrap_or_else(|| format!("print_{index}")))
                }
            };
            bound.push((Field::new(&name, expr.ty), expr));
        }
        let one = Batch {
            columns: Vec::new(),
            rows: 1,
        };
        let input = Relation {
            plan: self.plan(PlanNode::Values(one), Vec::new(), span)?,
            fields: Vec::new(),
            name: None,
        };
        self.projected(input, bound, span)
    }

    fn range(
        &mut self,
        name: &Name,
        (from, to, step): (&Ast, &Ast, &Ast),
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let start = self.constant(from, scope, "the start of a range")?;
        let end = self.constant(to, scope, "the end of a range")?;
        let by = self.constant(step, scope, "the step of a range")?;
        let ty = match (start.ty, end.ty, by.ty) {
            (Type::DateTime, Type::DateTime, Type::TimeSpan) => Type::DateTime,
            (Type::TimeSpan, Type::TimeSpan, Type::TimeSpan) => Type::TimeSpan,
            (a, b, c) if a.is_number() && b.is_number() && c.is_number() => {
                match a.wider(b).wider(c) {
                    Type::Int => Type::Long,
                    Type::Decimal => Type::Real,
                    ty => ty,
                }
            }
            (a, b, c) if [a, b, c].contains(&Type::Dynamic) => Type::Real,
            (a, b, c) => {
                return Err(Error::semantic(
                    span,
                    "SEM0219",
                    format!("a range from {a} to {b} cannot have a step of type {c}"),
                ));
            }
        };
        let step_type = if ty == Type::DateTime {
            Type::TimeSpan
        } else {
            ty
        };
        let mut ends = Vec::new();
        for (expr, ty) in [(start, ty), (end, ty), (by, step_type)] {
            ends.push(
                self.convert(expr, ty, span)?
                    .as_const()
                    .cloned()
                    .unwrap_or_default(),
            );
        }
        let step_value = ends.pop().unwrap_or_default();
        let end = ends.pop().unwrap_or_default();
        let start = ends.pop().unwrap_or_default();
        if step_value.as_long() == Some(0) || step_value.as_real() == Some(0.0) {
            return Err(Error::semantic(
                step.span,
                "SEM0219",
                "the step of a range must not be 0",
            ));
        }
        let node = PlanNode::Range {
            from: start,
            to: end,
            step: step_value,
        };
        Ok(Relation {
            plan: self.plan(node, vec![ty], span)?,
            fields: vec![Field::new(&name.text, ty)],
            name: None,
        })
    }

    /// A relation of constant rows.
    pub(super) fn values(
        &mut self,
        fields: Vec<Field>,
        columns: Vec<Vector>,
        rows: usize,
        span: Span,
    ) -> Result<Relation> {
        let types = fields.iter().map(|field| field.ty).collect();
        Ok(Relation {
            plan: self.plan(PlanNode::Values(Batch { columns, rows }), types, span)?,
            fields,
            name: None,
        })
    }
}

fn not_a_table(span: Span) -> Error {
    Error::semantic(span, "SEM0100", "a table is expected here")
}

fn unknown_table(catalog: &dyn Catalog, name: &str, span: Span, known: &[Arc<str>]) -> Error {
    let tables = catalog.table_names();
    Error::semantic(span, "SEM0100", format!("no table is named '{name}'")).suggest(
        name,
        tables
            .iter()
            .map(String::as_str)
            .chain(known.iter().map(|name| &**name)),
    )
}
