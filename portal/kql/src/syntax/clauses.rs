//! Parses the operators with clauses of their own.

use std::sync::Arc;

use super::ast::{
    Item, JoinKind, MakeSeries, MvExpand, OperatorKind, Parse, ParseKind, ParsePart, Typed,
};
use super::parser::Parser;
use super::sources::{bad_parameter, plain};
use super::{Span, TokenKind};
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::Value;

impl Parser<'_> {
    pub(super) fn summarize(&mut self) -> Result<OperatorKind> {
        self.parameters()?;
        let ends = matches!(
            self.peek().kind,
            TokenKind::End | TokenKind::Symbol("|" | ";" | ")" | "}")
        );
        let aggregates = if self.is_word("by") || ends {
            Vec::new()
        } else {
            self.comma_separated(Self::item)?
        };
        let has_by = self.eat_word("by");
        let by = if has_by {
            self.comma_separated(Self::item)?
        } else {
            Vec::new()
        };
        if aggregates.is_empty() && by.is_empty() {
            return Err(self.unexpected("an aggregate or 'by'"));
        }
        Ok(OperatorKind::Summarize {
            aggregates,
            by,
            has_by,
        })
    }

    pub(super) fn join(&mut self, lookup: bool) -> Result<OperatorKind> {
        let mut kind = if lookup {
            JoinKind::LeftOuter
        } else {
            JoinKind::InnerUnique
        };
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            kind = match (name.as_str(), text.as_str()) {
                ("kind", "inner") => JoinKind::Inner,
                ("kind", "leftouter") => JoinKind::LeftOuter,
                ("kind", "innerunique") if !lookup => JoinKind::InnerUnique,
                ("kind", "rightouter") if !lookup => JoinKind::RightOuter,
                ("kind", "fullouter") if !lookup => JoinKind::FullOuter,
                ("kind", "leftsemi") if !lookup => JoinKind::LeftSemi,
                ("kind", "rightsemi") if !lookup => JoinKind::RightSemi,
                ("kind", "leftanti" | "anti" | "leftantisemi") if !lookup => JoinKind::LeftAnti,
                ("kind", "rightanti" | "rightantisemi") if !lookup => JoinKind::RightAnti,
                _ => {
                    return Err(bad_parameter(
                        &value,
                        if lookup { "lookup" } else { "join" },
                        &name,
                        &text,
                    ));
                }
            };
        }
        let right = self.postfix()?;
        self.expect_word("on")?;
        let on = self.comma_separated(Self::expression)?;
        Ok(OperatorKind::Join {
            kind,
            right,
            on,
            lookup,
        })
    }

    pub(super) fn render(&mut self) -> Result<OperatorKind> {
        let kind = self.name()?;
        let mut properties: Vec<(Arc<str>, Value)> =
            vec![(Arc::from("visualization"), Value::String(kind.text))];
        let bracketed = self.eat_word("with") && {
            self.expect("(")?;
            true
        };
        while self.is_assignment() {
            let name = self.name()?;
            self.expect("=")?;
            let mut values = vec![self.property()?];
            while self.is_symbol(",") && !matches!(self.peek_at(2).kind, TokenKind::Symbol("=")) {
                self.advance();
                values.push(self.property()?);
            }
            let value = match <[Value; 1]>::try_from(values) {
                Ok([value]) => value,
                Err(values) => Value::array(values),
            };
            properties.push((name.text, value));
            self.eat(",");
        }
        if bracketed {
            self.expect(")")?;
        }
        Ok(OperatorKind::Render(properties))
    }

    fn property(&mut self) -> Result<Value> {
        let value = self.nested(Self::unary_value)?;
        plain(&value).ok_or_else(|| {
            Error::syntax(value.span, "a property of 'render' is a name or a literal")
        })
    }

    fn unary_value(&mut self) -> Result<super::ast::Ast> {
        self.sum()
    }

    pub(super) fn mv_expand(&mut self) -> Result<MvExpand> {
        let mut expand = MvExpand {
            arrays: false,
            item_index: None,
            columns: Vec::new(),
            limit: None,
        };
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match (name.as_str(), text.as_str()) {
                ("kind" | "bagexpansion", "array") => expand.arrays = true,
                ("kind" | "bagexpansion", "bag") => expand.arrays = false,
                ("with_itemindex", _) => {
                    expand.item_index = Some(super::ast::Name {
                        text: text.as_str().into(),
                        span: value.span,
                    });
                }
                _ => return Err(bad_parameter(&value, "mv-expand", &name, &text)),
            }
        }
        expand.columns = self.comma_separated(|parser| {
            let item = parser.item()?;
            let ty = parser.expanded_type()?;
            Ok((item, ty))
        })?;
        if self.eat_word("limit") {
            expand.limit = Some(self.expression()?);
        }
        Ok(expand)
    }

    fn expanded_type(&mut self) -> Result<Option<Type>> {
        if !self.eat_word("to") {
            return Ok(None);
        }
        self.expect_word("typeof")?;
        self.expect("(")?;
        let ty = self.ty()?;
        self.expect(")")?;
        Ok(Some(ty))
    }

    pub(super) fn parse_operator(&mut self, drops: bool) -> Result<Parse> {
        let mut kind = ParseKind::Simple;
        let mut flags: Arc<str> = Arc::from("");
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match (name.as_str(), text.as_str()) {
                ("kind", "simple") => kind = ParseKind::Simple,
                ("kind", "relaxed") => kind = ParseKind::Relaxed,
                ("kind", "regex") => kind = ParseKind::Regex,
                ("flags", _) => flags = Arc::from(text),
                _ => return Err(bad_parameter(&value, "parse", &name, &text)),
            }
        }
        let value = self.expression()?;
        self.expect_word("with")?;
        let mut parts = Vec::new();
        loop {
            let span = self.span();
            match &self.peek().kind {
                TokenKind::Symbol("*") => {
                    self.advance();
                    parts.push(ParsePart::Star);
                }
                TokenKind::String(text) => {
                    let text = text.clone();
                    self.advance();
                    parts.push(ParsePart::Text(text, span));
                }
                TokenKind::Ident | TokenKind::Symbol("[") => {
                    let name = self.name()?;
                    let ty = if self.eat(":") {
                        self.ty()?
                    } else {
                        Type::String
                    };
                    parts.push(ParsePart::Column(Typed { name, ty }));
                }
                _ => break,
            }
        }
        if parts.is_empty() {
            return Err(self.unexpected("a pattern"));
        }
        Ok(Parse {
            kind,
            flags,
            drops,
            value,
            parts,
        })
    }

    pub(super) fn make_series(&mut self) -> Result<MakeSeries> {
        let mut non_empty = false;
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match (name.as_str(), text.as_str()) {
                ("kind", "nonempty") => non_empty = true,
                _ => return Err(bad_parameter(&value, "make-series", &name, &text)),
            }
        }
        let aggregates = self.comma_separated(|parser| {
            let item = parser.item()?;
            let default = if parser.eat_word("default") {
                parser.expect("=")?;
                Some(parser.expression()?)
            } else {
                None
            };
            Ok((item, default))
        })?;
        self.expect_word("on")?;
        let name = self.assigned_name()?;
        let axis = Item {
            name,
            value: self.sum()?,
        };
        let (mut from, mut to) = (None, None);
        let in_range = self.eat_word("in");
        let step = if in_range {
            self.expect_word("range")?;
            self.expect("(")?;
            from = Some(self.expression()?);
            self.expect(",")?;
            to = Some(self.expression()?);
            self.expect(",")?;
            let step = self.expression()?;
            self.expect(")")?;
            step
        } else {
            if self.eat_word("from") {
                from = Some(self.expression()?);
            }
            if self.eat_word("to") {
                to = Some(self.expression()?);
            }
            self.expect_word("step")?;
            self.expression()?
        };
        let by = if self.eat_word("by") {
            self.comma_separated(Self::item)?
        } else {
            Vec::new()
        };
        Ok(MakeSeries {
            aggregates,
            axis,
            from,
            to,
            step,
            by,
            in_range,
            non_empty,
        })
    }

    /// `(a:long, b:string)`, in which `*` stands for the columns of the input.
    pub(super) fn output_schema(&mut self) -> Result<Vec<Typed>> {
        let start: Span = self.span();
        if self.is_symbol_at(1, "*") {
            return Err(Error::unsupported(start, "'*' in the schema of 'evaluate'"));
        }
        self.schema()
    }
}
