//! Text that a database treats as data never occurs in the recorded text or summary of a query.
//!
//! Statements consist of strings, comments and names in every form of a product, with contents that start or end
//! other forms; some are mutilated. The product itself determines which parts are data.

use azmon_sqlx::{Dialect, QueryInfo, QueryText};
use azmon_test_databases::Kind;
use fastrand::Rng;
use futures_util::TryStreamExt;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Database, Executor, Row, SqlSafeStr};

use crate::support::databases::url;

/// The number of statements for each product.
const STATEMENTS: usize = 10_000;
/// The minimum number of statements that run and return a secret.
const MEANT: usize = 3_000;

/// A statement being written. Each `{}` becomes a unique word.
struct Writer<'r> {
    rng: &'r mut Rng,
    next: &'r mut u64,
    sql: String,
    words: Vec<String>,
}

impl Writer<'_> {
    fn write(&mut self, template: &str) {
        for (index, part) in template.split("{}").enumerate() {
            if index > 0 {
                let word = format!("zq{:x}x", *self.next);
                *self.next += 1;
                self.sql.push_str(&word);
                self.words.push(word);
            }
            self.sql.push_str(part);
        }
    }

    fn one_of(&mut self, choices: &[&str]) {
        let choice = choices[self.rng.usize(..choices.len())];
        self.write(choice);
    }

    /// The content of a token that `quote` closes.
    fn content(&mut self, quote: &str) {
        for _ in 0..self.rng.usize(1..5) {
            match self.rng.u8(..8) {
                0..3 => self.write("{}"),
                3 => self.write(&quote.repeat(2)),
                _ => self.one_of(CONTENTS),
            }
        }
    }

    fn quoted(&mut self, prefix: &str, quote: &str) {
        self.write(prefix);
        self.write(quote);
        self.content(quote);
        self.write(quote);
    }

    /// White space in most cases.
    fn gap(&mut self, product: &Product) {
        match self.rng.u8(..8) {
            0 => {
                self.one_of(product.line_comments);
                self.content("'");
                self.one_of(&["\n", "\r", "\r\n", "\n\r"]);
            }
            1 => {
                self.write("/*");
                self.content("'");
                self.write("*/");
            }
            2 => self.write("\n"),
            _ => self.write(" "),
        }
    }

    fn item(&mut self, product: &Product) {
        match self.rng.u8(..10) {
            0..4 => self.quoted("", "'"),
            4 => {
                let number = self.rng.u32(100_000_000..);
                self.sql.push_str(&number.to_string());
                self.words.push(number.to_string());
            }
            _ => {
                let form = product.forms[self.rng.usize(..product.forms.len())];
                form(self, product);
            }
        }
    }

    fn statement(&mut self, product: &Product) {
        let [before, after] = product.frames[self.rng.usize(..product.frames.len())];
        self.write(before);
        for index in 0..self.rng.usize(1..4) {
            if index > 0 && before.ends_with("SELECT ") {
                self.gap(product);
                self.write(",");
            } else if index > 0 {
                break;
            }
            self.gap(product);
            self.item(product);
        }
        self.gap(product);
        self.write(after);
        if self.rng.u8(..5) == 0 {
            self.mutilate();
        }
    }

    /// Removes one character, or inserts some.
    fn mutilate(&mut self) {
        let at = self.rng.usize(..self.sql.len());
        let at = self.sql.floor_char_boundary(at);
        match self.rng.bool() {
            true => drop(self.sql.remove(at)),
            false => self
                .sql
                .insert_str(at, CONTENTS[self.rng.usize(..CONTENTS.len())]),
        }
    }
}

/// Texts that start or end a token in some syntax.
const CONTENTS: &[&str] = &[
    "\\", "\\\\", "\\'", "\\\"", "''", "\"\"", "\"", "`", "--", "-- ", "#", "/*", "*/", "$$",
    "$a$", "$", ";", "(", ")", "[", "]", "\n", "\r", " ", "é", "it", "E'", "!", "!50000 ", ":a",
    "@a", "?", ",", "%",
];

