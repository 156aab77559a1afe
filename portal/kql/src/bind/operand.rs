//! Operand types: comparisons, arithmetic, strings, lists.

use std::sync::Arc;

use super::{Binder, Row};
use crate::convert::convert;
use crate::error::{Error, Result};
use crate::expr::{Arithmetic, Compare, Expr, InSet, Node};
use crate::functions;
use crate::syntax::Span;
use crate::syntax::ast::Binary;
use crate::types::Type;
use crate::value::Value;

/// The common type of all operands.
pub(super) fn common_type(types: &[Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    rest.iter()
        .try_fold(*first, |common, ty| match (common, *ty) {
            (a, b) if a == b => Some(a),
            (Type::Dynamic, _) | (_, Type::Dynamic) => Some(Type::Dynamic),
            (a, b) if a.is_number() && b.is_number() => Some(a.wider(b)),
            _ => None,
        })
}

/// Whether values are compared as a bool, whatever their type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leniency {
    None,
    /// Only with bools and numbers.
    Weak,
    Full,
}

fn leniency(expr: &Expr, row: Row<'_>) -> Leniency {
    let Node::Column(index) = expr.node else {
        return Leniency::None;
    };
    match row.fields.get(index) {
        Some(field) if field.lenient_bool => Leniency::Full,
        Some(field) if field.ty == Type::String && field.name.eq_ignore_ascii_case("success") => {
            Leniency::Weak
        }
        _ => Leniency::None,
    }
}

/// A constant in one of the usual spellings of a bool.
fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Long(0) => Some(false),
        Value::Long(1) => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("true") || &**text == "1" => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") || &**text == "0" => Some(false),
        _ => None,
    }
}

