//! Parses the operators of a pipeline.

use super::TokenKind;
use super::ast::{Operator, OperatorKind, SortKey};
use super::parser::Parser;
use crate::error::{Error, Result};

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
}