type Form = fn(&mut Writer<'_>, &Product);

struct Product {
    dialect: Dialect,
    line_comments: &'static [&'static str],
    /// Forms besides `'strings'` and numbers.
    forms: &'static [Form],
    /// The text before and after the selected expressions.
    frames: &'static [[&'static str; 2]],
    /// Statements that set the modes of a session, each for a part of the statements.
    modes: &'static [&'static str],
}

const FRAMES: &[[&str; 2]] = &[
    ["SELECT ", ""],
    ["SELECT ", " FROM (SELECT 1 AS a) AS t"],
    ["SELECT a FROM (SELECT ", " AS a) AS t"],
    ["WITH x AS (SELECT ", " AS a) SELECT a FROM x"],
    ["SELECT 1 UNION ALL SELECT ", ""],
    ["INSERT INTO t (a) VALUES (", ") RETURNING a"],
];

const POSTGRES: Product = Product {
    dialect: Dialect::Postgres,
    line_comments: &["--"],
    forms: &[
        |writer, _| writer.quoted("E", "'"),
        |writer, _| writer.quoted("N", "'"),
        |writer, _| writer.quoted("U&", "'"),
        |writer, _| {
            writer.quoted("u&", "'");
            writer.write(" UESCAPE '!'");
        },
        |writer, product| {
            let prefix = ["", "E"][writer.rng.usize(..2)];
            writer.quoted(prefix, "'");
            for _ in 0..writer.rng.usize(1..3) {
                writer.gap(product);
                writer.one_of(&["\n", "\r", " "]);
                writer.quoted("", "'");
            }
        },
        |writer, _| {
            writer.write("$$");
            writer.content("'");
            writer.write("$$");
        },
        |writer, _| {
            writer.write("$a$");
            writer.content("'");
            writer.write("$a$");
        },
        |writer, _| {
            writer.quoted("", "'");
            writer.one_of(&["::text", " || 'x'", " COLLATE \"C\""]);
        },
    ],
    frames: FRAMES,
    modes: &[
        "SET standard_conforming_strings = on",
        "SET standard_conforming_strings = off",
    ],
};

const MYSQL: Product = Product {
    dialect: Dialect::MySql,
    line_comments: &["-- ", "#", "--\t", "--\x7F", "--\x01"],
    forms: &[
        |writer, _| writer.quoted("", "\""),
        |writer, _| writer.quoted("N", "'"),
        |writer, _| writer.quoted("_utf8mb4", "'"),
        |writer, _| writer.quoted("_utf8mb4", "\""),
        |writer, _| {
            writer.quoted("", "'");
            writer.write(" ");
            writer.quoted("", "\"");
        },
        |writer, _| {
            writer.one_of(&["/*!", "/*!50000 ", "/*M!100000 ", "/*!999999 1, */ /*!"]);
            writer.quoted("", "'");
            writer.write(" */");
        },
        |writer, _| {
            writer.one_of(&[
                "/*!999999 ",
                "/*!99999 ",
                "/*!50000 ",
                "/*M!999999 ",
                "/*+ ",
            ]);
            writer.quoted("", "'");
            writer.write(", */");
            writer.quoted("", "'");
        },
        |writer, _| {
            writer.write("TRIM(");
            writer.quoted("", "\"");
            writer.write(" FROM ");
            writer.quoted("", "\"");
            writer.write(")");
        },
    ],
    frames: FRAMES,
    modes: &[
        "SET sql_mode = ''",
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    ],
};

