//! Properties of every text.

use super::*;

/// Pieces of SQL, with and without sense, that meet in every order.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "SELECT",
        "FROM",
        "JOIN",
        "INSERT INTO",
        "UPDATE",
        "DELETE",
        "WITH",
        "AS",
        "SET",
        "CREATE TABLE",
        "t",
        "\"q\"",
        "`b`",
        "[s]",
        "'lit'",
        "'it''s'",
        "E'a\\'b'",
        "$$x$$",
        "$t$y$t$",
        "$1",
        "?",
        ":p",
        "@v",
        "1",
        "2.5e+3",
        "(",
        ")",
        ",",
        ";",
        ".",
        "*",
        " ",
        "\n",
        "\r",
        "'a'\n'b'",
        "\\'",
        "/*!",
        "$a(",
        "--",
        "-- c\n",
        "/*",
        "*/",
        "#",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "\\",
        "$",
        "é",
        "U&'z'",
        "0x",
        "e",
        "N",
        "::",
        "😀",
    ];
    prop::collection::vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    select(&DIALECTS[..])
}

fn pick(mut forms: Vec<String>, form: usize) -> String {
    let form = form % forms.len();
    forms.swap_remove(form)
}

/// Literals that end at one place in every mode.
fn certain_forms(dialect: Dialect, secret: &str) -> Vec<String> {
    let mut forms = vec![
        format!("'{secret}'"),
        format!("'{secret}''{secret}'"),
        format!("N'{secret}'"),
        format!("X'{secret}'"),
        format!("'{secret}\\\\'"),
    ];
    match dialect {
        Dialect::MySql => forms.extend([format!("\"{secret}\""), format!("'\\n{secret}'")]),
        Dialect::Postgres => forms.extend([
            format!("E'\\'{secret}'"),
            format!("$${secret}$$"),
            format!("$x$'{secret}$x$"),
            format!("'{secret}'\n'{secret}'"),
            format!("'{secret}' -- it's\r\n\t'{secret}'"),
            format!("E'{secret}'\n'\\'{secret}'"),
        ]),
        Dialect::Generic => {}
        Dialect::Sqlite => forms.push(format!("\"{secret}\"")),
    }
    forms
}

/// Literals that end at one place in one mode, and at another in another.
fn doubtful_forms(dialect: Dialect, secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    if matches!(
        dialect,
        Dialect::Generic | Dialect::MySql | Dialect::Postgres
    ) {
        forms.extend([format!("'\\'{secret}'"), format!("'\\', '{secret}'")]);
    }
    if matches!(dialect, Dialect::Generic | Dialect::MySql) {
        forms.extend([
            format!("\"\\\"{secret}\""),
            format!("\"\\\", \"{secret}\""),
            format!("/*!50000 '*/ {secret}' */ 1"),
        ]);
    }
    if matches!(dialect, Dialect::Generic | Dialect::Sqlite) {
        forms.push(format!("$a('), '{secret}'"));
    }
    if dialect == Dialect::Generic {
        forms.extend([
            format!("$$it's {secret}$$"),
            format!("1 # it's\n, '{secret}'"),
            format!("1 -- it's\r, '{secret}'\n"),
        ]);
    }
    forms
}

const TEMPLATES: &[&str] = &[
    "SELECT * FROM users WHERE name = {} AND age > {} LIMIT {}",
    "INSERT INTO users (name, age) VALUES ({}, {}), ({}, {})",
    "UPDATE users SET name = {} WHERE id IN ({}, {})",
    "WITH x AS (SELECT {} AS a FROM b) DELETE FROM c WHERE d = {} -- e",
    "CALL p({}, {}); SELECT {} FROM t JOIN u ON t.a = {} /* b */",
];

fn fill(template: &str, literals: &[String]) -> String {
    let mut literals = literals.iter().cycle();
    let mut sql = String::new();
    for (index, part) in template.split("{}").enumerate() {
        if index > 0 {
            sql.push_str(literals.next().map_or("1", String::as_str));
        }
        sql.push_str(part);
    }
    sql
}

proptest! {
    #[test]
    fn any_text_has_tokens_that_cover_it(sql in any::<String>(), pieces in pieces(), dialect in any_dialect()) {
        for sql in [sql, pieces] {
            let covered: String = Tokens::new(&sql, dialect).map(|token| token.text).collect();
            prop_assert_eq!(covered, sql);
        }
    }

    #[test]
    fn text_never_grows_and_has_no_literal(sql in any::<String>(), pieces in pieces(), dialect in any_dialect()) {
        for sql in [sql, pieces] {
            let once = sanitised(&sql, dialect);
            prop_assert!(once.len() <= sql.len());
            prop_assert!(parse(&sql, dialect).summary().len() <= MAX_SUMMARY);
            prop_assert!(Tokens::new(&once, dialect).all(|token| token.kind != Kind::Literal), "{}", once);
        }
    }

    #[test]
    fn sanitised_text_opens_nothing_that_hides_a_string(
        sql in any::<String>(),
        pieces in pieces(),
        dialect in any_dialect(),
    ) {
        for sql in [sql, pieces] {
            let with_secret = format!("{}\n'zqsecret'", sanitised(&sql, dialect));
            prop_assert!(!sanitised(&with_secret, dialect).contains("zqsecret"), "{}", with_secret);
        }
    }

    #[test]
    fn no_literal_is_kept(
        template in select(TEMPLATES),
        secrets in prop::collection::vec(("zq[0-9a-f]{6,12}", 0_usize..12), 1..6),
        dialect in any_dialect(),
    ) {
        // Two that are data in two ways of reading need not both be data in one of these.
        let literal = |(index, (secret, form)): (usize, &(String, usize))| {
            let doubtful = match index {
                0 => doubtful_forms(dialect, secret),
                _ => Vec::new(),
            };
            pick([certain_forms(dialect, secret), doubtful].concat(), *form)
        };
        let literals: Vec<_> = secrets.iter().enumerate().map(literal).collect();
        let statement = parse(&fill(template, &literals), dialect);
        for (secret, _) in &secrets {
            prop_assert!(!statement.text().unwrap().contains(secret.as_str()));
            prop_assert!(!statement.summary().contains(secret.as_str()));
        }
    }

    #[test]
    fn other_literals_make_no_other_statement(
        template in select(TEMPLATES),
        first in prop::collection::vec(("[a-z ;()]{0,12}", 0_usize..12), 1..6),
        second in prop::collection::vec(any::<u32>(), 1..6),
        dialect in any_dialect(),
    ) {
        let certain = |text: &str, form: usize| pick(certain_forms(dialect, text), form);
        let strings: Vec<_> = first.iter().map(|(text, form)| certain(text, *form)).collect();
        let numbers: Vec<_> = second.iter().map(u32::to_string).collect();
        prop_assert_eq!(
            parse(&fill(template, &strings), dialect),
            parse(&fill(template, &numbers), dialect)
        );
    }
}
