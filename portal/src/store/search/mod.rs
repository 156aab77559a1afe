//! The language of the search field: words, "phrases", prefix*, AND OR NOT, parentheses, `field:value`,
//! `field>value`.

mod expression;
mod parser;
#[cfg(test)]
mod tests;

pub(crate) use self::expression::{Comparison, Expression, number};
