//! Parses pipelines and their sources.

use super::TokenKind;
use super::ast::{Ast, Find, Item, Kind, Leg, Query, Search, Source, Union};
use super::parser::Parser;
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::Value;

/// The maximum number of operators in one pipeline.
const MAX_OPERATORS: usize = 200;

impl Parser<'_> {
    /// A scalar expression, or a pipeline.
    pub(crate) fn query_expression(&mut self) -> Result<Ast> {
        self.nested(Self::pipeline)
    }

    fn pipeline(&mut self) -> Result<Ast> {
        let start = self.span();
        let outside = std::mem::take(&mut self.deepest);
        let searching = std::mem::take(&mut self.in_search);
        let result = self.pipeline_inside(start);
        self.deepest = self.deepest.max(outside);
        self.in_search = searching;
        result
    }

    fn pipeline_inside(&mut self, start: super::Span) -> Result<Ast> {
        let source = match self.tabular_source()? {
            Some(source) => source,
            None => {
                let value = self.expression()?;
                if !self.is_symbol("|") {
                    return Ok(value);
                }
                Source::Expression(value)
            }
        };
        let mut operators = Vec::new();
        while self.eat("|") {
            operators.push(self.operator()?);
            if operators.len() > MAX_OPERATORS {
                return Err(Error::limit_at(
                    self.last_span(),
                    format!("more than {MAX_OPERATORS} operators in a pipeline"),
                ));
            }
        }
        let depth = self.deepest + 1;
        self.node_of_depth(
            Kind::Query(Box::new(Query { source, operators })),
            start,
            depth,
        )
    }

    fn tabular_source(&mut self) -> Result<Option<Source>> {
        let Some(word) = self.word_at(0) else {
            return Ok(None);
        };
        let starts = match word {
            "datatable" | "externaldata" => self.is_symbol_at(1, "("),
            "range" => self.word_at(1).is_some() && self.word_at(2) == Some("from"),
            "print" | "search" | "find" | "union" => self.starts_operand(1),
            _ => false,
        };
        if !starts {
            return Ok(None);
        }
        let word = word.to_owned();
        let at = self.span();
        self.advance();
        Ok(Some(match word.as_str() {
            "datatable" => self.datatable()?,
            "externaldata" => return Err(Error::unsupported(at, "the operator 'externaldata'")),
            "range" => {
                let name = self.name()?;
                self.expect_word("from")?;
                let from = self.expression()?;
                self.expect_word("to")?;
                let to = self.expression()?;
                self.expect_word("step")?;
                let step = self.expression()?;
                Source::Range {
                    name,
                    from,
                    to,
                    step,
                }
            }
            "print" => Source::Print(self.comma_separated(Self::item)?),
            "union" => Source::Union(self.union()?),
            "search" => Source::Search(self.search()?),
            _ => Source::Find(self.find()?),
        }))
    }

    /// Whether the token can start an operand.
    fn starts_operand(&self, ahead: usize) -> bool {
        match self.peek_at(ahead).kind {
            TokenKind::Ident => {
                !matches!(
                    self.word_at(ahead),
                    Some(
                        "in" | "has"
                            | "contains"
                            | "and"
                            | "or"
                            | "between"
                            | "startswith"
                            | "matches"
                    )
                ) || self.word_at(0) != Some("print")
            }
            TokenKind::String(_) | TokenKind::Literal(..) | TokenKind::Now => true,
            TokenKind::Symbol(symbol) => matches!(symbol, "(" | "[" | "-" | "+" | "*"),
            TokenKind::End => false,
        }
    }

    fn datatable(&mut self) -> Result<Source> {
        let columns = self.schema()?;
        self.expect("[")?;
        let mut values = Vec::new();
        while !self.is_symbol("]") {
            values.push(self.expression()?);
            if !self.eat(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Source::Datatable { columns, values })
    }

    /// `name=value` pairs before an operator's operands, such as hints.
    pub(crate) fn parameters(&mut self) -> Result<Vec<(String, Ast)>> {
        let mut parameters = Vec::new();
        loop {
            let start = self.span();
            if self.is_word("hint") && self.is_symbol_at(1, ".") {
                self.advance();
                self.advance();
                self.name()?;
                self.expect("=")?;
                self.parameter_value()?;
                continue;
            }
            let known = matches!(
                self.word_at(0),
                Some(
                    "kind"
                        | "withsource"
                        | "with_source"
                        | "isfuzzy"
                        | "flags"
                        | "with_itemindex"
                        | "bagexpansion"
                        | "decodeblocks"
                        | "expandoutput"
                        | "datascope"
                )
            );
            if !known || !self.is_symbol_at(1, "=") {
                return Ok(parameters);
            }
            let name = self.source(start).to_owned();
            self.advance();
            self.advance();
            parameters.push((name, self.parameter_value()?));
        }
    }

    /// A name or a literal: a bracket after it starts an operand.
    fn parameter_value(&mut self) -> Result<Ast> {
        let start = self.span();
        let kind = match self.peek().kind.clone() {
            TokenKind::Literal(value, ty) => {
                self.advance();
                Kind::Literal(value, ty)
            }
            TokenKind::String(_) => Kind::Literal(Value::String(self.string()?), Type::String),
            _ => Kind::Name(self.name()?.text),
        };
        self.node_of_depth(kind, start, 1)
    }

    /// The text of a parameter's value, `inner` of `kind=inner`.
    pub(crate) fn parameter_text(&self, value: &Ast) -> String {
        match &value.kind {
            Kind::Name(name) => name.to_string(),
            Kind::Literal(value, _) => value.to_text().to_string(),
            _ => self.source(value.span).to_owned(),
        }
    }

    pub(crate) fn union(&mut self) -> Result<Union> {
        let mut union = Union {
            inner: false,
            with_source: None,
            fuzzy: false,
            legs: Vec::new(),
        };
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match (name.as_str(), text.as_str()) {
                ("kind", "inner") => union.inner = true,
                ("kind", "outer") => union.inner = false,
                ("withsource" | "with_source", _) => {
                    union.with_source = Some(super::ast::Name {
                        text: text.as_str().into(),
                        span: value.span,
                    });
                }
                ("isfuzzy", "true" | "false") => union.fuzzy = text == "true",
                _ => return Err(bad_parameter(&value, "union", &name, &text)),
            }
        }
        union.legs = self.comma_separated(Self::leg)?;
        Ok(union)
    }

    fn leg(&mut self) -> Result<Leg> {
        let adjacent = self.peek_at(1).span.start == self.span().end;
        if self.is_symbol("*")
            || (self.word_at(0).is_some() && self.is_symbol_at(1, "*") && adjacent)
        {
            return Ok(Leg::Wild(self.pattern()?));
        }
        Ok(Leg::Table(self.postfix()?))
    }

    /// `in (T1, T2)`.
    fn tables(&mut self) -> Result<Vec<Leg>> {
        if !(self.is_word("in") && self.is_symbol_at(1, "(")) {
            return Ok(Vec::new());
        }
        self.advance();
        self.advance();
        let legs = self.comma_separated(Self::leg)?;
        self.expect(")")?;
        Ok(legs)
    }

    pub(crate) fn search(&mut self) -> Result<Search> {
        let mut case_sensitive = false;
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match (name.as_str(), text.as_str()) {
                ("kind", "case_sensitive") => case_sensitive = true,
                ("kind", "case_insensitive" | "default") => case_sensitive = false,
                _ => return Err(bad_parameter(&value, "search", &name, &text)),
            }
        }
        let tables = self.tables()?;
        self.in_search = true;
        let predicate = self.expression();
        self.in_search = false;
        Ok(Search {
            case_sensitive,
            tables,
            predicate: predicate?,
        })
    }

    fn find(&mut self) -> Result<Find> {
        let mut with_source = None;
        for (name, value) in self.parameters()? {
            let text = self.parameter_text(&value);
            match name.as_str() {
                "withsource" | "with_source" => {
                    with_source = Some(super::ast::Name {
                        text: text.as_str().into(),
                        span: value.span,
                    });
                }
                "datascope" => {}
                _ => return Err(bad_parameter(&value, "find", &name, &text)),
            }
        }
        let tables = self.tables()?;
        self.eat_word("where");
        self.in_search = true;
        let predicate = self.expression();
        self.in_search = false;
        let predicate = predicate?;
        let mut project: Option<Vec<Item>> = None;
        if self.is_word("project") {
            let at = self.span();
            self.advance();
            if self.is_symbol("-") {
                return Err(Error::unsupported(
                    at,
                    "'project-smart' and 'project-away' of the operator 'find'",
                ));
            }
            project = Some(self.comma_separated(Self::item)?);
        }
        Ok(Find {
            with_source,
            tables,
            predicate,
            project,
        })
    }
}

pub(crate) fn bad_parameter(value: &Ast, operator: &str, name: &str, text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::syntax(
        value.span,
        format!("{operator}: '{shown}' is not a value of '{name}'"),
    )
}

/// A parameter as a constant of a `render` property.
pub(crate) fn plain(value: &Ast) -> Option<Value> {
    match &value.kind {
        Kind::Name(name) => Some(Value::String(name.clone())),
        Kind::Literal(value, _) => Some(value.clone()),
        _ => None,
    }
}
