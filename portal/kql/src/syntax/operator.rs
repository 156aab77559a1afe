//! Parses the operators of a pipeline.

use std::sync::Arc;

use super::ast::{
    Item, JoinKind, MakeSeries, MvExpand, Operator, OperatorKind, Parse, ParseKind, ParsePart,
    SortKey, Typed,
};
use super::parser::Parser;
use super::sources::{bad_parameter, plain};
use super::{Span, TokenKind};
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::Value;

/// The supported operators.
pub(crate) const OPERATORS: &[&str] = &[
    "as",
    "count",
    "distinct",
    "evaluate",
    "extend",
    "filter",
    "getschema",
    "invoke",
    "join",
    "limit",
    "lookup",
    "make-series",
    "mv-expand",
    "mvexpand",
    "order",
    "parse",
    "parse-where",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "render",
    "search",
    "serialize",
    "sort",
    "summarize",
    "take",
    "top",
    "union",
    "where",
];

/// Operators of Kusto that are not supported.
pub(crate) const REFUSED: &[&str] = &[
    "consume",
    "externaldata",
    "facet",
    "fork",
    "graph-mark-components",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-where-edges",
    "graph-where-nodes",
    "make-graph",
    "macro-expand",
    "mv-apply",
    "parse-kv",
    "partition",
    "project-by-names",
    "reduce",
    "sample",
    "sample-distinct",
    "scan",
    "top-hitters",
    "top-nested",
    "assert-schema",
    "execute-and-cache",
];

impl Parser<'_> {
    pub(crate) fn operator(&mut self) -> Result<Operator> {
        let start = self.span();
        let name = self.operator_name()?;
        let span = start.to(self.last_span());
        let kind = match name.as_str() {
            "where" | "filter" => OperatorKind::Where(self.expression()?),
            "extend" => OperatorKind::Extend(self.comma_separated(Self::item)?),
            "project" => OperatorKind::Project(self.comma_separated(Self::item)?),
            "project-away" => OperatorKind::ProjectAway(self.comma_separated(Self::pattern)?),
            "project-keep" => OperatorKind::ProjectKeep(self.comma_separated(Self::pattern)?),
            "project-rename" => OperatorKind::ProjectRename(self.comma_separated(|parser| {
                let new = parser.name()?;
                parser.expect("=")?;
                Ok((new, parser.name()?))
            })?),
            "project-reorder" => {
                OperatorKind::ProjectReorder(self.comma_separated(Self::reordered)?)
            }
            "summarize" => self.summarize()?,
            "count" => OperatorKind::Count,
            "distinct" => OperatorKind::Distinct(self.comma_separated(Self::expression)?),
            "sort" | "order" => {
                self.parameters()?;
                self.expect_word("by")?;
                OperatorKind::Sort(self.comma_separated(Self::sort_key)?)
            }
            "top" => {
                let count = self.expression()?;
                self.expect_word("by")?;
                OperatorKind::Top {
                    count,
                    key: self.comma_separated(Self::sort_key)?,
                }
            }
            "take" | "limit" => OperatorKind::Take(self.expression()?),
            "join" | "lookup" => self.join(name == "lookup")?,
            "union" => OperatorKind::Union(self.union()?),
            "render" => self.render()?,
            "as" => {
                self.parameters()?;
                OperatorKind::As(self.name()?)
            }
            "serialize" => OperatorKind::Serialize(match self.peek().kind {
                TokenKind::Ident => self.comma_separated(Self::item)?,
                _ => Vec::new(),
            }),
            "getschema" => OperatorKind::GetSchema,
            "mv-expand" | "mvexpand" => OperatorKind::MvExpand(self.mv_expand()?),
            "parse" | "parse-where" => {
                OperatorKind::Parse(self.parse_operator(name == "parse-where")?)
            }
            "make-series" => OperatorKind::MakeSeries(Box::new(self.make_series()?)),
            "evaluate" => {
                self.parameters()?;
                let name = self.name()?;
                let call = self.call(name)?;
                let schema = if self.eat(":") {
                    Some(self.output_schema()?)
                } else {
                    None
                };
                OperatorKind::Evaluate { call, schema }
            }
            "invoke" => {
                let name = self.name()?;
                OperatorKind::Invoke(self.call(name)?)
            }
            "search" => OperatorKind::Search(self.search()?),
            name if REFUSED.contains(&name) => {
                return Err(Error::unsupported(span, &format!("the operator '{name}'")));
            }
            unknown => {
                return Err(
                    Error::syntax(span, format!("'{unknown}' is not an operator"))
                        .suggest(unknown, OPERATORS.iter().copied()),
                );
            }
        };
        Ok(Operator {
            kind,
            span: start.to(self.last_span()),
        })
    }

    /// Words joined by hyphens without spaces.
    fn operator_name(&mut self) -> Result<String> {
        let start = self.span();
        if self.word_at(0).is_none() {
            return Err(self.unexpected("an operator"));
        }
        self.advance();
        let touching = |parser: &Self, ahead: usize| {
            parser.peek_at(ahead).span.start
                == parser.peek_at(ahead + 1).span.start.saturating_sub(1)
        };
        while self.is_symbol("-")
            && self.span().start == self.last_span().end
            && self.word_at(1).is_some()
            && touching(self, 0)
        {
            self.advance();
            self.advance();
        }
        Ok(self.source(start.to(self.last_span())).to_owned())
    }

    fn reordered(&mut self) -> Result<(super::ast::Pattern, Option<bool>)> {
        let pattern = self.pattern()?;
        let at = self.span();
        let order = match self.word_at(0) {
            Some("asc") => Some(true),
            Some("desc") => Some(false),
            Some("granny") => return Err(Error::unsupported(at, "the order 'granny-asc'")),
            _ => None,
        };
        if order.is_some() {
            self.advance();
        }
        Ok((pattern, order))
    }

    pub(crate) fn sort_key(&mut self) -> Result<SortKey> {
        let value = self.expression()?;
        let ascending = self.eat_word("asc");
        if !ascending {
            self.eat_word("desc");
        }
        let nulls_first = match self.eat_word("nulls") {
            true if self.eat_word("first") => Some(true),
            true => {
                self.expect_word("last")?;
                Some(false)
            }
            false => None,
        };
        Ok(SortKey {
            value,
            ascending,
            nulls_first,
        })
    }

    fn summarize(&mut self) -> Result<OperatorKind> {
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

    fn join(&mut self, lookup: bool) -> Result<OperatorKind> {
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

    fn render(&mut self) -> Result<OperatorKind> {
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

    fn mv_expand(&mut self) -> Result<MvExpand> {
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

    fn parse_operator(&mut self, drops: bool) -> Result<Parse> {
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

    fn make_series(&mut self) -> Result<MakeSeries> {
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
        let name = if self.is_assignment() {
            let name = self.name()?;
            self.expect("=")?;
            Some(name)
        } else {
            None
        };
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
    fn output_schema(&mut self) -> Result<Vec<Typed>> {
        let start: Span = self.span();
        if self.is_symbol_at(1, "*") {
            return Err(Error::unsupported(start, "'*' in the schema of 'evaluate'"));
        }
        self.schema()
    }
}
