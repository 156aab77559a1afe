//! `union`.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;

use super::names::Names;
use super::operator::wildcard;
use super::scope::Scope;
use super::{Binder, Relation};
use crate::error::{Error, ErrorKind, Result};
use crate::expr::Expr;
use crate::plan::PlanNode;
use crate::syntax::Span;
use crate::syntax::ast::{Leg, Union};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn union(
        &mut self,
        input: Option<Relation>,
        union: &Union,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut relations: Vec<Relation> = input.into_iter().collect();
        relations.extend(self.legs(&union.legs, union.fuzzy, scope)?);
        let source = union.with_source.as_ref().map(|name| name.text.clone());
        self.united(relations, union.inner, source.as_ref(), span)
    }

    /// The relations of a list of tables. With `isfuzzy`, unresolved tables are skipped.
    pub(super) fn legs(
        &mut self,
        legs: &[Leg],
        fuzzy: bool,
        scope: &Rc<Scope>,
    ) -> Result<Vec<Relation>> {
        let mut relations = Vec::new();
        for leg in legs {
            match leg {
                Leg::Wild(pattern) => {
                    let mut tables = self.catalog.table_names();
                    tables.retain(|name| wildcard(&pattern.text, name));
                    if tables.is_empty() && !fuzzy {
                        return Err(Error::semantic(
                            pattern.span,
                            "SEM0100",
                            format!("no table has a name like '{}'", pattern.text),
                        ));
                    }
                    for name in tables {
                        if let Some(table) = self.catalog.table(&name) {
                            relations.push(self.scan(table, pattern.span)?);
                        }
                    }
                }
                Leg::Table(ast) => match self.relation(ast, scope) {
                    Ok(relation) => relations.push(relation),
                    Err(error) if fuzzy && error.kind() == ErrorKind::Semantic => {
                        self.note("isfuzzy: a table that does not exist was left out");
                    }
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(relations)
    }

    /// All rows of the relations, with the columns of the first, then the further columns of the others.
    pub(super) fn united(
        &mut self,
        relations: Vec<Relation>,
        inner: bool,
        source: Option<&Arc<str>>,
        span: Span,
    ) -> Result<Relation> {
        if relations.is_empty() {
            return Err(Error::semantic(
                span,
                "SEM0100",
                "no table of the union exists",
            ));
        }
        let mut order: Vec<Arc<str>> = Vec::new();
        let mut types: HashMap<Arc<str>, Vec<Field>> = HashMap::new();
        for field in relations.iter().flat_map(|relation| &relation.fields) {
            let seen = types.entry(field.name.clone()).or_insert_with(|| {
                order.push(field.name.clone());
                Vec::new()
            });
            if !seen.iter().any(|known| known.ty == field.ty) {
                seen.push(field.clone());
            }
        }
        if inner {
            order.retain(|name| {
                types.get(name).is_some_and(|fields| fields.len() == 1)
                    && relations
                        .iter()
                        .all(|relation| relation.fields.iter().any(|field| field.name == *name))
            });
        }
        let mut names = Names::default();
        let mut fields = Vec::new();
        if let Some(source) = source {
            fields.push((None, Field::new(&names.unique(source), Type::String)));
        }
        for name in &order {
            let variants = types.remove(name).unwrap_or_default();
            let clash = variants.len() > 1;
            for field in variants {
                let shown = if clash {
                    format!("{name}_{}", field.ty)
                } else {
                    name.to_string()
                };
                let renamed = field.renamed(&names.unique(&shown));
                fields.push((Some(name.clone()), renamed));
            }
        }
        let mut legs = Vec::with_capacity(relations.len());
        for (index, relation) in relations.into_iter().enumerate() {
            let leg_name = relation
                .name
                .clone()
                .unwrap_or_else(|| Arc::from(format!("union_arg{index}")));
            let items = fields.iter().map(|(origin, field)| {
                let expr = match origin {
                    None => Expr::constant(Value::String(leg_name.clone()), Type::String),
                    Some(origin) => {
                        let column = relation
                            .fields
                            .iter()
                            .position(|own| own.name == *origin && own.ty == field.ty);
                        match column {
                            Some(column) => Expr::column(column, field.ty),
                            None if field.ty == Type::String => {
                                Expr::constant(Value::text(""), Type::String)
                            }
                            None => Expr::constant(Value::Null, field.ty),
                        }
                    }
                };
                (field.clone(), expr)
            });
            let items = items.collect();
            self.spend(fields.len(), span)?;
            legs.push(self.projected(relation, items, span)?.plan);
        }
        let fields: Vec<Field> = fields.into_iter().map(|(_, field)| field).collect();
        let types = fields.iter().map(|field| field.ty).collect();
        Ok(Relation {
            plan: self.plan(PlanNode::Union(legs), types, span)?,
            fields,
            name: None,
        })
    }
}
