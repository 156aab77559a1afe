//! `parse` and `parse-where`.

use super::Stream;
use crate::batch::{Batch, Vector, indices};
use crate::column::ColumnBuilder;
use crate::convert::convert;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::plan::{Parse, Part};
use crate::syntax::ast::ParseKind;
use crate::types::Type;
use crate::value::Value;

pub(super) struct Parsing {
    input: Box<dyn Stream>,
    parse: Parse,
    types: Vec<Type>,
}

impl Parsing {
    pub(super) fn new(input: Box<dyn Stream>, parse: Parse, types: Vec<Type>) -> Self {
        Self {
            input,
            parse,
            types,
        }
    }

    /// The values of the columns; `None` if the text does not match.
    fn row(&self, text: &str) -> Option<Vec<Value>> {
        let found = match &self.parse.regex {
            Some(regex) => {
                let captures = regex.captures(text)?;
                let groups = self.parse.targets.iter().enumerate();
                let found = groups.map(|(index, _)| {
                    captures
                        .name(&format!("azmon_{index}"))
                        .map_or("", |found| found.as_str())
                });
                found.map(Some).collect()
            }
            None => self.pieces(text)?,
        };
        let mut values = Vec::with_capacity(found.len());
        for (piece, (_, ty)) in found.iter().zip(&self.parse.targets) {
            let value = match piece {
                Some(piece) => convert(&Value::text(piece), *ty),
                None => Value::Null,
            };
            if value.is_null() && *ty != Type::String && self.parse.kind != ParseKind::Relaxed {
                return None;
            }
            values.push(value);
        }
        // `parse-where` requires every column, also with kind relaxed.
        let failed = values
            .iter()
            .zip(&self.parse.targets)
            .any(|(value, (_, ty))| value.is_null() && *ty != Type::String);
        (!(self.parse.drops && failed)).then_some(values)
    }

    /// The pieces of text between the literals of the pattern.
    fn pieces<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        let pattern = &self.parse.pattern;
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut open = false;
        let mut index = 0;
        while index < pattern.len() {
            match &pattern[index] {
                Part::Star => {
                    open = true;
                    index += 1;
                }
                Part::Text(literal) => {
                    let at = if open {
                        rest.find(&**literal)
                    } else {
                        rest.starts_with(&**literal).then_some(0)
                    };
                    let Some(at) = at else {
                        return self.failed(pieces);
                    };
                    rest = &rest[at + literal.len()..];
                    open = false;
                    index += 1;
                }
                Part::Column => {
                    let ty = self
                        .parse
                        .targets
                        .get(pieces.len())
                        .map_or(Type::String, |(_, ty)| *ty);
                    match (pattern.get(index + 1), pattern.get(index + 2)) {
                        (Some(Part::Text(literal)), _) => {
                            let Some(at) = rest.find(&**literal) else {
                                return self.failed(pieces);
                            };
                            pieces.push(Some(&rest[..at]));
                            rest = &rest[at..];
                        }
                        (Some(Part::Star), next) => {
                            // The column ends where its type ends, or before the next literal.
                            let end = match next {
                                Some(Part::Text(literal)) => {
                                    rest.find(&**literal).unwrap_or(rest.len())
                                }
                                _ => rest.len(),
                            };
                            let length = prefix(&rest[..end], ty);
                            pieces.push(Some(&rest[..length]));
                            rest = &rest[length..];
                        }
                        _ => {
                            pieces.push(Some(rest));
                            rest = "";
                        }
                    }
                    open = false;
                    index += 1;
                }
            }
        }
        Some(pieces)
    }

    /// With kind relaxed, the columns found so far are kept.
    fn failed<'a>(&self, mut pieces: Vec<Option<&'a str>>) -> Option<Vec<Option<&'a str>>> {
        if self.parse.kind != ParseKind::Relaxed || self.parse.drops {
            return None;
        }
        pieces.resize(self.parse.targets.len(), None);
        Some(pieces)
    }
}

/// The length of the text's prefix that is a value of the type.
fn prefix(text: &str, ty: Type) -> usize {
    match ty {
        Type::Int | Type::Long | Type::Real | Type::Decimal => {
            let allowed = |c: char| {
                c.is_ascii_digit()
                    || (matches!(ty, Type::Real | Type::Decimal) && matches!(c, '.' | 'e' | 'E'))
            };
            let sign = usize::from(text.starts_with(['-', '+']));
            let digits = text[sign..]
                .find(|c| !allowed(c))
                .unwrap_or(text.len() - sign);
            sign + digits
        }
        _ => text.len(),
    }
}

impl Stream for Parsing {
    fn next(&mut self, evaluator: &mut Evaluator) -> Result<Option<Batch>> {
        loop {
            let Some(batch) = self.input.next(evaluator)? else {
                return Ok(None);
            };
            evaluator.check()?;
            let texts = evaluator.eval(&self.parse.value, &batch)?;
            let mut builders: Vec<ColumnBuilder> = self
                .parse
                .targets
                .iter()
                .map(|(_, ty)| ColumnBuilder::new(*ty))
                .collect();
            let mut kept: Vec<u32> = Vec::with_capacity(batch.rows);
            for row in indices(batch.rows) {
                let text = texts.get(row as usize).to_text();
                match self.row(&text) {
                    Some(values) => {
                        kept.push(row);
                        builders
                            .iter_mut()
                            .zip(values)
                            .for_each(|(builder, value)| builder.push(value));
                    }
                    None if self.parse.drops => {}
                    None => {
                        kept.push(row);
                        builders.iter_mut().for_each(ColumnBuilder::push_null);
                    }
                }
            }
            if kept.is_empty() && batch.rows > 0 {
                continue;
            }
            let rows = kept.len();
            let batch = if rows < batch.rows {
                batch.gather(&kept)
            } else {
                batch
            };
            let mut columns = batch.columns;
            columns.resize(self.types.len(), Vector::Const(Value::Null));
            for ((target, _), builder) in self.parse.targets.iter().zip(builders) {
                columns[*target] = builder.finish().into();
            }
            return Ok(Some(Batch { columns, rows }));
        }
    }
}
