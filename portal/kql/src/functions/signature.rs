//! Signatures as text: `s,l,[l] -> s; d,any* -> d`.
//!
//! Types: b bool, i int, l long, r real, dec, s string, dt datetime, ts timespan, g guid, d dynamic,
//! num any number, sum number, datetime or timespan, ord anything with an order, any. `[x]` is
//! optional, `x*` repeated. Results: a type, `=1` that of the first argument, `wide1` the same with
//! int as long, `widest` the widest number, `common` the type that all arguments have in common.

use crate::types::Type;

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Exactly(Type),
    Integer,
    Number,
    Summable,
    Ordered,
    Any,
}

impl Kind {
    /// The distance of the argument's type from this one: 0 if equal, `None` if it does not fit.
    pub(crate) fn cost(self, ty: Type) -> Option<u8> {
        let fits = match self {
            Self::Exactly(wanted) if wanted == ty => return Some(0),
            Self::Exactly(Type::Long) => ty == Type::Int,
            Self::Exactly(Type::Int) => ty == Type::Long,
            Self::Exactly(Type::Real) => ty.is_number(),
            Self::Exactly(Type::Decimal) => ty.is_number(),
            Self::Exactly(_) => false,
            Self::Integer => ty.is_integer(),
            Self::Number => ty.is_number(),
            Self::Summable => ty.is_number() || matches!(ty, Type::TimeSpan | Type::DateTime),
            Self::Ordered => ty != Type::Dynamic && ty != Type::Guid,
            Self::Any => true,
        };
        if fits {
            return Some(1);
        }
        // A dynamic value is converted to the required type.
        (ty == Type::Dynamic).then_some(4)
    }

    /// The type that a dynamic argument is converted to.
    pub(crate) fn conversion(self) -> Option<Type> {
        match self {
            Self::Exactly(Type::Dynamic) | Self::Any | Self::Ordered => None,
            Self::Exactly(ty) => Some(ty),
            Self::Integer => Some(Type::Long),
            Self::Number | Self::Summable => Some(Type::Real),
        }
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Exactly(ty) => ty.name(),
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Summable => "a number, datetime or timespan",
            Self::Ordered => "a value with an order",
            Self::Any => "a value",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exactly(Type),
    First,
    FirstWidened,
    Widest,
    Common,
}

#[derive(Debug)]
pub(crate) struct Signature {
    params: Vec<Kind>,
    required: usize,
    repeats: bool,
    pub(crate) outcome: Outcome,
}

impl Signature {
    pub(crate) fn param(&self, index: usize) -> Option<Kind> {
        match self.params.get(index) {
            Some(kind) => Some(*kind),
            None if self.repeats => self.params.last().copied(),
            None => None,
        }
    }

    pub(crate) fn accepts(&self, arguments: usize) -> bool {
        arguments >= self.required && (self.repeats || arguments <= self.params.len())
    }

    /// The minimum and the maximum number of arguments.
    pub(crate) fn arity(&self) -> (usize, Option<usize>) {
        (self.required, (!self.repeats).then_some(self.params.len()))
    }
}

fn kind(text: &str) -> Option<Kind> {
    Some(match text {
        "int" => Kind::Integer,
        "num" => Kind::Number,
        "sum" => Kind::Summable,
        "ord" => Kind::Ordered,
        "any" => Kind::Any,
        other => Kind::Exactly(ty(other)?),
    })
}

fn ty(text: &str) -> Option<Type> {
    Some(match text {
        "b" => Type::Bool,
        "i" => Type::Int,
        "l" => Type::Long,
        "r" => Type::Real,
        "dec" => Type::Decimal,
        "s" => Type::String,
        "dt" => Type::DateTime,
        "ts" => Type::TimeSpan,
        "g" => Type::Guid,
        "d" => Type::Dynamic,
        _ => return None,
    })
}

/// Parses all forms; invalid forms are skipped.
pub(crate) fn signatures(text: &str) -> Vec<Signature> {
    text.split(';').filter_map(signature).collect()
}

fn signature(text: &str) -> Option<Signature> {
    let (params, outcome) = text.split_once("->")?;
    let outcome = match outcome.trim() {
        "=1" => Outcome::First,
        "wide1" => Outcome::FirstWidened,
        "widest" => Outcome::Widest,
        "common" => Outcome::Common,
        other => Outcome::Exactly(ty(other)?),
    };
    let mut signature = Signature {
        params: Vec::new(),
        required: 0,
        repeats: false,
        outcome,
    };
    for param in params
        .split(',')
        .map(str::trim)
        .filter(|param| !param.is_empty())
    {
        if let Some(inner) = param
            .strip_prefix('[')
            .and_then(|param| param.strip_suffix(']'))
        {
            signature.params.push(kind(inner)?);
        } else if let Some(inner) = param.strip_suffix('*') {
            signature.params.push(kind(inner)?);
            signature.repeats = true;
        } else {
            signature.params.push(kind(param)?);
            signature.required += 1;
        }
    }
    Some(signature)
}
