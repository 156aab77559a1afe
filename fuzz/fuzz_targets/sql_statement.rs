//! Any text has a summary and a sanitised text, within their bounds and without its literals.
#![no_main]

use azmon_sqlx::{Dialect, MAX_SUMMARY, MAX_TEXT, QueryInfo, QueryText};
use libfuzzer_sys::fuzz_target;

const DIALECTS: [Dialect; 4] = [Dialect::Generic, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite];

/// Cannot come out of a text that it is not in but as a string.
const SECRET: &str = "zq9secret9qz";

fuzz_target!(|input: (u8, &str)| {
    let (choice, sql) = input;
    let dialect = DIALECTS[usize::from(choice) % DIALECTS.len()];
    let info = QueryInfo::parse(sql, dialect, QueryText::Sanitised);
    let text = info.text().unwrap_or_default();
    assert!(text.len() <= sql.len().min(MAX_TEXT), "the text grows: {text}");
    assert!(info.summary().len() <= MAX_SUMMARY);

    // The text without literals ends outside of strings and comments, so this is a string in any case.
    if !sql.contains(SECRET) && text.len() < MAX_TEXT / 2 {
        let with_secret = format!("{text}\n'{SECRET}'");
        let info = QueryInfo::parse(&with_secret, dialect, QueryText::Sanitised);
        let text = info.text().unwrap_or_default();
        assert!(!text.contains(SECRET), "a literal is kept: {text}");
        assert!(!info.summary().contains(SECRET), "a literal is kept: {}", info.summary());
    }
});
