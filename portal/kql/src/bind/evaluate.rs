//! `evaluate pivot` and `evaluate bag_unpack`: their columns depend on the rows, which are read while binding.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;

use super::names::Names;
use super::operator::column_index;
use super::scope::Scope;
use super::{Binder, Relation};
use crate::batch::Vector;
use crate::column::ColumnBuilder;
use crate::error::{Error, Result};
use crate::functions::{UNSUPPORTED_PLUGINS, column_name};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Call, Item, Kind, Name, Typed};
use crate::types::{Field, Type};
use crate::value::Value;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Error,
    Keep,
    Replace,
}

impl Binder<'_> {
    pub(super) fn evaluate(
        &mut self,
        input: Relation,
        call: &Call,
        schema: Option<&[Typed]>,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let result = match &*call.name.text {
            "pivot" => self.pivot(input, call, span, scope)?,
            "bag_unpack" => self.bag_unpack(input, call, span, scope)?,
            name if UNSUPPORTED_PLUGINS.contains(&name) => {
                return Err(Error::unsupported(
                    call.name.span,
                    &format!("the plugin '{name}'"),
                ));
            }
            name => {
                return Err(Error::semantic(
                    call.name.span,
                    "SEM0260",
                    format!("unknown plugin '{name}'"),
                )
                .suggest(name, ["pivot", "bag_unpack"]));
            }
        };
        if let Some(excess) = result.fields.get(self.evaluator.options.limits.columns) {
            return Err(Error::limit_at(
                span,
                format!(
                    "more than {} columns, from '{}' on",
                    self.evaluator.options.limits.columns, excess.name
                ),
            ));
        }
        match schema {
            Some(schema) => self.in_schema(result, schema, span),
            None => Ok(result),
        }
    }

    fn pivot(
        &mut self,
        input: Relation,
        call: &Call,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        self.arity(call, 1, None)?;
        let pivot = column_index(&call.args[0].value, &input.fields)?;
        let (aggregate, group) = match call.args.get(1) {
            Some(arg) if matches!(arg.value.kind, Kind::Call(_)) => {
                (Some(&arg.value), &call.args[2..])
            }
            _ => (None, &call.args[1..]),
        };
        let mut used = vec![pivot];
        if let Some(aggregate) = aggregate {
            columns_in(aggregate, &input.fields, &mut used);
        }
        let group: Result<Vec<usize>> = if group.is_empty() {
            Ok((0..input.fields.len())
                .filter(|index| !used.contains(index))
                .collect())
        } else {
            group
                .iter()
                .map(|arg| column_index(&arg.value, &input.fields))
                .collect()
        };
        let group = group?;
        let fields: Vec<Field> = group
            .iter()
            .map(|index| input.fields[*index].clone())
            .collect();
        // The names are unique, like those of any relation.
        let item = |name: &Arc<str>, kind: Kind| Item {
            name: Some(Name {
                text: name.clone(),
                span,
            }),
            value: Ast {
                kind,
                span,
                depth: 1,
            },
        };
        let by: Vec<Item> = group
            .iter()
            .chain([&pivot])
            .map(|index| {
                item(
                    &input.fields[*index].name,
                    Kind::Name(input.fields[*index].name.clone()),
                )
            })
            .collect();
        let cells = match aggregate {
            Some(aggregate) => self.pivot_cells(input, aggregate, &by, span, scope)?,
            None => {
                let count = Call {
                    name: Name {
                        text: Arc::from("count"),
                        span,
                    },
                    args: Vec::new(),
                };
                let counted = [item(&Arc::from("cell"), Kind::Call(count))];
                self.summarize(input, &counted, &by, true, span, scope)?
            }
        };
        if !self.executes {
            self.open = true;
            let types: Vec<Vector> = fields.iter().map(|_| Vector::Const(Value::Null)).collect();
            return self.values(fields, types, 0, span);
        }
        self.pivoted(&cells, fields, aggregate, span)
    }

    /// One row for each group and pivot value; the last column is the cell.
    fn pivot_cells(
        &mut self,
        input: Relation,
        aggregate: &Ast,
        by: &[Item],
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let Kind::Call(call) = &aggregate.kind else {
            return Err(Error::semantic(
                aggregate.span,
                "SEM0219",
                "an aggregate is expected here",
            ));
        };
        if !super::aggregate::is_aggregate(&call.name.text) {
            return Err(Error::semantic(
                call.name.span,
                "SEM0219",
                format!("'{}' is not an aggregate", call.name.text),
            ));
        }
        self.summarize_one(input, aggregate, by, span, scope)
    }

    fn pivoted(
        &mut self,
        cells: &Relation,
        group: Vec<Field>,
        aggregate: Option<&Ast>,
        span: Span,
    ) -> Result<Relation> {
        let batch = self.rows(cells)?;
        let (keys, ty) = (
            group.len(),
            cells.fields.last().map_or(Type::Dynamic, |field| field.ty),
        );
        let fill = match aggregate.map(|ast| &ast.kind) {
            Some(Kind::Call(call))
                if !call.name.text.starts_with("count")
                    && !call.name.text.starts_with("sum")
                    && !call.name.text.starts_with("dcount") =>
            {
                Value::Null
            }
            _ => crate::convert::convert(&Value::Long(0), ty),
        };
        let mut headers: Vec<String> = (0..batch.rows)
            .map(|row| column_name(&batch.get(keys, row)))
            .collect();
        headers.sort_unstable();
        headers.dedup();
        self.evaluator
            .hold(headers.len().saturating_mul(batch.rows.min(1000)), 0)?;
        if headers.len() > self.evaluator.options.limits.columns {
            return Err(Error::limit_at(
                span,
                format!("pivot gives {} columns", headers.len()),
            ));
        }
        let places: HashMap<String, usize> = headers
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, header)| (header, index))
            .collect();
        let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut rows: Vec<(usize, Vec<Value>)> = Vec::new();
        for row in 0..batch.rows {
            let mut key = Vec::new();
            (0..keys).for_each(|column| batch.get(column, row).write_key(&mut key));
            let index = *groups.entry(key).or_insert_with(|| {
                rows.push((row, vec![fill.clone(); headers.len()]));
                rows.len() - 1
            });
            self.evaluator
                .hold(rows.len().saturating_mul(headers.len()), 0)?;
            if let Some(place) = places.get(&column_name(&batch.get(keys, row))) {
                rows[index].1[*place] = batch.get(keys + 1, row);
            }
        }
        let mut names = Names::default();
        let mut fields: Vec<Field> = group
            .iter()
            .map(|field| field.renamed(&names.unique(&field.name)))
            .collect();
        fields.extend(
            headers
                .iter()
                .map(|header| Field::new(&names.unique(header), ty)),
        );
        let mut builders: Vec<ColumnBuilder> = fields
            .iter()
            .map(|field| ColumnBuilder::new(field.ty))
            .collect();
        let count = rows.len();
        for (row, cells) in rows {
            for (column, builder) in builders.iter_mut().enumerate() {
                builder.push(match column.checked_sub(keys) {
                    Some(cell) => cells[cell].clone(),
                    None => batch.get(column, row),
                });
            }
        }
        let columns = builders
            .into_iter()
            .map(|builder| Vector::from(builder.finish()))
            .collect();
        self.values(fields, columns, count, span)
    }

    fn bag_unpack(
        &mut self,
        input: Relation,
        call: &Call,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let mut positional = call
            .args
            .iter()
            .filter(|arg| arg.name.is_none())
            .map(|arg| &arg.value);
        let Some(column) = positional.next() else {
            return Err(Error::semantic(
                call.name.span,
                "SEM0219",
                "bag_unpack() needs a column",
            ));
        };
        let source = column_index(column, &input.fields)?;
        if input.fields[source].ty != Type::Dynamic {
            return Err(Error::semantic(
                column.span,
                "SEM0219",
                "bag_unpack() takes a column of type dynamic",
            ));
        }
        let named = |name: &str| {
            call.args
                .iter()
                .find(|arg| arg.name.as_ref().is_some_and(|given| &*given.text == name))
                .map(|arg| &arg.value)
        };
        let prefix = named("OutputColumnPrefix").or_else(|| positional.next());
        let conflict = named("columnsConflict").or_else(|| positional.next());
        let ignored = named("ignoredProperties").or_else(|| positional.next());
        let mut text = |ast: Option<&Ast>| -> Result<Arc<str>> {
            match ast {
                Some(ast) => Ok(self
                    .constant(ast, scope, "this argument")?
                    .as_const()
                    .map(Value::to_text)
                    .unwrap_or_default()),
                None => Ok(Arc::from("")),
            }
        };
        let prefix = text(prefix)?;
        let conflict_name = text(conflict)?;
        let conflict = match &*conflict_name {
            "" | "error" => Conflict::Error,
            "keep_source" => Conflict::Keep,
            "replace_source" => Conflict::Replace,
            other => {
                return Err(Error::semantic(
                    conflict.map_or(span, |ast| ast.span),
                    "SEM0219",
                    format!("'{other}' is not a way to resolve conflicts"),
                ));
            }
        };
        let ignored: Vec<Arc<str>> = match ignored {
            Some(ast) => match self
                .constant(ast, scope, "the ignored properties")?
                .as_const()
            {
                Some(Value::Array(items)) => items.iter().map(Value::to_text).collect(),
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        if !self.executes {
            self.open = true;
            let fields: Vec<Field> = input
                .fields
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != source)
                .map(|(_, field)| field.clone())
                .collect();
            let columns = fields.iter().map(|_| Vector::Const(Value::Null)).collect();
            return self.values(fields, columns, 0, span);
        }
        let batch = self.rows(&input)?;
        let bags: Vec<Value> = (0..batch.rows).map(|row| batch.get(source, row)).collect();
        let mut types: HashMap<Arc<str>, Option<Type>> = HashMap::new();
        for (key, value) in bags.iter().filter_map(Value::as_bag).flat_map(|bag| &bag.0) {
            let seen = types.entry(key.clone()).or_insert(None);
            *seen = merged(*seen, value);
            if types.len() > self.evaluator.options.limits.columns {
                return Err(Error::limit_at(span, "bag_unpack gives too many columns"));
            }
        }
        let mut keys: Vec<(Arc<str>, Type)> = types
            .into_iter()
            .filter(|(key, _)| !ignored.contains(key))
            .map(|(key, ty)| (key, ty.unwrap_or(Type::Dynamic)))
            .collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for (index, field) in input.fields.iter().enumerate() {
            if index != source {
                fields.push(field.clone());
                columns.push(batch.columns[index].clone());
            }
        }
        for (key, ty) in keys {
            let name = format!("{prefix}{key}");
            let existing = fields.iter().position(|field| *field.name == *name);
            match (existing, conflict) {
                (Some(_), Conflict::Error) => {
                    return Err(Error::semantic(
                        span,
                        "SEM0219",
                        format!("bag_unpack() would make a second column '{name}'"),
                    ));
                }
                (Some(_), Conflict::Keep) => continue,
                _ => {}
            }
            let mut builder = ColumnBuilder::new(ty);
            for bag in &bags {
                builder.push(
                    bag.as_bag()
                        .and_then(|bag| bag.get(&key))
                        .cloned()
                        .unwrap_or_default(),
                );
            }
            let column = Vector::from(builder.finish());
            match existing {
                Some(place) => {
                    fields[place] = Field::new(&name, ty);
                    columns[place] = column;
                }
                None => {
                    fields.push(Field::new(&name, ty));
                    columns.push(column);
                }
            }
        }
        self.values(fields, columns, batch.rows, span)
    }
}

