use super::area::AreaReport;
use super::number::{ROUNDING, UNKNOWN, number, ratio};
use super::table::Table;
use crate::{Bound, Quantity, Target};

/// The result of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    Met,
    /// Missed by this share of the bound.
    Missed(f64),
    NotMeasured,
}

/// A row for every target.
pub(super) fn table<'r, 'a: 'r>(areas: impl IntoIterator<Item = &'r AreaReport<'a>>) -> Table {
    let mut table = Table::new()
        .text("target")
        .text("of")
        .number("to reach")
        .number("measured")
        .text("");
    for area in areas {
        for target in &area.area.targets {
            table.push(cells(area, target));
        }
    }
    table
}

fn cells(area: &AreaReport<'_>, target: &Target) -> Vec<String> {
    let measured = measured(area, target);
    let (bound, show): (_, fn(f64) -> String) = match target.bound {
        Bound::AtMost(limit) => (format!("≤ {}", number(limit)), number),
        Bound::OfPeer(share) => (format!("≤ {} of the best peer", ratio(share)), ratio),
    };
    let quantity = match target.quantity {
        Quantity::Time => "ns",
        Quantity::Allocations => "allocations",
        Quantity::Instructions => "instructions",
        Quantity::Figure(name) => name,
    };
    let verdict = match judge(target.bound, measured) {
        Verdict::Met => "met".to_owned(),
        Verdict::Missed(share) => format!("**missed** by {} %", number((share * 100.0).ceil())),
        Verdict::NotMeasured => "not measured".to_owned(),
    };
    let shown = measured.map_or_else(|| UNKNOWN.to_owned(), show);
    vec![
        target.case.to_owned(),
        quantity.to_owned(),
        bound,
        shown,
        verdict,
    ]
}

/// The value that is compared with the bound.
fn measured(area: &AreaReport<'_>, target: &Target) -> Option<f64> {
    let row = area.row(target.case)?;
    match (target.bound, target.quantity) {
        (Bound::OfPeer(_), Quantity::Time) => row.of_peer,
        (Bound::OfPeer(_), quantity) => {
            let peer = area.row(row.best_peer?.id)?.quantity(quantity)?;
            Some(row.quantity(quantity)? / peer)
        }
        (_, quantity) => row.quantity(quantity),
    }
}

fn judge(bound: Bound, measured: Option<f64>) -> Verdict {
    let Some(measured) = measured else {
        return Verdict::NotMeasured;
    };
    let (Bound::AtMost(limit) | Bound::OfPeer(limit)) = bound;
    let excess = measured - limit;
    if excess <= ROUNDING * limit.max(1.0) {
        Verdict::Met
    } else {
        // Any positive value misses a bound of zero by 100 %.
        Verdict::Missed(if limit == 0.0 { 1.0 } else { excess / limit })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{area, results};
    use super::*;

    #[test]
    fn a_target_is_met_at_its_bound() {
        assert_eq!(judge(Bound::AtMost(12.0), Some(12.0)), Verdict::Met);
        assert_eq!(judge(Bound::AtMost(12.0), Some(12.02)), Verdict::Met);
        assert_eq!(
            judge(Bound::OfPeer(0.45), Some(0.46)),
            Verdict::Missed((0.46 - 0.45) / 0.45)
        );
        assert_eq!(judge(Bound::OfPeer(0.45), Some(0.2)), Verdict::Met);
    }

    #[test]
    fn a_target_is_missed_by_a_share_of_its_bound() {
        assert_eq!(judge(Bound::AtMost(10.0), Some(15.0)), Verdict::Missed(0.5));
        assert_eq!(judge(Bound::AtMost(0.0), Some(3.0)), Verdict::Missed(1.0));
    }

    #[test]
    fn an_unmeasured_target_is_neither_met_nor_missed() {
        assert_eq!(judge(Bound::AtMost(10.0), None), Verdict::NotMeasured);
    }

    #[test]
    fn the_table_compares_each_target_with_its_figure() {
        let mut area = area();
        area.targets = vec![
            Target::new("t/azmon", Quantity::Time, Bound::OfPeer(0.2)),
            Target::new("t/azmon", Quantity::Allocations, Bound::AtMost(2.0)),
            Target::new("t/azmon", Quantity::Figure("wire"), Bound::OfPeer(1.4)),
            Target::new("t/azmon/alone", Quantity::Time, Bound::OfPeer(0.2)),
        ];
        let report = AreaReport::new(&area, results());
        assert_eq!(
            table([&report]).to_string(),
            "\
| target        | of          |                to reach | measured |                    |
|---------------|-------------|------------------------:|---------:|--------------------|
| t/azmon       | ns          | ≤ 0.20 of the best peer |     0.25 | **missed** by 25 % |
| t/azmon       | allocations |                     ≤ 2 |        2 | met                |
| t/azmon       | wire        | ≤ 1.40 of the best peer |     1.20 | met                |
| t/azmon/alone | ns          | ≤ 0.20 of the best peer |        – | not measured       |
"
        );
    }
}
