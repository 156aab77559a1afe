//! Binds the operators of a pipeline.

use std::rc::Rc;

use super::names::Names;
use super::scope::Scope;
use super::summarize::field_names;
use super::{Binder, Relation, Row, columns};
use crate::batch::Vector;
use crate::column::Column;
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::plan::{PlanNode, Sort};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Item, Kind, Name, Operator, OperatorKind, Pattern, SortKey};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn operator(
        &mut self,
        input: Relation,
        operator: &Operator,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let span = operator.span;
        if self.rendering.is_some() {
            return Err(Error::semantic(
                span,
                "SEM0100",
                "'render' must be the last operator",
            ));
        }
        match &operator.kind {
            OperatorKind::Where(predicate) => {
                let row = Row {
                    fields: &input.fields,
                };
                let bound = self.expr(predicate, row, scope)?;
                let bound = self.condition(bound, row, predicate.span)?;
                self.filtered(input, bound, span)
            }
            OperatorKind::Extend(items) => self.extend(input, items, span, scope),
            OperatorKind::Serialize(items) => {
                if items.is_empty() {
                    Ok(input)
                } else {
                    self.extend(input, items, span, scope)
                }
            }
            OperatorKind::Project(items) => self.project(input, items, span, scope),
            OperatorKind::ProjectAway(patterns) => {
                let away = self.matching(&input, patterns)?;
                let kept = columns(&input.fields)
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| !away.contains(index));
                let kept = kept.map(|(_, column)| column).collect();
                self.projected(input, kept, span)
            }
            OperatorKind::ProjectKeep(patterns) => {
                let keep = self.matching(&input, patterns)?;
                let kept = columns(&input.fields)
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| keep.contains(index));
                let kept = kept.map(|(_, column)| column).collect();
                self.projected(input, kept, span)
            }
            OperatorKind::ProjectRename(pairs) => self.rename(input, pairs, span),
            OperatorKind::ProjectReorder(patterns) => self.reorder(input, patterns, span),
            OperatorKind::Summarize {
                aggregates,
                by,
                has_by,
            } => self.summarize(input, aggregates, by, *has_by, span, scope),
            OperatorKind::Count => self.count(input, span),
            OperatorKind::Distinct(items) => self.distinct(input, items, span, scope),
            OperatorKind::Sort(keys) => self.sort(input, keys, None, span, scope),
            OperatorKind::Top { count, key } => {
                let rows = self.row_count(count, scope)?;
                self.sort(input, key, Some(rows), span, scope)
            }
            OperatorKind::Take(count) => {
                let rows = self.row_count(count, scope)?;
                let types = input.plan.types.clone();
                let node = PlanNode::Take {
                    input: Box::new(input.plan),
                    rows,
                };
                Ok(Relation {
                    plan: self.plan(node, types, span)?,
                    fields: input.fields,
                    name: input.name,
                })
            }
            OperatorKind::Join {
                kind,
                right,
                on,
                lookup,
            } => self.join(input, *kind, right, on, *lookup, span, scope),
            OperatorKind::Union(union) => self.union(Some(input), union, span, scope),
            OperatorKind::Render(properties) => {
                self.rendering = Some(properties.clone());
                Ok(input)
            }
            OperatorKind::As(name) => {
                let named = Relation {
                    name: Some(name.text.clone()),
                    ..input
                };
                self.spend(named.plan.size(), span)?;
                self.named.push((name.text.clone(), named.clone()));
                Ok(named)
            }
            OperatorKind::GetSchema => self.get_schema(&input, span),
            OperatorKind::MvExpand(expand) => self.mv_expand(input, expand, span, scope),
            OperatorKind::Parse(parse) => self.parse_operator(input, parse, span, scope),
            OperatorKind::MakeSeries(series) => self.make_series(input, series, span, scope),
            OperatorKind::Evaluate { call, schema } => {
                self.evaluate(input, call, schema.as_deref(), span, scope)
            }
            OperatorKind::Invoke(call) => {
                let lambda = match scope.find(&call.name.text) {
                    Some(super::scope::Entry::Tree { tree, .. }) => match &tree.kind {
                        Kind::Lambda(lambda) => lambda.clone(),
                        _ => return Err(unknown_function(&call.name, scope)),
                    },
                    _ => return Err(unknown_function(&call.name, scope)),
                };
                self.user_table(call, &lambda, Some(input), span, scope)
            }
            OperatorKind::Search(search) => self.search(Some(input), search, span, scope),
        }
    }

    fn extend(
        &mut self,
        input: Relation,
        items: &[Item],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let row = Row {
            fields: &input.fields,
        };
        let mut all = columns(&input.fields);
        let mut names = Names::default();
        for field in &input.fields {
            names.unique(&field.name);
        }
        for item in items {
            let expr = self.expr(&item.value, row, scope)?;
            let name = match &item.name {
                Some(name) => name.text.clone(),
                None => match super::names::inferred(&item.value) {
                    Some(name) => std::sync::Arc::from(name),
                    None => names.counted(),
                },
            };
            let field = self.field_of(&name, &expr, row);
            match all.iter_mut().find(|(existing, _)| existing.name == name) {
                Some(column) => *column = (field, expr),
                None => {
                    names.unique(&name);
                    all.push((field, expr));
                }
            }
        }
        self.projected(input, all, span)
    }

    /// The column of an expression. A plain column reference keeps its leniency.
    #[expect(clippy::unused_self, reason = "called as the other steps are")]
    pub(super) fn field_of(&self, name: &str, expr: &Expr, row: Row<'_>) -> Field {
        match expr.node {
            crate::expr::Node::Column(index) => row
                .fields
                .get(index)
                .map_or_else(|| Field::new(name, expr.ty), |field| field.renamed(name)),
            _ => Field::new(name, expr.ty),
        }
    }

    pub(super) fn project(
        &mut self,
        input: Relation,
        items: &[Item],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let row = Row {
            fields: &input.fields,
        };
        let mut names = Names::default();
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            if matches!(item.value.kind, Kind::Star) && item.name.is_none() {
                for (field, expr) in columns(&input.fields) {
                    let name = names.unique(&field.name);
                    all.push((field.renamed(&name), expr));
                }
                continue;
            }
            let expr = self.expr(&item.value, row, scope)?;
            let name = match &item.name {
                Some(name) => names.unique(&name.text),
                None => names.of(&item.value),
            };
            all.push((self.field_of(&name, &expr, row), expr));
        }
        self.projected(input, all, span)
    }

    /// The columns that match any of the patterns.
    fn matching(&self, input: &Relation, patterns: &[Pattern]) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for pattern in patterns {
            found.extend(self.matching_one(input, pattern)?);
        }
        Ok(found)
    }

    #[expect(clippy::unused_self, reason = "called as the other steps are")]
    fn matching_one(&self, input: &Relation, pattern: &Pattern) -> Result<Vec<usize>> {
        if !pattern.wild {
            return match (Row {
                fields: &input.fields,
            })
            .find(&pattern.text)
            {
                Some(index) => Ok(vec![index]),
                None => Err(unknown_column(&pattern.text, pattern.span, &input.fields)),
            };
        }
        let matches = input
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| wildcard(&pattern.text, &field.name));
        Ok(matches.map(|(index, _)| index).collect())
    }

    fn rename(&mut self, input: Relation, pairs: &[(Name, Name)], span: Span) -> Result<Relation> {
        let mut all = columns(&input.fields);
        for (new, old) in pairs {
            let Some(index) = (Row {
                fields: &input.fields,
            })
            .find(&old.text) else {
                return Err(unknown_column(&old.text, old.span, &input.fields));
            };
            all[index].0 = input.fields[index].renamed(&new.text);
        }
        let mut names = Names::default();
        for (field, _) in &all {
            if names.is_used(&field.name) {
                return Err(Error::semantic(
                    span,
                    "SEM0034",
                    format!("two columns would have the name '{}'", field.name),
                ));
            }
            names.unique(&field.name);
        }
        self.projected(input, all, span)
    }

    fn reorder(
        &mut self,
        input: Relation,
        patterns: &[(Pattern, Option<bool>)],
        span: Span,
    ) -> Result<Relation> {
        let mut order: Vec<usize> = Vec::new();
        for (pattern, ascending) in patterns {
            let mut found = self.matching_one(&input, pattern)?;
            found.retain(|index| !order.contains(index));
            if let Some(ascending) = ascending {
                found.sort_by(|a, b| input.fields[*a].name.cmp(&input.fields[*b].name));
                if !ascending {
                    found.reverse();
                }
            }
            order.extend(found);
        }
        let rest: Vec<usize> = (0..input.fields.len())
            .filter(|index| !order.contains(index))
            .collect();
        order.extend(rest);
        let all = columns(&input.fields);
        let reordered = order.into_iter().map(|index| all[index].clone()).collect();
        self.projected(input, reordered, span)
    }

    fn sort(
        &mut self,
        input: Relation,
        keys: &[SortKey],
        limit: Option<usize>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut bound = Vec::with_capacity(keys.len());
        for key in keys {
            let expr = self.expr(
                &key.value,
                Row {
                    fields: &input.fields,
                },
                scope,
            )?;
            if expr.has_window() {
                return Err(Error::unsupported(
                    key.value.span,
                    "a window function as a key of an order",
                ));
            }
            if expr.ty == Type::Dynamic {
                self.note(
                    "a dynamic is sorted by the order of its values; Kusto demands a conversion",
                );
            }
            bound.push(Sort {
                expr,
                ascending: key.ascending,
                nulls_first: key.nulls_first.unwrap_or(key.ascending),
            });
        }
        let types = input.plan.types.clone();
        let node = PlanNode::Sort {
            input: Box::new(input.plan),
            keys: bound,
            limit,
        };
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields: input.fields,
            name: input.name,
        })
    }

    fn get_schema(&mut self, input: &Relation, span: Span) -> Result<Relation> {
        let fields = vec![
            Field::new("ColumnName", Type::String),
            Field::new("ColumnOrdinal", Type::Int),
            Field::new("DataType", Type::String),
            Field::new("ColumnType", Type::String),
        ];
        let rows = &input.fields;
        let text = |f: &dyn Fn(&Field) -> Value| {
            Vector::from(Column::from_values(Type::String, rows.iter().map(f)))
        };
        let ordinals = (0_i64..).take(rows.len()).map(Value::Long);
        let columns = vec![
            text(&|field| Value::String(field.name.clone())),
            Column::from_values(Type::Int, ordinals).into(),
            text(&|field| Value::text(field.ty.clr_name())),
            text(&|field| Value::text(field.ty.name())),
        ];
        let count = rows.len();
        self.values(fields, columns, count, span)
    }
}

