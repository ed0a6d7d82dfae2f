//! A bill with its details of the guide's four types (section 5.2), two of them side by side.

use std::io;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::figures::{bar, grouped};
use super::line::{Line, Style, truncated};
use super::terminal::{COLUMNS, INDENT, Terminal};

/// Columns between two boxes.
const GAP: usize = 2;

/// Columns of a box with its frame.
const BOX: usize = (COLUMNS - INDENT - 2 - GAP) / 2;

/// Columns of the text in a box.
const INNER: usize = BOX - 4;

/// Columns of the longest bar of a graph.
const GRAPH_COLUMNS: usize = 15;

/// Columns of the label before a bar, with a space.
const GRAPH_LABEL: usize = 3;

/// The largest number of lines in a box.
const LINES: usize = 6;

/// Shows `data.result` of an answer to `notice`.
pub(super) fn show(terminal: &mut Terminal, result: &Value) -> io::Result<()> {
    let won = result["amount"].as_i64().unwrap_or_default();
    terminal.indented(
        Line::new()
            .spaces(2)
            .with(Style::Bold, text(&result["title"]))
            .plain(&format!("  {} 원", grouped(won)))
            .with(
                Style::Dim,
                &format!("  납기일 {}", text(&result["pay_expire_date"])),
            ),
    )?;
    for pair in items(&result["details"]).chunks(2) {
        let lines: Vec<_> = pair.iter().map(lines).collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or_default();
        let boxes: Vec<_> = pair
            .iter()
            .zip(lines)
            .map(|(block, lines)| framed(block, lines, height))
            .collect();
        for row in 0..height + 2 {
            let line = boxes.iter().fold(Line::new(), |line, rows| {
                line.append(rows[row].clone()).spaces(GAP)
            });
            terminal.indented(Line::new().spaces(2).append(line))?;
        }
    }
    Ok(())
}

/// Returns the lines of a block's elements.
fn lines(block: &Value) -> Vec<Line> {
    let mut lines = match text(&block["item_type"]) {
        "KEY_VALUE" => key_values(block),
        "TEXT" => texts(block),
        "TABLE" => table(block),
        "GRAPH" => graph(block),
        _ => Vec::new(),
    };
    lines.truncate(LINES);
    lines
}

/// Returns a frame with the block's title above, its type below, and its lines filled up to this height.
fn framed(block: &Value, lines: Vec<Line>, height: usize) -> Vec<Line> {
    let title = truncated(text(&block["title"]), INNER);
    let head = Line::of(Style::Dim, "╭ ")
        .plain(&title)
        .with(Style::Dim, &format!(" {}╮", rule(INNER - title.width())));
    let item_type = truncated(text(&block["item_type"]), INNER);
    let foot = Line::of(
        Style::Dim,
        &format!("╰{} ", rule(INNER - item_type.width())),
    )
    .with(Style::Name, &item_type)
    .with(Style::Dim, " ╯");
    let empty = std::iter::repeat(Line::new());
    let rows = lines.into_iter().chain(empty).take(height).map(|line| {
        Line::of(Style::Dim, "│ ")
            .append(line.padded(INNER))
            .with(Style::Dim, " │")
    });
    std::iter::once(head).chain(rows).chain([foot]).collect()
}

fn rule(columns: usize) -> String {
    "─".repeat(columns)
}

fn key_values(block: &Value) -> Vec<Line> {
    let line = |element: &Value| {
        let value = text(&element["value"]);
        // Guide 5.2: elements of level 2 are indented.
        let indent = if element["level"].as_u64() >= Some(2) {
            2
        } else {
            0
        };
        let key = truncated(
            text(&element["key"]),
            INNER.saturating_sub(value.width() + indent + 1),
        );
        let room = INNER.saturating_sub(key.width() + indent);
        Line::new()
            .spaces(indent)
            .plain(&key)
            .right(Style::Plain, value, room)
    };
    items(&block["elements"]).iter().map(line).collect()
}

