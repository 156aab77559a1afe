//! Any text is answered or rejected: no panic, no hang, no unbounded memory.

use std::time::Duration;

use azmon_kql::{Limits, Options, check, run, words};
use proptest::prelude::*;

use crate::tables::Memory;

fn options() -> Options {
    let limits = Limits::default()
        .with_time(Duration::from_millis(500))
        .with_operator(20_000, 4_000_000);
    Options::new().with_limits(limits)
}

fn survives(query: &str) {
    let memory = Memory::new(8);
    let _ = check(query, &memory, &options());
    if let Err(error) = run(query, &memory, &options()) {
        // The place, if any, lies within the text.
        if let Some(place) = error.place() {
            assert_eq!(
                query.get(place.offset..place.offset + place.length),
                Some(place.token.as_str()),
                "{query}"
            );
        }
    }
}

/// A small generator, so that a hundred thousand queries take seconds.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).expect("fits")).expect("fits")
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

const PIECES: &[&str] = &[
    "requests",
    "name",
    "duration",
    "timestamp",
    "customDimensions",
    "success",
    "|",
    "|",
    "|",
    "where",
    "extend",
    "project",
    "summarize",
    "by",
    "count()",
    "take",
    "5",
    "==",
    "!=",
    "<",
    "and",
    "or",
    "not(",
    "(",
    ")",
    ",",
    "=",
    "x",
    "y",
    "1",
    "-1",
    "2.5",
    "'a'",
    "\"b\"",
    "1h",
    "datetime(2024-01-01)",
    "dynamic([1,{\"a\":2}])",
    "[",
    "]",
    ".",
    "..",
    "*",
    "+",
    "-",
    "/",
    "%",
    "let",
    ";",
    "range",
    "from",
    "to",
    "step",
    "print",
    "union",
    "join",
    "kind=inner",
    "on",
    "$left",
    "$right",
    "mv-expand",
    "make-series",
    "parse",
    "with",
    "sort by",
    "asc",
    "desc",
    "has",
    "contains",
    "in",
    "!in",
    "between",
    "matches regex",
    "iff(",
    "bin(",
    "tostring(",
    "strcat(",
    "bag_unpack(",
    "evaluate",
    "pivot(",
    "top",
    "distinct",
    "search",
    "find",
    "render",
    "timechart",
    "as",
    "lookup",
    "toscalar(",
    "materialize(",
    "percentile(",
    "arg_max(",
    "int(null)",
    "typeof(long)",
    "{",
    "}",
    "datatable(a:long)",
    "prev(",
    "invoke",
    ":",
];

/// Whole operators, so that many of the queries are valid.
const OPERATORS: &[&str] = &[
    "where duration > 5",
    "where name has 'a' or success == false",
    "extend x = customDimensions.n, y = duration / 0",
    "extend z = bin(timestamp, 1h) - 5m",
    "project-away name",
    "project-keep *a*",
    "summarize count() by name",
    "summarize percentiles(duration, 1, 50, 99), make_list(name, 3), arg_max(duration, *)",
    "sort by duration",
    "take 3",
    "top 2 by timestamp",
    "count",
    "distinct *",
    "join kind=fullouter requests on name",
    "union requests",
    "mv-expand customDimensions",
    "mv-expand kind=array x = customDimensions to typeof(string)",
    "evaluate bag_unpack(customDimensions, 'p_')",
    "evaluate pivot(name)",
    "make-series avg(duration) on timestamp step 10m by name",
    "parse name with m ' ' p",
    "extend r = row_number(), p = prev(duration), c = row_cumsum(duration)",
    "getschema",
    "as T",
    "serialize",
    "lookup (requests | project name, d = duration) on name",
    "search 'a'",
    "invoke f()",
    "render table",
    "project-reorder *, name",
    "project-rename q = name",
    "extend j = parse_json(name), k = split(name, '/')[1]",
];

#[test]
fn a_hundred_thousand_generated_queries_are_answered_or_refused() {
    const SHUFFLED: usize = 60_000;
    const PIPELINES: usize = 4_000;
    const CALLS: usize = 36_000;

    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..SHUFFLED {
        let length = 1 + random.below(14);
        let pieces: Vec<&str> = (0..length).map(|_| random.pick(PIECES)).collect();
        survives(&pieces.join(" "));
    }
    for _ in 0..PIPELINES {
        let length = random.below(6);
        let mut query = "requests".to_owned();
        for _ in 0..length {
            query.push_str(" | ");
            query.push_str(random.pick(OPERATORS));
        }
        survives(&query);
    }
    let names: Vec<&str> = words().into_iter().map(|word| word.text).collect();
    let arguments = [
        "1",
        "-1",
        "0",
        "2.5",
        "real(nan)",
        "real(-inf)",
        "9223372036854775807",
        "long(-9223372036854775808)",
        "''",
        "'a\u{e9}\u{1F600}b'",
        "'[1,2]'",
        "1d",
        "-1tick",
        "datetime(0001-01-01)",
        "datetime(9999-12-31T23:59:59.9999999)",
        "dynamic(null)",
        "dynamic([1,null,'x',{\"a\":1}])",
        "dynamic({\"a\":[1,2]})",
        "true",
        "bool(null)",
        "int(null)",
        "datetime(null)",
        "time(null)",
        "decimal(1.5)",
        "guid(null)",
        "typeof(long)",
        "*",
        "'(a+)+'",
        "'year'",
        "'$.a[0]'",
    ];
    for _ in 0..CALLS {
        let name = random.pick(&names);
        let count = random.below(5);
        let args: Vec<&str> = (0..count).map(|_| random.pick(&arguments)).collect();
        match random.below(3) {
            0 => survives(&format!("print {name}({})", args.join(", "))),
            1 => survives(&format!(
                "requests | extend v = {name}({})",
                args.join(", ")
            )),
            _ => survives(&format!(
                "requests | summarize {name}({}) by bin(duration, 50)",
                args.join(", ")
            )),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_refused_or_answered(text in "\\PC{0,60}") {
        survives(&text);
        survives(&format!("print x = {text}"));
        survives(&format!("requests | {text}"));
    }

    #[test]
    fn any_text_is_a_value_of_every_conversion(text in "\\PC{0,24}") {
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        for function in ["todatetime", "totimespan", "tolong", "toreal", "todecimal", "parse_json", "parse_url", "toguid", "parse_version", "parse_csv"] {
            let query = format!("print {function}('{quoted}')");
            prop_assert!(run(&query, &Memory::new(0), &options()).is_ok(), "{}", query);
        }
    }
}
