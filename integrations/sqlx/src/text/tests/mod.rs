mod hostile;
mod properties;
mod sanitising;
mod summaries;

use proptest::prelude::*;
use proptest::sample::select;

use super::token::Kind;
use super::tokens::{MAX_READ, Tokens};
use super::*;

const DIALECTS: [Dialect; 4] = [
    Dialect::Generic,
    Dialect::MySql,
    Dialect::Postgres,
    Dialect::Sqlite,
];

fn parse(sql: &str, dialect: Dialect) -> QueryInfo {
    QueryInfo::parse(sql, dialect, QueryText::Sanitised)
}

fn sanitised(sql: &str, dialect: Dialect) -> String {
    parse(sql, dialect).text().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_summaries(cases: &[(&str, &str)], dialect: Dialect) {
    for (sql, summary) in cases {
        assert_eq!(parse(sql, dialect).summary(), *summary, "{sql}");
    }
}
