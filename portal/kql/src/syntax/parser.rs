//! Parses statements, and contains the common parts of the parser.

use std::sync::Arc;

use super::ast::{Ast, Kind, Lambda, Let, Name, Param, ParamKind, Pattern, Program, Typed};
use super::{Span, Token, TokenKind, tokens};
use crate::error::{Error, Result};
use crate::types::Type;

/// The maximum nesting of brackets, and the maximum length of a chain of operators.
const MAX_NESTING: u16 = 100;
const MAX_DEPTH: u16 = 200;

pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    nesting: u16,
    /// The deepest node since the current pipeline began.
    pub(crate) deepest: u16,
    /// Whether `column:"text"` is an expression, as in `search`.
    pub(crate) in_search: bool,
}

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Result<Program> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        nesting: 0,
        deepest: 0,
        in_search: false,
    };
    let program = parser.program(false)?;
    match parser.peek().kind {
        TokenKind::End => Ok(program),
        _ => Err(parser.unexpected("the end of the query")),
    }
}

impl Parser<'_> {
    pub(crate) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    /// The token `ahead` tokens further on; at the end, the last token.
    pub(crate) fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(crate) fn span(&self) -> Span {
        self.peek().span
    }

    /// The span of the previous token.
    pub(crate) fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    pub(crate) fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    pub(crate) fn source(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn is_symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::Symbol(found) if found == symbol)
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_at(0, symbol)
    }

    pub(crate) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{symbol}'")))
        }
    }

    pub(crate) fn word_at(&self, ahead: usize) -> Option<&str> {
        let token = self.peek_at(ahead);
        matches!(token.kind, TokenKind::Ident).then(|| self.source(token.span))
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word_at(0) == Some(word)
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{word}'")))
        }
    }

    pub(crate) fn unexpected(&self, wanted: &str) -> Error {
        let token = self.peek();
        match token.kind {
            TokenKind::End => Error::syntax(
                token.span,
                format!("the query ends where {wanted} is expected"),
            ),
            _ => {
                let shown: String = self.source(token.span).chars().take(40).collect();
                Error::syntax(
                    token.span,
                    format!("'{shown}' stands where {wanted} is expected"),
                )
            }
        }
    }

    /// Runs `inside` one level deeper.
    pub(crate) fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return Err(Error::limit_at(
                self.span(),
                format!("more than {MAX_NESTING} levels of nesting"),
            ));
        }
        self.nesting += 1;
        let result = inside(self);
        self.nesting -= 1;
        result
    }

    /// A node without children.
    pub(crate) fn leaf(&mut self, kind: Kind, start: Span) -> Result<Ast> {
        self.node_of_depth(kind, start, 1)
    }

    pub(crate) fn node_of_depth(&mut self, kind: Kind, start: Span, depth: u16) -> Result<Ast> {
        let span = start.to(self.last_span());
        if depth > MAX_DEPTH {
            return Err(Error::limit_at(
                span,
                format!("an expression of more than {MAX_DEPTH} levels"),
            ));
        }
        self.deepest = self.deepest.max(depth);
        Ok(Ast { kind, span, depth })
    }

    /// An identifier, `['any text']`, or a keyword used as a name.
    pub(crate) fn name(&mut self) -> Result<Name> {
        let span = self.span();
        match &self.peek().kind {
            TokenKind::Ident => {
                let text = Arc::from(self.source(span));
                self.advance();
                Ok(Name { text, span })
            }
            TokenKind::Symbol("[") => self
                .bracketed_name()
                .ok_or_else(|| self.unexpected("a name")),
            _ => Err(self.unexpected("a name")),
        }
    }

    /// `['any text']`.
    pub(crate) fn bracketed_name(&mut self) -> Option<Name> {
        let start = self.span();
        if let (true, TokenKind::String(text), true) = (
            self.is_symbol("["),
            &self.peek_at(1).kind,
            self.is_symbol_at(2, "]"),
        ) {
            let text = text.clone();
            self.at += 3;
            return Some(Name {
                text,
                span: start.to(self.last_span()),
            });
        }
        None
    }

    /// Whether a name followed by `=` comes next.
    pub(crate) fn is_assignment(&self) -> bool {
        match self.peek().kind {
            TokenKind::Ident => self.is_symbol_at(1, "="),
            TokenKind::Symbol("[") => {
                matches!(self.peek_at(1).kind, TokenKind::String(_))
                    && self.is_symbol_at(2, "]")
                    && self.is_symbol_at(3, "=")
            }
            _ => false,
        }
    }

    /// A name in which `*` matches any text, such as `app*`.
    pub(crate) fn pattern(&mut self) -> Result<Pattern> {
        if let Some(name) = self.bracketed_name() {
            return Ok(Pattern {
                text: name.text,
                span: name.span,
                wild: false,
            });
        }
        let start = self.span();
        let mut wild = false;
        loop {
            match self.peek().kind {
                TokenKind::Symbol("*") => wild = true,
                TokenKind::Ident => {}
                TokenKind::Literal(..) if wild => {}
                _ => break,
            }
            self.advance();
            if self.span().start != self.last_span().end {
                break;
            }
        }
        let span = start.to(self.last_span());
        if self.last_span().end <= start.start {
            return Err(self.unexpected("a column name"));
        }
        Ok(Pattern {
            text: Arc::from(self.source(span)),
            span,
            wild,
        })
    }

    pub(crate) fn comma_separated<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(crate) fn ty(&mut self) -> Result<Type> {
        let span = self.span();
        let word = self.word_at(0).unwrap_or_default().to_owned();
        match Type::parse(&word) {
            Some(ty) => {
                self.advance();
                Ok(ty)
            }
            None => Err(
                Error::syntax(span, format!("'{word}' is not a type")).suggest(
                    &word,
                    [
                        "bool", "int", "long", "real", "decimal", "string", "datetime", "timespan",
                        "guid", "dynamic",
                    ],
                ),
            ),
        }
    }

    /// `(a:long, b:string)`.
    pub(crate) fn schema(&mut self) -> Result<Vec<Typed>> {
        self.expect("(")?;
        let columns = self.comma_separated(|parser| {
            let name = parser.name()?;
            parser.expect(":")?;
            let ty = parser.ty()?;
            Ok(Typed { name, ty })
        })?;
        self.expect(")")?;
        Ok(columns)
    }

    fn program(&mut self, in_function: bool) -> Result<Program> {
        let mut lets = Vec::new();
        let mut notes = Vec::new();
        loop {
            while self.eat(";") {}
            match self.word_at(0) {
                Some("let") if !self.is_symbol_at(1, "=") => {
                    self.advance();
                    lets.push(self.let_statement()?);
                }
                Some("set") if self.word_at(1).is_some() => {
                    let name = self.word_at(1).unwrap_or_default().to_owned();
                    while !self.is_symbol(";") && !matches!(self.peek().kind, TokenKind::End) {
                        self.advance();
                    }
                    notes.push(format!("set {name}: accepted, and without effect"));
                }
                Some(statement @ ("declare" | "alias" | "pattern" | "restrict"))
                    if self.word_at(1).is_some() =>
                {
                    return Err(Error::unsupported(
                        self.span(),
                        &format!("the statement '{statement}'"),
                    ));
                }
                _ => break,
            }
            if !self.is_symbol(";") {
                return Err(self.unexpected("';'"));
            }
        }
        if matches!(self.peek().kind, TokenKind::End) {
            return Err(Error::syntax(
                self.span(),
                "the query has no tabular expression",
            ));
        }
        let result = Arc::new(self.query_expression()?);
        while self.eat(";") {}
        let ends = if in_function {
            self.is_symbol("}")
        } else {
            matches!(self.peek().kind, TokenKind::End)
        };
        if !ends
            && self.tokens[self.at.saturating_sub(1)].span != self.span()
            && self.is_after_semicolon()
        {
            return Err(Error::unsupported(
                self.span(),
                "more than one tabular statement in a query",
            ));
        }
        Ok(Program {
            lets,
            result,
            notes,
        })
    }

    fn is_after_semicolon(&self) -> bool {
        matches!(
            self.tokens[self.at.saturating_sub(1)].kind,
            TokenKind::Symbol(";")
        )
    }

    fn let_statement(&mut self) -> Result<Let> {
        let name = self.name()?;
        self.expect("=")?;
        let is_view = self.is_word("view") && self.is_symbol_at(1, "(");
        if is_view {
            self.advance();
        }
        let value = if self.is_lambda() {
            self.lambda()?
        } else {
            self.query_expression()?
        };
        Ok(Let {
            name,
            value: Arc::new(value),
        })
    }

    /// Whether `(…) {` follows: the parameters of a function, and its body.
    fn is_lambda(&self) -> bool {
        if self.is_symbol("{") {
            return true;
        }
        if !self.is_symbol("(") {
            return false;
        }
        let mut open = 0_usize;
        for ahead in 0.. {
            match self.peek_at(ahead).kind {
                TokenKind::Symbol("(") => open += 1,
                TokenKind::Symbol(")") => {
                    open -= 1;
                    if open == 0 {
                        return self.is_symbol_at(ahead + 1, "{");
                    }
                }
                TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }

    fn lambda(&mut self) -> Result<Ast> {
        let start = self.span();
        let mut params = Vec::new();
        if self.eat("(") {
            if !self.is_symbol(")") {
                params = self.comma_separated(Self::param)?;
            }
            self.expect(")")?;
        }
        self.expect("{")?;
        let body = self.nested(|parser| parser.program(true))?;
        self.expect("}")?;
        let depth = 1 + body.result.depth;
        self.node_of_depth(
            Kind::Lambda(Arc::new(Lambda { params, body })),
            start,
            depth,
        )
    }

    fn param(&mut self) -> Result<Param> {
        let name = self.name()?;
        self.expect(":")?;
        if self.is_symbol("(") {
            if self.is_symbol_at(1, "*") {
                self.advance();
                self.advance();
                self.expect(")")?;
                return Ok(Param {
                    name,
                    kind: ParamKind::Table(None),
                });
            }
            let columns = self.schema()?;
            return Ok(Param {
                name,
                kind: ParamKind::Table(Some(columns)),
            });
        }
        let ty = self.ty()?;
        let default = if self.eat("=") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(Param {
            name,
            kind: ParamKind::Scalar { ty, default },
        })
    }
}
