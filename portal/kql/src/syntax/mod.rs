//! Parses text to a syntax tree with places.

pub(crate) mod ast;
mod clauses;
mod expression;
mod lexer;
mod operator;
mod parser;
mod primary;
mod sources;

pub(crate) use lexer::{Token, TokenKind, tokens};
pub(crate) use operator::OPERATORS;
pub(crate) use parser::parse;

pub(crate) use crate::span::Span;
