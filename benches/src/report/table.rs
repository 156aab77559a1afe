use std::fmt;

/// A Markdown table that is also readable as text.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    title: String,
    is_number: bool,
}

impl Table {
    /// Makes a table without columns.
    pub(super) fn new() -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a column of text.
    pub(super) fn text(self, title: &str) -> Self {
        self.column(title, false)
    }

    /// Adds a right-aligned column.
    pub(super) fn number(self, title: &str) -> Self {
        self.column(title, true)
    }

    fn column(mut self, title: &str, is_number: bool) -> Self {
        self.columns.push(Column {
            title: title.to_owned(),
            is_number,
        });
        self
    }

    /// Adds a row, with a cell for every column.
    pub(super) fn push(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn widths(&self) -> Vec<usize> {
        let width = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells
                .map(String::as_str)
                .chain([column.title.as_str(), "---"])
                .map(|text| text.chars().count())
                .max()
                .unwrap_or_default()
        };
        self.columns.iter().enumerate().map(width).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |f: &mut fmt::Formatter<'_>, cells: Vec<&str>| {
            for ((cell, column), width) in cells.iter().zip(&self.columns).zip(&widths) {
                if column.is_number {
                    write!(f, "| {cell:>width$} ")?;
                } else {
                    write!(f, "| {cell:<width$} ")?;
                }
            }
            f.write_str("|\n")
        };
        let titles = self.columns.iter().map(|column| column.title.as_str());
        line(f, titles.collect())?;
        for (column, width) in self.columns.iter().zip(&widths) {
            let end = if column.is_number { ':' } else { '-' };
            write!(f, "|{}{end}", "-".repeat(width + 1))?;
        }
        f.write_str("|\n")?;
        for row in &self.rows {
            line(f, row.iter().map(String::as_str).collect())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new().text("case").number("ns");
        table.push(vec!["bare".to_owned(), "1,322".to_owned()]);
        table.push(vec!["× nothing".to_owned(), "7".to_owned()]);
        assert_eq!(
            table.to_string(),
            "| case      |    ns |\n\
             |-----------|------:|\n\
             | bare      | 1,322 |\n\
             | × nothing |     7 |\n"
        );
    }
}
