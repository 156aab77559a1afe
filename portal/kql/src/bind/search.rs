//! `search` and `find`.

use std::rc::Rc;
use std::sync::Arc;

use super::scope::Scope;
use super::{Binder, Relation, Row, columns};
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Expr, Node};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Find, Kind, Leg, Search, TextKind, TextOp};
use crate::types::{Field, Type};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn search(
        &mut self,
        input: Option<Relation>,
        search: &Search,
        span: Span,
        scope: &Rc<Scope>,
    ) -> Result<Relation> {
        let given = input.is_some();
        let relations = match input {
            Some(relation) => vec![relation],
            None => self.searched(&search.tables, scope)?,
        };
        let mut found = Vec::new();
        let mut refused = None;
        for relation in relations {
            match self.search_predicate(&search.predicate, &relation, !search.case_sensitive, scope)
            {
                Ok(predicate) => found.push(self.filtered(relation, predicate, span)?),
                // A table without the column is skipped.
                Err(error) if !given && error.kind() == ErrorKind::Semantic => {
                    refused = Some(error)
                }
                Err(error) => return Err(error),
            }
        }
        match (found.is_empty(), refused) {
            (true, Some(error)) => Err(error),
            (true, None) => Err(Error::semantic(span, "SEM0100", "no table can be searched")),
            (false, _) if given => Ok(found.remove(0)),
            (false, _) => self.united(found, false, Some(&Arc::from("$table")), span),
        }
    }

    fn searched(&mut self, tables: &[Leg], scope: &Rc<Scope>) -> Result<Vec<Relation>> {
        if !tables.is_empty() {
            return self.legs(tables, false, scope);
        }
        let mut relations = Vec::new();
        for name in self.catalog.table_names() {
            if let Some(table) = self.catalog.table(&name) {
                relations.push(self.scan(table, Span::default())?);
            }
        }
        Ok(relations)
    }

    /// A predicate in which a string alone is searched in every column.
    fn search_predicate(
        &mut self,
        ast: &Ast,
        relation: &Relation,
        fold: bool,
        scope: &Rc<Scope>,
    ) -> Result<Expr> {
        let row = Row {
            fields: &relation.fields,
        };
        match &ast.kind {
            Kind::Literal(Value::String(term), _) => self.anywhere(term, row, fold, ast.span),
            Kind::And(items) | Kind::Or(items) => {
                let mut parts = Vec::with_capacity(items.len());
                for item in items {
                    parts.push(self.search_predicate(item, relation, fold, scope)?);
                }
                let node = match &ast.kind {
                    Kind::And(_) => Node::And(parts),
                    _ => Node::Or(parts),
                };
                self.node(node, Type::Bool, ast.span)
            }
            Kind::Call(call) if &*call.name.text == "not" && call.args.len() == 1 => {
                let inner = self.search_predicate(&call.args[0].value, relation, fold, scope)?;
                self.apply("not", vec![inner], Type::Bool, ast.span)
            }
            Kind::Binary(..) if matches!(&ast.kind, Kind::Binary(_, left, _) if matches!(left.kind, Kind::Star)) =>
            {
                let Kind::Binary(_, _, right) = &ast.kind else {
                    return Err(Error::unsupported(ast.span, "this form of 'search'"));
                };
                let needle = self.constant(right, scope, "the text")?;
                let needle = needle.as_const().map(Value::to_text).unwrap_or_default();
                self.anywhere(&needle, row, fold, ast.span)
            }
            Kind::Text {
                op,
                negated,
                value,
                needle,
            } if matches!(value.kind, Kind::Star) => {
                let bound = self.expr(needle, row, scope)?;
                let mut parts = Vec::new();
                for (_, column) in columns(row.fields) {
                    parts.push(self.text(*op, false, column, bound.clone(), ast.span)?);
                }
                let any = self.node(Node::Or(parts), Type::Bool, ast.span)?;
                if *negated {
                    self.apply("not", vec![any], Type::Bool, ast.span)
                } else {
                    Ok(any)
                }
            }
            _ => {
                let bound = self.expr(ast, row, scope)?;
                self.condition(bound, row, ast.span)
            }
        }
    }

    fn anywhere(&mut self, term: &str, row: Row<'_>, fold: bool, span: Span) -> Result<Expr> {
        let needle = Expr::constant(Value::text(term), Type::String);
        let mut parts = Vec::new();
        for (_, column) in columns(row.fields) {
            parts.push(self.search_term(column, &needle, fold, span)?);
        }
        self.node(Node::Or(parts), Type::Bool, span)
    }

    /// `has`, or the operator for a term with a leading or trailing `*`.
    pub(super) fn search_term(
        &mut self,
        value: Expr,
        needle: &Expr,
        fold: bool,
        span: Span,
    ) -> Result<Expr> {
        let Some(text) = needle.as_const().map(Value::to_text) else {
            return Err(Error::semantic(
                span,
                "SEM0108",
                "a term that is searched for must be a constant",
            ));
        };
        let (kind, term): (TextKind, &str) = match (text.strip_prefix('*'), text.strip_suffix('*'))
        {
            (Some(_), Some(_)) if text.len() > 1 => (TextKind::Contains, text.trim_matches('*')),
            (Some(_), Some(_)) => (TextKind::Contains, ""),
            (Some(rest), None) => (TextKind::HasSuffix, rest),
            (None, Some(rest)) => (TextKind::HasPrefix, rest),
            (None, None) => (TextKind::Has, &text),
        };
        if term.contains('*') {
            let pattern: Vec<String> = term.split('*').map(regex::escape).collect();
            let pattern = format!("{}{}", if fold { "(?i)" } else { "" }, pattern.join(".*?"));
            let op = TextOp {
                kind: TextKind::Matches,
                fold: false,
            };
            return self.text(
                op,
                false,
                value,
                Expr::constant(Value::text(pattern), Type::String),
                span,
            );
        }
        let needle = Expr::constant(Value::text(term), Type::String);
        self.text(TextOp { kind, fold }, false, value, needle, span)
    }

    /// `find`: the named columns, and the others in a bag.
    pub(super) fn find(&mut self, find: &Find, span: Span, scope: &Rc<Scope>) -> Result<Relation> {
        let relations = self.searched(&find.tables, scope)?;
        let source: Arc<str> = find
            .with_source
            .as_ref()
            .map_or_else(|| Arc::from("source_"), |name| name.text.clone());
        let mut found = Vec::new();
        let mut refused = None;
        for (index, relation) in relations.into_iter().enumerate() {
            let name = relation
                .name
                .clone()
                .unwrap_or_else(|| Arc::from(format!("find_arg{index}")));
            let predicate = match self.search_predicate(&find.predicate, &relation, true, scope) {
                Ok(predicate) => predicate,
                Err(error) if error.kind() == ErrorKind::Semantic => {
                    refused = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let filtered = self.filtered(relation, predicate, span)?;
            let mut items = vec![(
                Field::new(&source, Type::String),
                Expr::constant(Value::String(name), Type::String),
            )];
            match &find.project {
                Some(project) => {
                    for item in project {
                        let row = Row {
                            fields: &filtered.fields,
                        };
                        let shown = match &item.name {
                            Some(name) => name.text.to_string(),
                            None => super::names::inferred(&item.value).unwrap_or_default(),
                        };
                        if let Kind::Name(column) = &item.value.kind
                            && row.find(column).is_none()
                        {
                            continue;
                        }
                        let expr = self.expr(&item.value, row, scope)?;
                        items.push((self.field_of(&shown, &expr, row), expr));
                    }
                }
                None => items.extend(self.smart_columns(&find.predicate, &filtered, span)?),
            }
            found.push(self.projected(filtered, items, span)?);
        }
        match (found.is_empty(), refused) {
            (true, Some(error)) => Err(error),
            (true, None) => Err(Error::semantic(span, "SEM0100", "no table can be searched")),
            (false, _) => self.united(found, false, None, span),
        }
    }

    /// The columns that the predicate refers to, and `pack_` with the others.
    fn smart_columns(
        &mut self,
        predicate: &Ast,
        relation: &Relation,
        span: Span,
    ) -> Result<Vec<(Field, Expr)>> {
        let mut named = Vec::new();
        names_in(predicate, &mut named);
        let (chosen, packed): (Vec<_>, Vec<_>) = columns(&relation.fields)
            .into_iter()
            .partition(|(field, _)| named.contains(&field.name));
        let members = packed.into_iter().flat_map(|(field, expr)| {
            [
                Expr::constant(Value::String(field.name), Type::String),
                expr,
            ]
        });
        let pack = self.apply("_pack_filled", members.collect(), Type::Dynamic, span)?;
        let mut items = chosen;
        items.push((Field::new("pack_", Type::Dynamic), pack));
        Ok(items)
    }
}

fn names_in(ast: &Ast, names: &mut Vec<Arc<str>>) {
    match &ast.kind {
        Kind::Name(name) => names.push(name.clone()),
        Kind::And(items) | Kind::Or(items) => items.iter().for_each(|item| names_in(item, names)),
        Kind::Call(call) => call.args.iter().for_each(|arg| names_in(&arg.value, names)),
        Kind::Binary(_, a, b) | Kind::Index(a, b) | Kind::Colon(a, b) => {
            names_in(a, names);
            names_in(b, names);
        }
        Kind::Text { value, needle, .. } => {
            names_in(value, names);
            names_in(needle, names);
        }
        Kind::In { value, .. } | Kind::HasList { value, .. } | Kind::Between { value, .. } => {
            names_in(value, names)
        }
        Kind::Member(object, _) => names_in(object, names),
        _ => {}
    }
}
