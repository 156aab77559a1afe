//! `mv-expand` and `parse`.

use std::rc::Rc;
use std::sync::Arc;

use super::names::{Names, inferred};
use super::scope::Scope;
use super::{Binder, Relation, Row, columns};
use crate::error::{Error, Result};
use crate::expr::{Expr, Node};
use crate::functions::compile;
use crate::plan::{MvExpand, Parse, Part, PlanNode};
use crate::syntax::Span;
use crate::syntax::ast::{self, ParseKind, ParsePart};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn mv_expand(
        &mut self,
        input: Relation,
        expand: &ast::MvExpand,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let row = Row {
            fields: &input.fields,
        };
        let mut fields = input.fields.clone();
        let mut bound = Vec::new();
        for (item, ty) in &expand.columns {
            let expr = self.expr(&item.value, row, scope)?;
            let ty = ty.unwrap_or(Type::Dynamic);
            let target = match (&item.name, &expr.node) {
                (None, Node::Column(index)) => Some(*index),
                (Some(name), _) => fields.iter().position(|field| field.name == name.text),
                _ => None,
            };
            let name: Arc<str> = match (&item.name, target) {
                (Some(name), _) => name.text.clone(),
                (None, Some(index)) => fields[index].name.clone(),
                (None, None) => {
                    let mut names = Names::default();
                    for field in &fields {
                        names.unique(&field.name);
                    }
                    match inferred(&item.value) {
                        Some(name) => names.unique(&name),
                        None => names.counted(),
                    }
                }
            };
            let target = match target {
                Some(target) => {
                    fields[target] = Field::new(&name, ty);
                    target
                }
                None => {
                    fields.push(Field::new(&name, ty));
                    fields.len() - 1
                }
            };
            bound.push((expr, target));
        }
        let item_index = expand.item_index.as_ref().map(|name| {
            fields.push(Field::new(&name.text, Type::Long));
            fields.len() - 1
        });
        let limit = expand
            .limit
            .as_ref()
            .map(|limit| self.row_count(limit, scope))
            .transpose()?;
        let types = fields.iter().map(|field| field.ty).collect();
        let node = PlanNode::MvExpand(Box::new(MvExpand {
            input: input.plan,
            columns: bound,
            arrays: expand.arrays,
            item_index,
            limit,
        }));
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name: input.name,
        })
    }

    pub(super) fn parse_operator(
        &mut self,
        input: Relation,
        parse: &ast::Parse,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let value = self.expr(
            &parse.value,
            Row {
                fields: &input.fields,
            },
            scope,
        )?;
        if value.ty != Type::String && value.ty != Type::Dynamic {
            return Err(Error::semantic(
                parse.value.span,
                "SEM0219",
                format!("'parse' takes a string, not {}", value.ty),
            ));
        }
        let value = self.convert(value, Type::String, parse.value.span)?;
        let mut fields = input.fields.clone();
        let mut targets = Vec::new();
        let mut pattern = Vec::new();
        for part in &parse.parts {
            pattern.push(match part {
                ParsePart::Star => Part::Star,
                ParsePart::Text(text, _) => Part::Text(text.clone()),
                ParsePart::Column(column) => {
                    if matches!(pattern.last(), Some(Part::Column))
                        && parse.kind != ParseKind::Regex
                    {
                        return Err(Error::semantic(
                            column.name.span,
                            "SEM0219",
                            "two columns of 'parse' need a text between them",
                        ));
                    }
                    let field = Field::new(&column.name.text, column.ty);
                    let target = match fields
                        .iter()
                        .position(|field| field.name == column.name.text)
                    {
                        Some(target) => {
                            fields[target] = field;
                            target
                        }
                        None => {
                            fields.push(field);
                            fields.len() - 1
                        }
                    };
                    targets.push((target, column.ty));
                    Part::Column
                }
            });
        }
        let regex = match parse.kind {
            ParseKind::Regex => Some(regex_of(parse)?),
            ParseKind::Simple | ParseKind::Relaxed => None,
        };
        let types = fields.iter().map(|field| field.ty).collect();
        let node = PlanNode::Parse(Box::new(Parse {
            input: input.plan,
            value,
            kind: parse.kind,
            drops: parse.drops,
            pattern,
            regex,
            targets,
        }));
        Ok(Relation {
            plan: self.plan(node, types, span)?,
            fields,
            name: input.name,
        })
    }

    /// The columns of a relation in a given schema. Missing columns are null.
    pub(super) fn in_schema(
        &mut self,
        relation: Relation,
        schema: &[ast::Typed],
        span: Span,
    ) -> Result<Relation> {
        let own = columns(&relation.fields);
        let mut items = Vec::new();
        for column in schema {
            let found = own.iter().find(|(field, _)| field.name == column.name.text);
            let expr = match found {
                Some((_, expr)) => self.convert(expr.clone(), column.ty, span)?,
                None => Expr::constant(Value::Null, column.ty),
            };
            items.push((Field::new(&column.name.text, column.ty), expr));
        }
        self.projected(relation, items, span)
    }
}

/// The pattern as one regular expression with a group for each column.
fn regex_of(parse: &ast::Parse) -> Result<regex::Regex> {
    let mut pattern = String::new();
    let mut span = parse.value.span;
    if !parse.flags.is_empty() {
        if let Some(flag) = parse.flags.chars().find(|flag| !"imsU".contains(*flag)) {
            return Err(Error::semantic(
                span,
                "SEM0420",
                format!("'{flag}' is not a flag of 'parse'"),
            ));
        }
        pattern = format!("(?{})", parse.flags);
    }
    pattern.push('^');
    let mut group = 0;
    for part in &parse.parts {
        match part {
            ParsePart::Star => pattern.push_str(".*?"),
            ParsePart::Text(text, at) => {
                super::expression::check_regex(text, *at)?;
                span = *at;
                pattern.push_str("(?:");
                pattern.push_str(text);
                pattern.push(')');
            }
            ParsePart::Column(column) => {
                let inner = match column.ty {
                    Type::Int | Type::Long => r"-?\d+",
                    Type::Real | Type::Decimal => r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?",
                    _ => ".*",
                };
                pattern.push_str(&format!("(?P<azmon_{group}>{inner})"));
                group += 1;
            }
        }
    }
    if matches!(parse.parts.last(), Some(ParsePart::Column(_))) {
        pattern.push('$');
    }
    compile(&pattern).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default();
        Error::semantic(
            span,
            "SEM0420",
            format!("not a regular expression: {reason}"),
        )
    })
}