fn texts(block: &Value) -> Vec<Line> {
    let lines = items(&block["elements"]).iter();
    lines
        .map(|line| Line::of(Style::Plain, &truncated(text(line), INNER)))
        .collect()
}

fn table(block: &Value) -> Vec<Line> {
    let head = items(&block["elements"]["head"]);
    let rows = items(&block["elements"]["rows"]).iter();
    let rows: Vec<&[Value]> = std::iter::once(head).chain(rows.map(items)).collect();
    let rooms = column_widths(&rows, head.len());
    let line = |(index, cells): (usize, &&[Value])| {
        let style = if index == 0 { Style::Dim } else { Style::Plain };
        let cells = cells.iter().zip(&rooms).enumerate();
        cells.fold(Line::new(), |line, (column, (value, room))| {
            // A column of numbers keeps its distance from the one before it.
            let value = truncated(text(value), room.saturating_sub(usize::from(column > 0)));
            match column {
                0 => line.left(style, &value, *room),
                _ => line.right(style, &value, *room),
            }
        })
    };
    rows.iter().enumerate().map(line).collect()
}

/// Returns the widths of a table's columns, which fill a box: each as wide as its widest cell and a space, and the rest
/// is shared. Columns that do not fit are all alike.
fn column_widths(rows: &[&[Value]], columns: usize) -> Vec<usize> {
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| text(cell).width())
            .max()
            .unwrap_or_default()
    };
    let needed: Vec<usize> = (0..columns)
        .map(|column| widest(column) + usize::from(column > 0))
        .collect();
    let shared = |free: usize, column: usize| {
        let rest = usize::from(column < free % columns.max(1));
        free / columns.max(1) + rest
    };
    match INNER.checked_sub(needed.iter().sum()) {
        Some(free) => {
            let widths = needed.iter().enumerate();
            widths
                .map(|(column, width)| width + shared(free, column))
                .collect()
        }
        None => (0..columns).map(|column| shared(INNER, column)).collect(),
    }
}

fn graph(block: &Value) -> Vec<Line> {
    let points = items(&block["elements"]);
    let height = |point: &Value| point["y"].as_f64().unwrap_or_default();
    let highest = points.iter().map(height).fold(f64::MIN_POSITIVE, f64::max);
    let line = |point: &Value| {
        let won = grouped(point["y"].as_i64().unwrap_or_default());
        let value = format!("{won} {}", text(&block["unit_name"]));
        let value = truncated(&value, INNER - GRAPH_LABEL - GRAPH_COLUMNS);
        let line = Line::new()
            .left(
                Style::Dim,
                &truncated(text(&point["x"]), GRAPH_LABEL - 1),
                GRAPH_LABEL,
            )
            .with(Style::Name, &bar(height(point) / highest, GRAPH_COLUMNS));
        let room = INNER.saturating_sub(line.width());
        line.right(Style::Plain, &value, room)
    };
    points.iter().map(line).collect()
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_box_has_the_same_width() {
        let long = "청구".repeat(40);
        for block in [
            serde_json::json!({"title": long, "item_type": "TEXT", "elements": [long, "", 1]}),
            serde_json::json!({"title": "t", "item_type": "KEY_VALUE",
                "elements": [{"key": long, "value": "1 원", "level": 2}, {}]}),
            serde_json::json!({"title": "t", "item_type": "TABLE",
                "elements": {"head": ["항목", "당월금액"], "rows": [["전기료", long, "more"], []]}}),
            serde_json::json!({"title": "t", "item_type": "GRAPH", "unit_name": long,
                "elements": [{"x": "02", "y": 2}, {"x": "03", "y": 0}, {"x": "04"}]}),
            serde_json::json!({"title": "t", "item_type": "MOVIE"}),
            serde_json::json!(null),
        ] {
            let lines = lines(&block);
            let height = lines.len();
            let rows = framed(&block, lines, height);
            assert_eq!(rows.len(), height + 2, "{block}");
            for line in rows {
                assert_eq!(line.width(), BOX, "{block}");
            }
        }
    }
}