/// The column of an operator that accepts only column names.
pub(super) fn column_index(ast: &Ast, fields: &[Field]) -> Result<usize> {
    match &ast.kind {
        Kind::Name(name) => (Row { fields })
            .find(name)
            .ok_or_else(|| unknown_column(name, ast.span, fields)),
        _ => Err(Error::semantic(
            ast.span,
            "SEM0100",
            "the name of a column is expected here",
        )),
    }
}

fn unknown_function(name: &Name, scope: &Scope) -> Error {
    let known = scope.names();
    Error::semantic(
        name.span,
        "SEM0260",
        format!("unknown function '{}'", name.text),
    )
    .suggest(&name.text, known.iter().map(|name| &**name))
}

pub(super) fn unknown_column(name: &str, span: Span, fields: &[Field]) -> Error {
    Error::semantic(span, "SEM0100", format!("no column is named '{name}'"))
        .suggest(name, field_names(fields))
}

/// Whether the name matches a pattern in which `*` matches any text.
pub(super) fn wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(
            wildcard("app*", "app") && wildcard("*_Id", "user_Id") && wildcard("a*b*c", "axbxc")
        );
        assert!(!wildcard("a*b", "ab1") && !wildcard("ab*ba", "aba") && wildcard("*", ""));
    }
}