impl Binder<'_> {
    /// Converts a dynamic value to a number; other types stay unchanged.
    fn number(&mut self, expr: Expr, span: Span) -> Result<Expr> {
        match (expr.ty, functions::find("_to_number")) {
            (Type::Dynamic, Some(function)) => {
                self.node(Node::Call(function, vec![expr]), Type::Dynamic, span)
            }
            _ => Ok(expr),
        }
    }

    pub(super) fn convert(&mut self, expr: Expr, ty: Type, span: Span) -> Result<Expr> {
        if expr.ty == ty {
            return Ok(expr);
        }
        self.node(Node::Convert(Box::new(expr)), ty, span)
    }

    /// A condition: a bool, a dynamic, or a column that is compared as a bool.
    pub(super) fn condition(&mut self, expr: Expr, row: Row<'_>, span: Span) -> Result<Expr> {
        match expr.ty {
            Type::Bool => Ok(expr),
            Type::Dynamic => self.convert(expr, Type::Bool, span),
            _ if leniency(&expr, row) == Leniency::Full => self.convert(expr, Type::Bool, span),
            ty => Err(Error::semantic(
                span,
                "SEM0025",
                format!("a condition must be of type bool, not {ty}"),
            )),
        }
    }

    pub(super) fn compare(
        &mut self,
        op: Compare,
        left: Expr,
        right: Expr,
        row: Row<'_>,
        span: Span,
    ) -> Result<Expr> {
        if let Some(result) = self.compare_lenient(op, &left, &right, row, span)? {
            return Ok(result);
        }
        let (left, right) = self.comparable(left, right, span)?;
        self.node(
            Node::Compare(op, Box::new(left), Box::new(right)),
            Type::Bool,
            span,
        )
    }

    /// Compares `success` with `true`, `"True"`, `1` and similar constants.
    fn compare_lenient(
        &mut self,
        op: Compare,
        left: &Expr,
        right: &Expr,
        row: Row<'_>,
        span: Span,
    ) -> Result<Option<Expr>> {
        let negated = match op {
            Compare::Equal => false,
            Compare::NotEqual => true,
            _ => return Ok(None),
        };
        let (column, other) = match (leniency(left, row), leniency(right, row)) {
            (Leniency::None, Leniency::None) => return Ok(None),
            (Leniency::None, _) => (right, left),
            _ => (left, right),
        };
        let full = leniency(column, row) == Leniency::Full;
        let flag = other.as_const().and_then(as_flag);
        if let Some(flag) = flag
            && (full || other.ty != Type::String)
        {
            return Ok(Some(self.flag(column, &[flag], negated, span)?));
        }
        if other.ty == Type::Bool && column.ty == Type::String {
            let column = self.convert(column.clone(), Type::Bool, span)?;
            let node = Node::Compare(op, Box::new(column), Box::new(other.clone()));
            return Ok(Some(self.node(node, Type::Bool, span)?));
        }
        Ok(None)
    }

    /// Whether the column is one of these bools.
    fn flag(&mut self, column: &Expr, flags: &[bool], negated: bool, span: Span) -> Result<Expr> {
        self.note("compared leniently: true, 'True' and 1 are alike");
        let values = flags.iter().flat_map(|flag| match (column.ty, flag) {
            (Type::String, true) => vec![Value::text("true"), Value::text("1")],
            (Type::String, false) => vec![Value::text("false"), Value::text("0")],
            (_, flag) => vec![Value::Bool(*flag)],
        });
        let set = Arc::new(InSet::new(values.collect(), true));
        let node = Node::InSet {
            negated,
            fold: true,
            value: Box::new(column.clone()),
            set,
        };
        self.node(node, Type::Bool, span)
    }

    /// Converts both operands to a common type.
    fn comparable(&mut self, left: Expr, right: Expr, span: Span) -> Result<(Expr, Expr)> {
        let (a, b) = (left.ty, right.ty);
        if a == b {
            return Ok((left, right));
        }
        if a.is_number() && b.is_number() {
            let ty = a.wider(b);
            return Ok((
                self.convert(left, ty, span)?,
                self.convert(right, ty, span)?,
            ));
        }
        match (a, b) {
            (Type::Dynamic, ty) if ty.is_number() => Ok((self.number(left, span)?, right)),
            (ty, Type::Dynamic) if ty.is_number() => Ok((left, self.number(right, span)?)),
            (Type::Dynamic, ty) => Ok((self.convert(left, ty, span)?, right)),
            (ty, Type::Dynamic) => Ok((left, self.convert(right, ty, span)?)),
            (Type::Bool, ty) if ty.is_number() => Ok((self.convert(left, ty, span)?, right)),
            (ty, Type::Bool) if ty.is_number() => Ok((left, self.convert(right, ty, span)?)),
            _ => Err(Error::semantic(
                span,
                "SEM0064",
                format!(
                    "values of types {a} and {b} cannot be compared; convert one of them, such as by to{}()",
                    if a == Type::String { b } else { a }
                ),
            )),
        }
    }

    /// `=~`, `!~`.
    pub(super) fn compare_folded(
        &mut self,
        negated: bool,
        left: Expr,
        right: Expr,
        row: Row<'_>,
        span: Span,
    ) -> Result<Expr> {
        let op = if negated {
            Compare::NotEqual
        } else {
            Compare::Equal
        };
        if let Some(result) = self.compare_lenient(op, &left, &right, row, span)? {
            return Ok(result);
        }
        let left = self.convert(left, Type::String, span)?;
        let right = self.convert(right, Type::String, span)?;
        let (constant, other) = match (left.as_const(), right.as_const()) {
            (_, Some(value)) => (Some(value.clone()), left.clone()),
            (Some(value), None) => (Some(value.clone()), right.clone()),
            (None, None) => (None, left.clone()),
        };
        if let Some(constant) = constant {
            let node = Node::InSet {
                negated,
                fold: true,
                value: Box::new(other),
                set: Arc::new(InSet::new(vec![constant], true)),
            };
            return self.node(node, Type::Bool, span);
        }
        let lower = |binder: &mut Self, expr: Expr| match functions::find("tolower") {
            Some(function) => binder.node(Node::Call(function, vec![expr]), Type::String, span),
            None => Ok(expr),
        };
        let (left, right) = (lower(self, left)?, lower(self, right)?);
        self.node(
            Node::Compare(op, Box::new(left), Box::new(right)),
            Type::Bool,
            span,
        )
    }

    /// `in`, `!in`, `in~`, `!in~` with bound items. A constant array contributes its elements.
    pub(super) fn in_list(
        &mut self,
        (negated, fold): (bool, bool),
        value: Expr,
        items: Vec<Expr>,
        row: Row<'_>,
        span: Span,
    ) -> Result<Expr> {
        let mut constants: Vec<(Value, Type)> = Vec::new();
        let mut others = Vec::new();
        for item in items {
            match item.as_const() {
                Some(Value::Array(elements)) => {
                    constants.extend(
                        elements
                            .iter()
                            .map(|element| (element.clone(), Type::Dynamic)),
                    );
                }
                Some(constant) => constants.push((constant.clone(), item.ty)),
                None => others.push(item),
            }
        }
        let lenient = leniency(&value, row);
        if lenient != Leniency::None && others.is_empty() {
            let flags: Option<Vec<bool>> = constants
                .iter()
                .map(|(constant, _)| as_flag(constant))
                .collect();
            let texts = constants
                .iter()
                .any(|(constant, _)| matches!(constant, Value::String(_)));
            if let Some(flags) = flags.filter(|_| lenient == Leniency::Full || !texts) {
                return self.flag(&value, &flags, negated, span);
            }
        }
        let value = match value.ty {
            _ if fold => self.convert(value, Type::String, span)?,
            Type::Dynamic => match constants.iter().find(|(constant, _)| !constant.is_null()) {
                Some((Value::String(_), _)) => self.convert(value, Type::String, span)?,
                Some((Value::Long(_) | Value::Real(_) | Value::Decimal(_), _)) => {
                    self.number(value, span)?
                }
                Some((_, ty)) if *ty != Type::Dynamic => self.convert(value, *ty, span)?,
                _ => value,
            },
            _ => value,
        };
        let set: Result<Vec<Value>> = constants
            .iter()
            .map(|(constant, ty)| self.element(constant, *ty, &value, span))
            .collect();
        let mut alternatives = Vec::new();
        let set = Arc::new(InSet::new(set?, fold));
        let in_set = Node::InSet {
            negated: negated && others.is_empty(),
            fold,
            value: Box::new(value.clone()),
            set,
        };
        alternatives.push(self.node(in_set, Type::Bool, span)?);
        if others.is_empty() {
            return Ok(alternatives.remove(0));
        }
        for other in others {
            let one = if other.ty == Type::Dynamic && value.ty != Type::Dynamic {
                self.apply("_in_array", vec![value.clone(), other], Type::Bool, span)?
            } else if fold {
                self.compare_folded(false, value.clone(), other, row, span)?
            } else {
                self.compare(Compare::Equal, value.clone(), other, row, span)?
            };
            alternatives.push(one);
        }
        let any = self.node(Node::Or(alternatives), Type::Bool, span)?;
        if negated {
            self.apply("not", vec![any], Type::Bool, span)
        } else {
            Ok(any)
        }
    }

    /// An element of a list, converted to the type of the value.
    #[expect(clippy::unused_self, reason = "a step of in_list")]
    fn element(&self, constant: &Value, ty: Type, value: &Expr, span: Span) -> Result<Value> {
        if ty == value.ty || constant.is_null() || value.ty == Type::Dynamic {
            // A number in a dynamic value may be a long or a real; both match.
            return Ok(constant.clone());
        }
        let both_numbers = ty.is_number() && value.ty.is_number();
        if !both_numbers && ty != Type::Dynamic && !(ty == Type::Bool && value.ty.is_number()) {
            return Err(Error::semantic(
                span,
                "SEM0064",
                format!("a value of type {} cannot be in a list of {ty}", value.ty),
            ));
        }
        let converted = convert(constant, value.ty);
        // 1.5 is not in a list of integers.
        let lost = matches!(constant, Value::Real(number) if value.ty.is_integer() && number.fract() != 0.0);
        Ok(if lost { Value::Null } else { converted })
    }

    /// Calls a function of the table without checking its signature.
    pub(super) fn apply(
        &mut self,
        name: &'static str,
        args: Vec<Expr>,
        ty: Type,
        span: Span,
    ) -> Result<Expr> {
        match functions::find(name) {
            Some(function) => self.node(Node::Call(function, args), ty, span),
            None => Err(Error::unsupported(span, name)),
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        op: Binary,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Result<Expr> {
        use Arithmetic::{Add, Divide, Modulo, Multiply, Subtract};

        let arithmetic = match op {
            Binary::Add => Add,
            Binary::Subtract => Subtract,
            Binary::Multiply => Multiply,
            Binary::Divide => Divide,
            _ => Modulo,
        };
        let (left, right) = self.without_dynamic(arithmetic, left, right, span)?;
        let (a, b) = (left.ty, right.ty);
        let ty = match (arithmetic, a, b) {
            (_, Type::Dynamic, other) | (_, other, Type::Dynamic)
                if other == Type::Dynamic || other.is_number() =>
            {
                Type::Real
            }
            (_, a, b) if a.is_number() && b.is_number() => a.wider(b),
            (Subtract, Type::DateTime, Type::DateTime)
            | (Add | Subtract | Modulo, Type::TimeSpan, Type::TimeSpan)
            | (Modulo, Type::DateTime, Type::TimeSpan) => Type::TimeSpan,
            (Divide, Type::TimeSpan, Type::TimeSpan) => Type::Real,
            (Add, Type::DateTime, Type::TimeSpan)
            | (Add, Type::TimeSpan, Type::DateTime)
            | (Subtract, Type::DateTime, Type::TimeSpan) => Type::DateTime,
            (Multiply | Divide | Modulo, Type::TimeSpan, b) if b.is_number() => Type::TimeSpan,
            (Multiply, a, Type::TimeSpan) if a.is_number() => Type::TimeSpan,
            _ => {
                let hint = if a == Type::String || b == Type::String {
                    "; texts are joined by strcat()"
                } else {
                    ""
                };
                return Err(Error::semantic(
                    span,
                    "SEM0019",
                    format!("'{}' cannot be applied to {a} and {b}{hint}", op.symbol()),
                ));
            }
        };
        let (left, right) = match ty {
            Type::Real | Type::Decimal | Type::Long if a.is_number() && b.is_number() => (
                self.convert(left, ty, span)?,
                self.convert(right, ty, span)?,
            ),
            _ => (left, right),
        };
        self.node(
            Node::Arithmetic(arithmetic, Box::new(left), Box::new(right)),
            ty,
            span,
        )
    }

    /// Converts a dynamic operand to the type that the other operand needs.
    fn without_dynamic(
        &mut self,
        op: Arithmetic,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Result<(Expr, Expr)> {
        let times = |ty: Type| matches!(ty, Type::DateTime | Type::TimeSpan);
        let wanted = |other: Type| match (op, other) {
            (Arithmetic::Subtract, Type::DateTime) => Some(Type::DateTime),
            (Arithmetic::Add, Type::DateTime) => Some(Type::TimeSpan),
            (Arithmetic::Multiply, Type::TimeSpan) => None,
            (_, Type::TimeSpan) => Some(Type::TimeSpan),
            _ => None,
        };
        match (left.ty, right.ty) {
            (Type::Dynamic, other) => {
                let left = match wanted(other).filter(|_| times(other)) {
                    Some(ty) => self.convert(left, ty, span)?,
                    None if times(other) => self.convert(left, Type::Real, span)?,
                    None => self.number(left, span)?,
                };
                let right = self.number(right, span)?;
                Ok((left, right))
            }
            (other, Type::Dynamic) => {
                let right = match wanted(other).filter(|_| times(other)) {
                    Some(ty) => self.convert(right, ty, span)?,
                    None if times(other) => self.convert(right, Type::Real, span)?,
                    None => self.number(right, span)?,
                };
                Ok((left, right))
            }
            _ => Ok((left, right)),
        }
    }
}
