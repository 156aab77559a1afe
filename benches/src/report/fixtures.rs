//! An area with known results.

use crate::measure::CaseResult;
use crate::{Area, Case, Figure, Method};

pub(super) fn area() -> Area {
    let nothing = || |_: u64| ();
    Area {
        name: "t",
        title: "T",
        unit: "thing",
        about: "Things.",
        method: Method::Rounds { operations: 1 },
        cases: vec![
            Case::bare("t/bare", "bare", nothing),
            Case::nothing("t/nothing", "nothing", nothing).above("t/bare"),
            Case::azmon("t/azmon", "azmon", nothing)
                .above("t/nothing")
                .group("recorded"),
            Case::azmon("t/azmon/alone", "azmon", nothing)
                .above("t/nothing")
                .group("alone"),
            Case::peer("t/peer/bad", "bad", nothing)
                .above("t/nothing")
                .group("recorded"),
            Case::peer("t/peer/good", "good", nothing)
                .above("t/nothing")
                .group("recorded"),
            Case::peer("t/peer/other", "other", nothing)
                .above("t/nothing")
                .group("other"),
        ],
        targets: Vec::new(),
        notes: None,
    }
}

/// Three rounds of each case. The machine was ten times slower in the last round.
pub(super) fn results() -> Vec<CaseResult> {
    let result = |id, nanoseconds: f64, allocations: f64, wire: f64| CaseResult {
        id,
        nanoseconds: vec![nanoseconds, nanoseconds, nanoseconds * 10.0],
        allocations: Some(allocations),
        bytes: Some(allocations * 100.0),
        instructions: Some(nanoseconds * 12.0),
        figures: vec![Figure::new("wire", wire)],
    };
    vec![
        result("t/bare", 100.0, 1.0, 0.0),
        result("t/nothing", 200.0, 2.0, 0.0),
        result("t/azmon", 250.0, 4.0, 120.0),
        result("t/azmon/alone", 240.0, 4.0, 120.0),
        result("t/peer/bad", 600.0, 20.0, 90.0),
        result("t/peer/good", 400.0, 10.0, 100.0),
        result("t/peer/other", 201.0, 2.0, 0.0),
    ]
}