const SQLITE: Product = Product {
    dialect: Dialect::Sqlite,
    line_comments: &["--"],
    forms: &[
        |writer, _| writer.quoted("", "\""),
        |writer, _| {
            writer.quoted("", "\"");
            writer.one_of(&[" || 'x'", " IS DISTINCT FROM 'x'", " COLLATE nocase"]);
        },
        |writer, _| {
            writer.one_of(&["$a('), ", "@a(\"), ", ":a('x), ", "$a(`), ", "$a), "]);
            writer.quoted("", "'");
        },
        |writer, _| {
            writer.one_of(&["[a]", "`a`", "\"a\""]);
            writer.one_of(&[" IS NULL, ", ", "]);
            writer.quoted("", "'");
        },
        |writer, _| {
            writer.write("max(");
            writer.quoted("", "\"");
            writer.write(", ");
            writer.quoted("", "'");
            writer.write(")");
        },
    ],
    frames: FRAMES,
    modes: &["SELECT 1"],
};

/// Runs the statements on a connection with a temporary table `t` of texts `a`.
async fn run<DB: Database>(
    connection: &mut DB::Connection,
    product: &Product,
    read: fn(&DB::Row, usize) -> Option<String>,
) where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let (mut rng, mut next, mut meant) = (Rng::with_seed(7), 0, 0);
    for number in 0..STATEMENTS {
        if number % (STATEMENTS / product.modes.len()) == 0 {
            let mode = product.modes[number * product.modes.len() / STATEMENTS];
            connection.execute(mode.into_sql_str()).await.unwrap();
        }
        let mut writer = Writer {
            rng: &mut rng,
            next: &mut next,
            sql: String::new(),
            words: Vec::new(),
        };
        writer.statement(product);
        let Writer { sql, words, .. } = writer;
        let mut rows = connection.fetch(AssertSqlSafe(sql.as_str()).into_sql_str());
        let mut data = String::new();
        while let Ok(Some(row)) = rows.try_next().await {
            (0..row.len())
                .filter_map(|column| read(&row, column))
                .for_each(|text| data += &text);
        }
        drop(rows);
        let data: Vec<_> = words.iter().filter(|word| data.contains(*word)).collect();
        meant += usize::from(!data.is_empty());
        for dialect in [product.dialect, Dialect::Generic] {
            let told = QueryInfo::parse(&sql, dialect, QueryText::Sanitised);
            let is_told = |word: &&&String| {
                told.text().unwrap_or_default().contains(**word) || told.summary().contains(**word)
            };
            let leaked = data.iter().find(is_told);
            assert_eq!(leaked, None, "{dialect:?} tells data of {sql:?}: {told:?}");
        }
    }
    assert!(meant >= MEANT, "only {meant} statements gave back a word");
}

#[tokio::test]
async fn data_of_postgres_is_never_told() {
    let mut connection = sqlx::PgConnection::connect(&url(Kind::Postgres))
        .await
        .unwrap();
    let prepare = "SET escape_string_warning = off; SET backslash_quote = on; CREATE TEMPORARY TABLE t (a text)";
    connection.execute(prepare).await.unwrap();
    let read = |row: &PgRow, column| row.try_get_unchecked(column).ok();
    run::<sqlx::Postgres>(&mut connection, &POSTGRES, read).await;
}

#[tokio::test]
async fn data_of_mariadb_is_never_told() {
    let mut connection = sqlx::MySqlConnection::connect(&url(Kind::MariaDb))
        .await
        .unwrap();
    let prepare = "CREATE TEMPORARY TABLE t (a text)";
    connection.execute(prepare).await.unwrap();
    let read = |row: &MySqlRow, column| {
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(column).ok();
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    run::<sqlx::MySql>(&mut connection, &MYSQL, read).await;
}

#[tokio::test]
async fn data_of_sqlite_is_never_told() {
    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:")
        .await
        .unwrap();
    connection
        .execute("CREATE TEMPORARY TABLE t (a text)")
        .await
        .unwrap();
    let read = |row: &SqliteRow, column| {
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(column).ok();
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    run::<sqlx::Sqlite>(&mut connection, &SQLITE, read).await;
}