/// The type of a column with the previous values and this one.
fn merged(seen: Option<Type>, value: &Value) -> Option<Type> {
    let ty = match value {
        Value::Null => return seen,
        Value::Bool(_) => Type::Bool,
        Value::Long(_) => Type::Long,
        Value::Real(_) => Type::Real,
        Value::Decimal(_) => Type::Decimal,
        Value::String(_) => Type::String,
        Value::DateTime(_) => Type::DateTime,
        Value::TimeSpan(_) => Type::TimeSpan,
        Value::Guid(_) => Type::Guid,
        Value::Array(_) | Value::Bag(_) => Type::Dynamic,
    };
    Some(match seen {
        None => ty,
        Some(seen) if seen == ty => ty,
        Some(Type::Long | Type::Real) if matches!(ty, Type::Long | Type::Real) => Type::Real,
        Some(_) => Type::Dynamic,
    })
}

/// The columns that the arguments of an aggregate refer to.
fn columns_in(ast: &Ast, fields: &[Field], found: &mut Vec<usize>) {
    match &ast.kind {
        Kind::Name(name) => found.extend(fields.iter().position(|field| field.name == *name)),
        Kind::Call(call) => call
            .args
            .iter()
            .for_each(|arg| columns_in(&arg.value, fields, found)),
        Kind::Binary(_, a, b) | Kind::Index(a, b) => {
            columns_in(a, fields, found);
            columns_in(b, fields, found);
        }
        Kind::Member(a, _) | Kind::Negate(a) => columns_in(a, fields, found),
        Kind::And(items) | Kind::Or(items) => items
            .iter()
            .for_each(|item| columns_in(item, fields, found)),
        _ => {}
    }
}
