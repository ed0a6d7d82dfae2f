//! A bill's page as the guide's four types of details make it (section 5.2), two beside each other.

use std::io;

use serde_json::Value;

use super::bar::bar;
use super::screen::{COLUMNS, INDENT, Screen};
use super::text::{Ink, Text};
use crate::width::{cut, width};

/// Between two cards.
const GAP: usize = 2;

/// A card with its frame.
const CARD: usize = (COLUMNS - INDENT - 2 - GAP) / 2;

/// A card without its frame and the blanks inside.
const INNER: usize = CARD - 4;

/// Of the longest bar of a graph.
const GRAPH_COLUMNS: usize = 22;

/// What stands before the bar, and a blank.
const GRAPH_LABEL: usize = 3;

/// So many lines of a block are shown.
const LINES: usize = 6;

/// Shows `data.result` of an answer to a notice.
pub(super) fn show(screen: &mut Screen<'_>, result: &Value) -> io::Result<()> {
    let won = result["amount"].as_i64().unwrap_or_default();
    screen.inside(
        Text::new()
            .blanks(2)
            .with(Ink::Strong, text(&result["title"]))
            .plain(&format!("  {} 원", grouped(won)))
            .with(
                Ink::Faint,
                &format!("  납기일 {}", text(&result["pay_expire_date"])),
            ),
    )?;
    for pair in items(&result["details"]).chunks(2) {
        let lines: Vec<_> = pair.iter().map(lines).collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or_default();
        let cards: Vec<_> = pair
            .iter()
            .zip(lines)
            .map(|(block, lines)| card(block, lines, height))
            .collect();
        for row in 0..height + 2 {
            let line = cards.iter().fold(Text::new(), |line, card| {
                line.then(card[row].clone()).blanks(GAP)
            });
            screen.inside(Text::new().blanks(2).then(line))?;
        }
    }
    Ok(())
}

/// The elements of a block.
fn lines(block: &Value) -> Vec<Text> {
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

/// A block in its frame: title and type above, so many lines below, and the frame's end.
fn card(block: &Value, lines: Vec<Text>, height: usize) -> Vec<Text> {
    let item_type = cut(text(&block["item_type"]), INNER / 2);
    let title = cut(text(&block["title"]), INNER - width(&item_type) - 3);
    let rule = "─".repeat(CARD - width(&title) - width(&item_type) - 6);
    let head = Text::of(Ink::Faint, "╭ ")
        .plain(&title)
        .with(Ink::Faint, &format!(" {rule} "))
        .with(Ink::Name, &item_type)
        .with(Ink::Faint, " ╮");
    let empty = std::iter::repeat(Text::new());
    let framed = lines.into_iter().chain(empty).take(height).map(|line| {
        Text::of(Ink::Faint, "│ ")
            .then(line.padded(INNER))
            .with(Ink::Faint, " │")
    });
    let foot = Text::of(Ink::Faint, &format!("╰{}╯", "─".repeat(CARD - 2)));
    std::iter::once(head).chain(framed).chain([foot]).collect()
}

fn key_values(block: &Value) -> Vec<Text> {
    let line = |element: &Value| {
        let value = text(&element["value"]);
        // Guide 5.2: the level is how far it is indented, from 1.
        let indent = element["level"]
            .as_u64()
            .map_or(0, |level| level.clamp(1, 2) - 1)
            * 2;
        let indent = usize::try_from(indent).unwrap_or_default();
        let key = cut(
            text(&element["key"]),
            INNER.saturating_sub(width(value) + indent + 1),
        );
        let room = INNER.saturating_sub(width(&key) + indent);
        Text::new()
            .blanks(indent)
            .plain(&key)
            .right(Ink::Plain, value, room)
    };
    items(&block["elements"]).iter().map(line).collect()
}

fn texts(block: &Value) -> Vec<Text> {
    let lines = items(&block["elements"]).iter();
    lines
        .map(|line| Text::of(Ink::Plain, &cut(text(line), INNER)))
        .collect()
}

fn table(block: &Value) -> Vec<Text> {
    let head = items(&block["elements"]["head"]);
    let cell = INNER / head.len().max(1);
    let line = |ink: Ink, cells: &[Value]| {
        let cells = cells.iter().take(head.len()).enumerate();
        cells.fold(Text::new(), |line, (column, value)| {
            let is_last = column + 1 == head.len();
            let room = if is_last { INNER - cell * column } else { cell };
            let value = cut(text(value), room);
            match column {
                0 => line.left(ink, &value, room),
                _ => line.right(ink, &value, room),
            }
        })
    };
    let rows = items(&block["elements"]["rows"]).iter();
    let rows = rows.map(|row| line(Ink::Plain, items(row)));
    std::iter::once(line(Ink::Faint, head))
        .chain(rows)
        .collect()
}

fn graph(block: &Value) -> Vec<Text> {
    let points = items(&block["elements"]);
    let height = |point: &Value| point["y"].as_f64().unwrap_or_default();
    let highest = points.iter().map(height).fold(f64::MIN_POSITIVE, f64::max);
    let line = |point: &Value| {
        let won = grouped(point["y"].as_i64().unwrap_or_default());
        let value = format!("{won} {}", text(&block["unit_name"]));
        let value = cut(&value, INNER - GRAPH_LABEL - GRAPH_COLUMNS);
        let line = Text::new()
            .left(
                Ink::Faint,
                &cut(text(&point["x"]), GRAPH_LABEL - 1),
                GRAPH_LABEL,
            )
            .with(Ink::Name, &bar(height(point) / highest, GRAPH_COLUMNS));
        let room = INNER.saturating_sub(line.width());
        line.right(Ink::Plain, &value, room)
    };
    points.iter().map(line).collect()
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number with commas between its thousands.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-201_403, "-201,403"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn every_card_is_as_wide_as_any_other() {
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
            let card = card(&block, lines, height);
            assert_eq!(card.len(), height + 2, "{block}");
            for line in card {
                assert_eq!(line.width(), CARD, "{block}");
            }
        }
    }
}
