use std::fmt;

use super::comparison::{Row, compare};
use super::number::{UNKNOWN, number, or_unknown, ratio, surplus};
use super::table::Table;
use crate::measure::CaseResult;
use crate::{Area, Method, Role};

/// The results of an area.
#[derive(Debug)]
pub struct AreaReport<'a> {
    pub(super) area: &'a Area,
    pub(super) rows: Vec<Row<'a>>,
}

impl<'a> AreaReport<'a> {
    /// Compares the results of [`measure`](crate::measure::measure).
    #[must_use]
    pub fn new(area: &'a Area, results: Vec<CaseResult>) -> Self {
        Self {
            area,
            rows: compare(area, results),
        }
    }

    pub(super) fn is_service(&self) -> bool {
        matches!(self.area.method, Method::Service { .. })
    }

    /// The notes, if its part of the report is written by itself.
    pub(super) fn notes(&self) -> Option<&'static str> {
        self.area.notes
    }

    /// The line above its part of the report.
    pub(super) fn headline(&self) -> String {
        format!("## {}\n", self.area.title)
    }

    pub(super) fn row(&self, id: &str) -> Option<&Row<'a>> {
        self.rows.iter().find(|row| row.case.id == id)
    }

    fn table(&self) -> Table {
        match self.area.method {
            Method::Rounds { .. } => self.timed(),
            Method::Once { .. } | Method::Service { .. } => self.figures(),
        }
    }

    fn timed(&self) -> Table {
        let names = self.figure_names();
        let mut table = Table::new()
            .text("case")
            .number(&format!("ns/{}", self.area.unit))
            .number("above")
            .number("× bare")
            .number("× peer")
            .number("allocations")
            .number("above")
            .number("bytes")
            .number("instructions")
            .number("above");
        for name in &names {
            table = table.number(name);
        }
        table = table.text("");
        for row in &self.rows {
            let mut cells = vec![
                label(row),
                or_unknown(row.nanoseconds, number),
                or_unknown(row.nanoseconds_above, surplus),
                or_unknown(row.times_bare, ratio),
                or_unknown(row.of_peer, ratio),
                or_unknown(row.result.allocations, number),
                or_unknown(row.allocations_above, surplus),
                or_unknown(row.result.bytes, number),
                or_unknown(row.result.instructions, number),
                or_unknown(row.instructions_above, surplus),
            ];
            cells.extend(names.iter().map(|name| figure(row, name)));
            cells.push(row.case.remark.to_string());
            table.push(cells);
        }
        table
    }

    fn figures(&self) -> Table {
        let names = self.figure_names();
        let is_compared = self.rows.iter().any(|row| row.of_peer.is_some());
        let mut table = Table::new().text("case");
        if is_compared {
            table = table.number("× peer");
        }
        for name in &names {
            table = table.number(name);
        }
        table = table.text("");
        for row in &self.rows {
            let mut cells = vec![label(row)];
            cells.extend(is_compared.then(|| or_unknown(row.of_peer, ratio)));
            cells.extend(names.iter().map(|name| figure(row, name)));
            cells.push(row.case.remark.to_string());
            table.push(cells);
        }
        table
    }

    /// The names in the order of first occurrence.
    fn figure_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for figure in self.rows.iter().flat_map(|row| &row.result.figures) {
            if !names.contains(&figure.name.as_str()) {
                names.push(&figure.name);
            }
        }
        names
    }
}

impl fmt::Display for AreaReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n\n{}",
            self.headline(),
            self.area.about,
            self.table()
        )
    }
}

fn label(row: &Row<'_>) -> String {
    if row.case.role == Role::Azmon {
        format!("**{}**", row.case.label)
    } else {
        row.case.label.to_string()
    }
}

fn figure(row: &Row<'_>, name: &str) -> String {
    let figures = &row.result.figures;
    let figure = figures.iter().find(|figure| figure.name == name);
    figure.map_or_else(|| UNKNOWN.to_owned(), |figure| number(figure.value))
}
