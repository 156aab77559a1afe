use super::area::AreaReport;
use super::comparison::Row;
use super::number::{UNKNOWN, number, or_unknown, ratio, surplus};
use super::table::Table;
use crate::Method;

/// The overhead of azmon and of the best peer in a service.
pub(super) fn table<'r, 'a: 'r>(areas: impl IntoIterator<Item = &'r AreaReport<'a>>) -> Table {
    let mut table = Table::new()
        .text("")
        .text("azmon")
        .text("the best peer")
        .number("ratio");
    for area in areas {
        for row in &area.rows {
            if let Some(headline) = row.case.headline {
                table.push(cells(area, row, headline));
            }
        }
    }
    table
}

fn cells(area: &AreaReport<'_>, row: &Row<'_>, headline: &str) -> Vec<String> {
    let peer = row.best_peer.and_then(|peer| area.row(peer.id));
    let peer_costs = peer.map_or_else(
        || UNKNOWN.to_owned(),
        |peer| format!("{} ({})", costs(area, peer), peer.case.label),
    );
    vec![
        headline.to_owned(),
        costs(area, row),
        peer_costs,
        or_unknown(row.of_peer, ratio),
    ]
}

/// The overhead, or the figures of a case without timing.
fn costs(area: &AreaReport<'_>, row: &Row<'_>) -> String {
    if let Method::Once { .. } = area.area.method {
        let figure = |figure: &crate::Figure| format!("{} {}", number(figure.value), figure.name);
        let figures: Vec<_> = row.result.figures.iter().map(figure).collect();
        return figures.join(", ");
    }
    if let Method::Service { .. } = area.area.method {
        let added = row.nanoseconds_above.map(|nanoseconds| nanoseconds / 1e3);
        return format!("{} µs of processor time", or_unknown(added, surplus));
    }
    let time = row.nanoseconds_above.or(row.nanoseconds);
    let allocations = row.allocations_above.or(row.result.allocations);
    format!(
        "{} ns, {} allocations",
        or_unknown(time, surplus),
        or_unknown(allocations, number)
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{area, results};
    use super::*;

    #[test]
    fn a_headline_has_the_costs_of_azmon_and_of_the_best_peer() {
        let area = area();
        let report = AreaReport::new(&area, results());
        let row = report.row("t/azmon").unwrap();
        assert_eq!(
            cells(&report, row, "a thing"),
            [
                "a thing",
                "+50 ns, 2 allocations",
                "+200 ns, 8 allocations (good)",
                "0.25"
            ]
        );
    }
}
