//! Names defined by `let`, parameters and `as`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::{Binder, Relation};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::syntax::ast::{Ast, Kind, Program};

/// The maximum number of `let` statements in one level.
const MAX_LETS: usize = 500;

/// A name and the scope of its definition.
#[derive(Default)]
pub(crate) struct Scope {
    parent: Option<Rc<Self>>,
    entry: Option<(Arc<str>, Entry)>,
}

pub(crate) enum Entry {
    /// Bound at each use.
    Tree {
        tree: Arc<Ast>,
        scope: Rc<Scope>,
        /// The value if it is constant, or the rows of `materialize`.
        known: RefCell<Option<Known>>,
    },
    Scalar(Expr),
    Table(Relation),
}

#[derive(Clone)]
pub(crate) enum Known {
    Scalar(Expr),
    Table(Relation),
}

impl Scope {
    pub(crate) fn with(parent: &Rc<Self>, name: Arc<str>, entry: Entry) -> Rc<Self> {
        Rc::new(Self {
            parent: Some(parent.clone()),
            entry: Some((name, entry)),
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Some((found, entry)) = &current.entry
                && **found == *name
            {
                return Some(entry);
            }
            scope = current.parent.as_deref();
        }
        None
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        let mut scope = Some(self);
        while let Some(current) = scope {
            names.extend(current.entry.as_ref().map(|(name, _)| name.clone()));
            scope = current.parent.as_deref();
        }
        names
    }
}

/// A scope with the `let` statements.
pub(super) fn lets(program: &Program, scope: &Rc<Scope>) -> Result<Rc<Scope>> {
    if let Some(excess) = program.lets.get(MAX_LETS) {
        return Err(Error::limit_at(
            excess.name.span,
            format!("more than {MAX_LETS} 'let' statements"),
        ));
    }
    let mut scope = scope.clone();
    for statement in &program.lets {
        let entry = Entry::Tree {
            tree: statement.value.clone(),
            scope: scope.clone(),
            known: RefCell::new(None),
        };
        scope = Scope::with(&scope, statement.name.text.clone(), entry);
    }
    Ok(scope)
}

impl Binder<'_> {
    /// Whether the expression is tabular.
    pub(crate) fn is_tabular(&self, ast: &Ast, scope: &Scope) -> bool {
        self.is_tabular_within(ast, scope, 0)
    }

    fn is_tabular_within(&self, ast: &Ast, scope: &Scope, level: usize) -> bool {
        const MOST: usize = 100;

        if level > MOST {
            return false;
        }
        match &ast.kind {
            Kind::Query(_) => true,
            Kind::Name(name) => match scope.find(name) {
                Some(Entry::Table(_)) => true,
                Some(Entry::Scalar(_)) => false,
                Some(Entry::Tree { tree, scope, .. }) => match &tree.kind {
                    Kind::Lambda(lambda) if lambda.params.is_empty() => {
                        self.is_tabular_within(&lambda.body.result, scope, level + 1)
                    }
                    Kind::Lambda(_) => false,
                    _ => self.is_tabular_within(tree, scope, level + 1),
                },
                None => {
                    self.named.iter().any(|(found, _)| found == name)
                        || self.catalog.table(name).is_some()
                }
            },
            Kind::Call(call) => match scope.find(&call.name.text) {
                Some(Entry::Tree { tree, scope, .. }) => match &tree.kind {
                    // The body's own definitions hide those of the function's scope.
                    Kind::Lambda(lambda) => {
                        self.body_is_tabular(&lambda.body, &lambda.params, scope, level + 1)
                    }
                    _ => false,
                },
                _ => matches!(&*call.name.text, "materialize" | "table" | "view"),
            },
            Kind::Member(object, _) => matches!(
                &object.kind,
                Kind::Call(call) if matches!(&*call.name.text, "app" | "workspace" | "resource" | "database" | "cluster")
            ),
            _ => false,
        }
    }

    fn body_is_tabular(
        &self,
        body: &Program,
        params: &[crate::syntax::ast::Param],
        scope: &Scope,
        level: usize,
    ) -> bool {
        let mut result = &*body.result;
        // Follows a name to its definition.
        for _ in 0..level.max(1) + body.lets.len() {
            let Kind::Name(name) = &result.kind else {
                break;
            };
            if let Some(statement) = body
                .lets
                .iter()
                .rev()
                .find(|statement| statement.name.text == *name)
            {
                result = &statement.value;
            } else if let Some(param) = params.iter().find(|param| param.name.text == *name) {
                return matches!(param.kind, crate::syntax::ast::ParamKind::Table(_));
            } else {
                break;
            }
        }
        self.is_tabular_within(result, scope, level)
    }
}
