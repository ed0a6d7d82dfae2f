//! Tables whose columns are aligned in a terminal, with Korean text too.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// No cell is wider than this.
const CELL_COLUMNS: usize = 80;

/// Where a cell's text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Align {
    /// Blanks after it.
    Left,
    /// Blanks before it: numbers.
    Right,
}

/// Rows of cells under a heading.
#[derive(Clone, Debug)]
pub(in crate::command) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings; a table without headings has empty ones.
    pub(in crate::command) fn new(columns: &[(&str, Align)]) -> Self {
        let headings: Vec<String> = columns.iter().map(|(name, _)| (*name).into()).collect();
        let rows = if headings.iter().all(String::is_empty) {
            Vec::new()
        } else {
            vec![headings]
        };
        Self {
            aligns: columns.iter().map(|(_, align)| *align).collect(),
            rows,
        }
    }

    /// One more row.
    pub(in crate::command) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines, without blanks at their ends. A column that is empty in every row is left out.
    pub(in crate::command) fn lines(&self) -> Vec<String> {
        let cell = |row: &[String], column: usize| {
            truncated(row.get(column).map_or("", String::as_str), CELL_COLUMNS)
        };
        let widths: Vec<usize> = (0..self.aligns.len())
            .map(|column| self.rows.iter().map(|row| cell(row, column).width()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (column, (align, most)) in self.aligns.iter().zip(&widths).enumerate() {
                if *most == 0 {
                    continue;
                }
                if !line.is_empty() {
                    line.push_str("  ");
                }
                let text = cell(row, column);
                let blanks = " ".repeat(most - text.width());
                match align {
                    Align::Left => line.extend([text, blanks]),
                    Align::Right => line.extend([blanks, text]),
                }
            }
            line.truncate(line.trim_end().len());
            line
        };
        self.rows.iter().map(line).collect()
    }
}

/// Returns the text, or as much of its beginning as fits into the columns with an ellipsis after it.
fn truncated(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut width = 1;
    let kept = text.chars().take_while(|letter| {
        width += letter.width().unwrap_or(1);
        width <= columns
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_text_fits() {
        for (text, columns, expected) in [
            ("청구서", 6, "청구서"),
            ("청구서", 5, "청구…"),
            ("청구서", 4, "청…"),
            ("abc", 1, "…"),
        ] {
            assert_eq!(truncated(text, columns), expected);
        }
    }

    #[test]
    fn columns_are_aligned_also_beside_korean() {
        let mut table = Table::new(&[
            ("name", Align::Left),
            ("won", Align::Right),
            ("", Align::Left),
            ("last", Align::Left),
        ]);
        table.row(["관리비", "1", "", "x"]);
        table.row(["water", "20,000", "", ""]);
        assert_eq!(
            table.lines(),
            [
                "name       won  last",
                "관리비       1  x",
                "water   20,000",
            ]
        );
    }
}
