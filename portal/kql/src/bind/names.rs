//! Default names of columns.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::functions::{self, Naming};
use crate::syntax::ast::{Ast, Kind};
use crate::types::Type;
use crate::value::Value;

/// The default name of an expression.
pub(super) fn inferred(ast: &Ast) -> Option<String> {
    match &ast.kind {
        Kind::Name(name) => Some(name.to_string()),
        Kind::Special(name) if &**name == "$table" => Some(name.to_string()),
        Kind::Member(object, key) => Some(format!("{}_{key}", inferred(object)?)),
        Kind::Index(object, index) => match &index.kind {
            Kind::Literal(value @ (Value::String(_) | Value::Long(_)), _) => {
                Some(format!("{}_{}", inferred(object)?, value.to_text()))
            }
            _ => None,
        },
        Kind::Call(call) => {
            let first = call.args.first().map(|arg| &arg.value);
            let name = &*call.name.text;
            if matches!(name, "column_ifexists" | "columnifexists") {
                return match first.map(|first| &first.kind) {
                    Some(Kind::Literal(Value::String(column), _)) => Some(column.to_string()),
                    _ => None,
                };
            }
            let naming = match conversion(name) {
                Some(_) => Naming::First,
                None if name == "gettype" => Naming::Prefixed("type"),
                None => functions::find(name)?.naming,
            };
            match naming {
                Naming::Counted => None,
                Naming::First => inferred(first?),
                Naming::Prefixed(prefix) => Some(format!("{prefix}_{}", inferred(first?)?)),
            }
        }
        _ => None,
    }
}

/// The result type of a conversion function.
pub(super) fn conversion(name: &str) -> Option<Type> {
    Some(match name {
        "tostring" => Type::String,
        "toint" => Type::Int,
        "tolong" => Type::Long,
        "todouble" | "toreal" => Type::Real,
        "todecimal" => Type::Decimal,
        "tobool" | "toboolean" => Type::Bool,
        "todatetime" => Type::DateTime,
        "totimespan" | "totime" => Type::TimeSpan,
        "toguid" => Type::Guid,
        _ => return None,
    })
}

/// Makes the column names of a list unique.
#[derive(Default)]
pub(super) struct Names {
    used: HashSet<String>,
    keys: HashSet<String>,
    counted: usize,
}

impl Names {
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// Remembers the name of a group key, which `*` does not repeat.
    pub(super) fn mark_key(&mut self, name: &str) {
        self.keys.insert(name.to_owned());
    }

    pub(super) fn is_key(&self, name: &str) -> bool {
        self.keys.contains(name)
    }

    /// The name, with the suffix 1, 2, … if it is taken.
    pub(super) fn unique(&mut self, name: &str) -> Arc<str> {
        let mut candidate = name.to_owned();
        let mut suffix = 0_usize;
        while !self.used.insert(candidate.clone()) {
            suffix += 1;
            candidate = format!("{name}{suffix}");
        }
        Arc::from(candidate)
    }

    /// `Column1`, `Column2`, ….
    pub(super) fn counted(&mut self) -> Arc<str> {
        self.counted += 1;
        let name = format!("Column{}", self.counted);
        self.unique(&name)
    }

    /// The inferred name, or else a counted one.
    pub(super) fn of(&mut self, ast: &Ast) -> Arc<str> {
        match inferred(ast) {
            Some(name) => self.unique(&name),
            None => self.counted(),
        }
    }
}
