//! Reads `docs/contract.md`: headings, tables, texts between backticks.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the folder of the repository; works in every crate of the workspace.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the text of `docs/contract.md`.
pub fn contract() -> String {
    fs::read_to_string(repository().join("docs/contract.md")).unwrap()
}

/// Returns the text under a heading, up to the next heading of its level or above.
#[track_caller]
pub fn under<'a>(text: &'a str, heading: &str) -> &'a str {
    let line = format!("\n{heading}\n");
    let start = text
        .find(&line)
        .unwrap_or_else(|| panic!("no heading `{heading}`"));
    let body = &text[start + line.len()..];
    let level = heading.split(' ').next().unwrap().len();
    let ends = (1..=level).filter_map(|level| body.find(&format!("\n{} ", "#".repeat(level))));
    &body[..ends.min().unwrap_or(body.len())]
}

/// Returns the rows of all tables with this head, cell by cell.
#[track_caller]
pub fn rows<'a, const N: usize>(text: &'a str, head: [&str; N]) -> Vec<[&'a str; N]> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        let cells = line
            .strip_prefix('|')
            .and_then(|line| line.strip_suffix('|'));
        let Some(cells) = cells else {
            is_inside = false;
            continue;
        };
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        if cells == head {
            is_inside = true;
        } else if is_inside && !line.starts_with("|---") {
            let row = cells.try_into();
            rows.push(row.unwrap_or_else(|_| panic!("not {N} cells: {line}")));
        }
    }
    assert!(!rows.is_empty(), "no table with the head {head:?}");
    rows
}

/// Returns the texts between backticks.
pub fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the only text between backticks of a cell.
#[track_caller]
pub fn code(cell: &str) -> &str {
    let all: Vec<&str> = codes(cell).collect();
    let [code] = all[..] else {
        panic!("not one code: {cell}");
    };
    code
}

/// Asserts that the page and the program say the same. A failure shows the rows that differ, and no others.
#[track_caller]
pub fn assert_agree<V: PartialEq + Debug>(
    page: &BTreeMap<String, V>,
    program: &BTreeMap<String, V>,
) {
    let unlike = |these: &BTreeMap<String, V>, those: &BTreeMap<String, V>| {
        let rows = these
            .iter()
            .filter(|(name, row)| those.get(*name) != Some(row));
        let lines = rows.map(|(name, row)| format!("  {name}: {row:?}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (written, built) = (unlike(page, program), unlike(program, page));
    assert!(
        written.is_empty() && built.is_empty(),
        "on the page:\n{written}\nin the program:\n{built}"
    );
}
