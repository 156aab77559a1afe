//! The query language, compared with the published answers in Kusto's documentation.

use azmon_tests::kql::{Case, Report};

const CASES: &str = include_str!("../../golden/kql-cases.jsonl");

/// The number of cases of tiers 1 and 2 in the file.
const COUNTED: usize = 225;

#[test]
fn every_case_of_tiers_1_and_2_passes() {
    let cases = Case::parse_all(CASES).expect("cases");
    let report = Report::of(&cases);
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.passed(), COUNTED);
}

#[test]
fn a_wrong_answer_is_reported_with_its_differences() {
    let line = r#"{"id":"x","tier":1,"query":"print a = 1","expected_columns":[{"name":"a","type":"long"}],"expected_rows":[[2]]}"#;
    let report = Report::of(&Case::parse_all(line).expect("a case"));
    assert_eq!((report.passed(), report.failed()), (0, 1));
    let text = report.to_string();
    assert!(
        text.contains("1 rows [[1]], expected 1 [[2]]") && text.ends_with("0 passed, 1 failed"),
        "{text}"
    );
}
