//! Subtleties of the language, each of which some implementation gets wrong.

use azmon_kql::run;

use crate::tables::{Memory, START, answer, options, text};

/// The whole answer of a query over its own data, with the names first.
fn lines(query: &str) -> Vec<String> {
    match run(query, &Memory::new(0), &options()) {
        Ok(answer) => text(&answer),
        Err(error) => panic!("{query}: {error}"),
    }
}

#[test]
fn success_is_compared_however_it_is_written() {
    for predicate in [
        "success == false",
        "success == \"False\"",
        "success == 'false'",
        "success == 0",
        "success != true",
        "not(tobool(success))",
        "success in (false)",
        "success =~ 'FALSE'",
        "not(success)",
        "tostring(success) == 'False'",
    ] {
        assert_eq!(
            answer(&format!("requests | where {predicate} | count")),
            ["29"],
            "{predicate}"
        );
    }
    assert_eq!(answer("requests | where success | count"), ["171"]);
    assert_eq!(
        answer("requests | summarize f = countif(success == false), t = countif(success)"),
        ["29|171"]
    );
    assert_eq!(
        answer("requests | extend ok = success | where ok == true | count"),
        ["171"]
    );
}

#[test]
fn names_of_a_workspace_are_other_names_of_the_same_table() {
    assert_eq!(
        answer(
            "AppRequests | where TimeGenerated > ago(1000d) | summarize count() by Name | count"
        ),
        ["3"]
    );
    assert_eq!(answer("app('here').requests | count"), ["200"]);
    assert_eq!(answer("union requests, AppRequests | count"), ["400"]);
    assert_eq!(
        answer("union withsource=T req* | summarize count() by T"),
        ["requests|200"]
    );
}

#[test]
fn members_of_dimensions_are_read_by_either_form() {
    let expected = ["t0|40", "t1|40", "t2|40", "t3|40", "t4|40"];
    for tenant in [
        "customDimensions.tenant",
        "customDimensions['tenant']",
        "parse_json(tostring(customDimensions)).tenant",
    ] {
        let query = format!(
            "requests | summarize count() by tenant = tostring({tenant}) | sort by tenant asc"
        );
        assert_eq!(answer(&query), expected, "{tenant}");
    }
    assert_eq!(
        answer("requests | where customDimensions.n >= 198 | count"),
        ["2"]
    );
    assert_eq!(
        answer("requests | where customDimensions has \"t3\" | count"),
        ["40"]
    );
    assert_eq!(
        answer(
            "requests | where isempty(customDimensions.missing) and isnull(customDimensions.missing) | count"
        ),
        ["200"]
    );
}

#[test]
fn a_time_range_from_outside_applies_to_every_table() {
    let options = options().with_timespan(START, START + 10 * crate::tables::MINUTE);
    let count = |query: &str| {
        text(&run(query, &Memory::new(200), &options).expect("an answer")).split_off(1)
    };
    assert_eq!(count("requests | count"), ["40"]);
    assert_eq!(
        count("requests | join kind=inner requests on operation_Id | count"),
        ["80"]
    );
    assert_eq!(count("search 'orders' | count"), ["13"]);
}

#[test]
fn a_join_without_kind_keeps_one_left_row_of_each_key() {
    let tables = "let L = datatable(k:string)['a','a','b']; let R = datatable(k:string, v:int)['a',1,'a',2];";
    assert_eq!(
        lines(&format!("{tables} L | join R on k | count")),
        ["Count", "2"]
    );
    assert_eq!(
        lines(&format!("{tables} L | join kind=inner R on k | count")),
        ["Count", "4"]
    );
    assert_eq!(
        lines(
            "datatable(k:int)[int(null)] | join kind=inner (datatable(k:int)[int(null)]) on k | count"
        ),
        ["Count", "0"]
    );
}

