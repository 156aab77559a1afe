//! Limits, cancellation, and the protection of the process.

use std::time::Duration;

use azmon_kql::{CancelToken, ErrorKind, Limits, NoTables, Options, run};

fn kind_of(query: &str, limits: Limits) -> ErrorKind {
    run(query, &NoTables, &Options::new().with_limits(limits))
        .expect_err(query)
        .kind()
}

#[test]
fn an_answer_is_cut_where_its_limit_is() {
    let options = Options::new().with_limits(Limits::default().with_answer_rows(10));
    let answer =
        run("range x from 1 to 1000000000 step 1", &NoTables, &options).expect("an answer");
    assert_eq!(answer.len(), 10);
    assert_eq!(
        answer.partial.expect("a partial error").kind(),
        ErrorKind::Limit
    );
}

#[test]
fn an_operator_holds_no_more_than_its_limit() {
    let limits = Limits::default().with_operator(10_000, 1_000_000);
    for query in [
        "range x from 1 to 1000000000 step 1 | sort by x",
        "range x from 1 to 1000000000 step 1 | summarize count() by x",
        "range x from 1 to 1000000000 step 1 | summarize make_list(x)",
        "range x from 1 to 1000000000 step 1 | summarize dcount(x), make_set(x)",
        "range x from 1 to 1000000000 step 1 | summarize percentile(x, 5)",
        "range x from 1 to 1000000000 step 1 | extend r = row_number() | summarize max(r)",
        "range x from 1 to 1000000000 step 1 | join kind=inner (range x from 1 to 1000000000 step 1) on x | count",
        "range x from 1 to 1000000000 step 1 | where x in (range y from 1 to 1000000000 step 1)",
        "range x from 1 to 1000000000 step 1 | evaluate pivot(x)",
    ] {
        assert_eq!(kind_of(query, limits), ErrorKind::Limit, "{query}");
    }
}

#[test]
fn values_that_grow_without_bound_end_the_query() {
    let mut texts = "print x = 'abcdefgh'".to_owned();
    let mut arrays = "print x = dynamic([1])".to_owned();
    for _ in 0..60 {
        texts.push_str(" | extend x = strcat(x, x)");
        arrays.push_str(" | extend x = pack_array(x, x)");
    }
    for query in [texts, arrays] {
        assert_eq!(
            kind_of(
                &query,
                Limits::default().with_operator(5_000_000, 50_000_000)
            ),
            ErrorKind::Limit
        );
    }
}

#[test]
fn a_query_ends_when_its_time_is_over_or_it_is_cancelled() {
    let endless = "range x from 1 to 1000000000000 step 1 | where x < 0 | count";
    assert_eq!(
        kind_of(
            endless,
            Limits::default().with_time(Duration::from_millis(20))
        ),
        ErrorKind::Timeout
    );
    let cancel = CancelToken::new();
    cancel.cancel();
    let error =
        run(endless, &NoTables, &Options::new().with_cancel(cancel)).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn depth_is_bounded_in_every_form() {
    let deep = 5000;
    let mut functions = "let f0 = (x:long) { x + x };".to_owned();
    for index in 1..60 {
        functions.push_str(&format!(
            "let f{index} = (x:long) {{ f{0}(f{0}(x)) }};",
            index - 1
        ));
    }
    functions.push_str("range y from 1 to 2 step 1 | extend z = f59(y)");
    let mut unions = "let t0 = range x from 1 to 2 step 1;".to_owned();
    for index in 1..60 {
        unions.push_str(&format!("let t{index} = union t{0}, t{0};", index - 1));
    }
    unions.push_str("t59 | count");
    for query in [
        format!("print x = {}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("print x = 1{}", " + 1".repeat(deep)),
        format!("print x = {}true", "not(".repeat(deep)),
        format!("print x = dynamic({})", "[".repeat(deep)),
        format!("print x = {}1", "-".repeat(deep)),
        format!("print x = 1{}", " | extend x = x".repeat(deep)),
        format!(
            "print d = dynamic(null) | extend y = d{}",
            ".a".repeat(deep)
        ),
        format!(
            "print d = dynamic(null) | extend y = d{}",
            "[0]".repeat(deep)
        ),
        format!("{}print x = 1", "let a = 1;".repeat(deep)),
        functions,
        unions,
    ] {
        let shown: String = query.chars().take(60).collect();
        assert!(run(&query, &NoTables, &Options::new()).is_err(), "{shown}");
    }
    // Long chains, which users do write, are not deep.
    let wide = format!("print x = 5 | where x == 1{}", " or x == 5".repeat(deep));
    assert_eq!(
        run(&wide, &NoTables, &Options::new())
            .expect("a wide query")
            .len(),
        1
    );
}

#[test]
fn a_regular_expression_cannot_run_away() {
    let query = "print s = strrep('a', 1000) | where s matches regex '(a+)+$x' or s matches regex '(a|aa)*b'";
    assert!(run(query, &NoTables, &Options::new()).is_ok());
    let huge = "print s = 'a' | where s matches regex '((a{100}){100}){100}'";
    assert_eq!(
        run(huge, &NoTables, &Options::new())
            .expect_err("too large")
            .kind(),
        ErrorKind::Semantic
    );
}

#[test]
fn a_text_that_is_too_long_is_refused_at_once() {
    let long = format!("print x = '{}'", "a".repeat(200_000));
    assert_eq!(
        run(&long, &NoTables, &Options::new())
            .expect_err("too long")
            .kind(),
        ErrorKind::Limit
    );
}
