//! What holds for any text.

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

/// A literal in every form that `dialect` has, whose content can be recognised.
fn literal(dialect: Dialect, secret: &str, form: usize) -> String {
    let mut forms = vec![
        format!("'{secret}'"),
        format!("'{secret}''{secret}'"),
        format!("N'{secret}'"),
        format!("X'{secret}'"),
    ];
    match dialect {
        Dialect::MySql => forms.extend([format!("\"{secret}\""), format!("'\\'{secret}\\\\'")]),
        Dialect::Postgres => forms.extend([
            format!("E'\\'{secret}'"),
            format!("$${secret}$$"),
            format!("$x$'{secret}$x$"),
        ]),
        Dialect::Generic | Dialect::Sqlite => {}
    }
    let form = form % forms.len();
    forms.swap_remove(form)
}

const TEMPLATES: &[&str] = &[
    "SELECT * FROM users WHERE name = {} AND age > {} LIMIT {}",
    "INSERT INTO users (name, age) VALUES ({}, {}), ({}, {})",
    "UPDATE users SET name = {} WHERE id IN ({}, {})",
    "WITH x AS (SELECT {} AS a FROM b) DELETE FROM c WHERE d = {} -- {}",
    "CALL p({}, {}); SELECT {} FROM t JOIN u ON t.a = {} /* {} */",
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
        secrets in prop::collection::vec(("zq[0-9a-f]{6,12}", 0_usize..7), 1..6),
        dialect in any_dialect(),
    ) {
        let literals: Vec<_> = secrets.iter().map(|(secret, form)| literal(dialect, secret, *form)).collect();
        let statement = parse(&fill(template, &literals), dialect);
        for (secret, _) in &secrets {
            prop_assert!(!statement.text().unwrap().contains(secret.as_str()));
            prop_assert!(!statement.summary().contains(secret.as_str()));
        }
    }

    #[test]
    fn other_literals_make_no_other_statement(
        template in select(TEMPLATES),
        first in prop::collection::vec(("[a-z ;()]{0,12}", 0_usize..7), 1..6),
        second in prop::collection::vec(any::<u32>(), 1..6),
        dialect in any_dialect(),
    ) {
        let strings: Vec<_> = first.iter().map(|(text, form)| literal(dialect, text, *form)).collect();
        let numbers: Vec<_> = second.iter().map(u32::to_string).collect();
        prop_assert_eq!(
            parse(&fill(template, &strings), dialect),
            parse(&fill(template, &numbers), dialect)
        );
    }
}