#[test]
fn columns_without_a_name_are_named_as_kusto_names_them() {
    let names = |query: &str| lines(query).remove(0);
    let input = "datatable(a:long, s:string, d:dynamic)[]";
    assert_eq!(
        names(&format!(
            "{input} | project a, tostring(a), strlen(s), d.x.y, d['z'], a + 1, strcat(s, s)"
        )),
        "a|a1|strlen_s|d_x_y|d_z|Column1|Column2"
    );
    assert_eq!(
        names(&format!(
            "{input} | summarize count(), sum(a), sum(a + 1), percentile(a, 99.9), make_list(s), dcountif(s, a > 1), countif(a > 1), avg(a) by bin(a, 5)"
        )),
        "a|count_|sum_a|sum_|percentile_a_99_9|list_s|dcountif_s|countif_|avg_a"
    );
    assert_eq!(names("print 1, x = 2, 3"), "print_0|x|print_2");
    assert_eq!(
        names(&format!("{input} | join kind=inner ({input}) on a")),
        "a|s|d|a1|s1|d1"
    );
}

#[test]
fn null_follows_the_rules_of_three_values() {
    assert_eq!(
        lines(
            "print a = int(null) == 1, b = int(null) != 1, c = isnull(int(null) == int(null)), d = isnull(int(null) > 1), e = bool(null) and false"
        )[1],
        "false|true|true|true|false"
    );
    assert_eq!(
        lines("datatable(x:int)[1, int(null)] | where not(x == 1) | count")[1],
        "1"
    );
    assert_eq!(
        lines("datatable(x:int)[1, int(null)] | where not(x > 1) | count")[1],
        "1"
    );
}

#[test]
fn numbers_divide_and_round_as_kusto_does() {
    assert_eq!(
        lines("print 7 / 2, 7 / 0, 7.0 / 2, -7 % 3, round(-2.5), 1h / 30m, 7d / 2, bin(-7, 5)")[1],
        "3|null|3.5|2|-3|2|3.12:00:00|-10"
    );
    assert_eq!(
        lines(
            "print 9223372036854775807 + 1, toint(2147483647) + toint(1), abs(long(-9223372036854775808))"
        )[1],
        "null|null|null"
    );
}

#[test]
fn arrays_expand_in_parallel() {
    assert_eq!(
        lines("print a = dynamic([1,2,3]), b = dynamic(['x']) | mv-expand a, b"),
        ["a|b", "1|x", "2|null", "3|null"]
    );
    assert_eq!(lines("datatable(i:int, a:dynamic)[1, dynamic([]), 2, dynamic(null), 3, dynamic(7)] | mv-expand a").len(), 3);
    assert_eq!(
        lines("print a = dynamic([1,2,3]) | mv-expand a limit 2 | count")[1],
        "2"
    );
}

#[test]
fn functions_of_let_see_their_own_scope() {
    assert_eq!(
        lines("let x = 1; let f = (y:long) { x + y }; let x = 100; print f(1), x")[1],
        "2|100"
    );
    assert_eq!(
        lines(
            "let f = (T:(a:long), least:long = 2) { T | where a >= least | count }; f((range a from 1 to 5 step 1))"
        )[1],
        "4"
    );
    assert_eq!(
        lines(
            "let f = (T:(a:long), k:long) { T | extend b = a * k }; range a from 1 to 2 step 1 | invoke f(k = 3)"
        ),
        ["a|b", "1|3", "2|6"]
    );
}

#[test]
fn sort_puts_nulls_and_nan_where_kusto_puts_them() {
    let input = "datatable(x:real)[2.0, real(null), real(nan), 1.0]";
    assert_eq!(
        lines(&format!("{input} | sort by x"))[1..],
        ["2", "1", "NaN", "null"]
    );
    assert_eq!(
        lines(&format!("{input} | sort by x asc"))[1..],
        ["null", "NaN", "1", "2"]
    );
    assert_eq!(
        lines(&format!("{input} | sort by x asc nulls last | take 1"))[1..],
        ["1"]
    );
}

#[test]
fn render_is_kept_as_it_was_asked_for() {
    let answer = run(
        "requests | summarize count() by name | render piechart with (title='T', ysplit=none)",
        &Memory::new(9),
        &options(),
    )
    .expect("an answer");
    let render = answer.render.expect("a rendering");
    assert_eq!(&*render.visualization, "piechart");
    assert_eq!(render.properties.len(), 2);
}
