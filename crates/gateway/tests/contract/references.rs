//! References between page and code: files, links, sections, checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::document::{codes, contract, repository, rows, under};

/// Returns the files with this extension in a folder and its sub-folders.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}

/// Returns a source file on one line, without comment marks.
fn prose(source: &str) -> String {
    let lines = source.lines().map(|line| {
        let line = line.trim_start();
        line.trim_start_matches(['/', '!']).trim()
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the text behind each occurrence of a phrase.
fn behind<'a>(text: &'a str, phrase: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(phrase)
        .map(|(at, phrase)| &text[at + phrase.len()..])
}

/// Reads the numbers at the start of a citation: ` 4`, `s 2 and 3`, `s 5 to 8`.
fn numbers(citation: &str) -> Vec<u8> {
    let words = citation.strip_prefix('s').unwrap_or(citation).split(' ');
    let mut numbers = Vec::new();
    for word in words.skip(1) {
        let digits = word.trim_end_matches(|end: char| !end.is_ascii_digit());
        match digits.parse() {
            Ok(number) => numbers.push(number),
            Err(_) if matches!(word, "and" | "to") => continue,
            Err(_) => break,
        }
        if digits != word {
            break;
        }
    }
    numbers
}

/// Reads the heading that follows the number of a citation: `, "Links"`.
fn heading(citation: &str) -> Option<&str> {
    let (_, rest) = citation.split_once(", ")?;
    let rest = rest.trim_start_matches('"');
    let is_name = |character: char| character.is_ascii_alphabetic() || " -".contains(character);
    let end = rest.find(|character| !is_name(character))?;
    let is_heading = rest.starts_with(|first: char| first.is_ascii_uppercase());
    (citation.find(", ")? <= 4 && is_heading).then(|| &rest[..end])
}

#[test]
fn every_section_heading_and_check_that_the_code_cites_is_on_the_page() {
    let page = contract();
    let checks = rows(
        under(&page, "## 2. Order of checks"),
        ["check", "what is asked", "if not"],
    );
    let checks: BTreeSet<u8> = checks
        .iter()
        .filter_map(|row| row[0].parse().ok())
        .collect();
    let mut cited = 0;
    for path in files(&repository().join("crates"), "rs") {
        let text = prose(&fs::read_to_string(&path).unwrap()).replace("Contract", "contract");
        let file = path.display();
        for citation in behind(&text, "contract section") {
            let sections = numbers(citation);
            for number in &sections {
                let title = page.lines().find_map(|line| {
                    let line = line.strip_prefix("## ")?;
                    line.starts_with(&format!("{number}. ")).then_some(line)
                });
                let title = title.unwrap_or_else(|| panic!("{file} cites section {number}"));
                if let Some(heading) = heading(citation) {
                    let section = under(&page, &format!("## {title}"));
                    under(section, &format!("### {heading}"));
                }
            }
            cited += sections.len();
        }
        for phrase in ["contract check", "contract's check"] {
            for number in behind(&text, phrase).flat_map(numbers) {
                assert!(checks.contains(&number), "{file} cites check {number}");
            }
        }
    }
    assert!(cited > 40, "{cited}");
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let page = contract();
    let crates = repository().join("crates");
    let is_source = |code: &&str| {
        let Some((head, _)) = code.split_once('/') else {
            return false;
        };
        let is_rust = Path::new(code).extension().is_some_and(|end| end == "rs");
        is_rust || !head.is_empty() && crates.join(head).is_dir()
    };
    let sources: BTreeSet<&str> = codes(&page).filter(is_source).collect();
    for source in &sources {
        assert!(crates.join(source).exists(), "crates/{source}");
    }
    assert!(sources.len() > 40, "{}", sources.len());
}

#[test]
fn every_link_of_every_page_leads_to_a_file_and_a_heading_that_are_there() {
    for page in files(&repository(), "md") {
        let text = fs::read_to_string(&page).unwrap();
        let links = behind(&text, "](").map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let context = format!("{}: {link}", page.display());
            assert!(target.exists(), "{context}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| anchor_of(heading) == anchor),
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn every_file_that_the_map_of_tests_and_the_architecture_name_is_there() {
    let crates = repository().join("crates");
    for page in ["docs/testing.md", "ARCHITECTURE.md", "docs/security.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        let is_file = |code: &&str| code.contains('/') && code.contains(".rs");
        let is_plain =
            |code: &&str| !code.contains(['{', '*', ' ', 'X']) && !code.starts_with("name/");
        for code in codes(&text).filter(is_file).filter(is_plain) {
            let exists = repository().join(code).exists() || crates.join(code).exists();
            let in_gateway =
                ["gateway/src", "gateway/tests"].map(|folder| crates.join(folder).join(code));
            assert!(
                exists || in_gateway.iter().any(|path| path.exists()),
                "{page}: {code}"
            );
        }
    }
}

/// Returns the anchor of a heading: small letters, hyphens for blanks, no punctuation.
fn anchor_of(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim();
    let kept = title
        .chars()
        .filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn a_citation_is_read_as_it_is_written() {
    for (citation, sections, title) in [
        (" 4, \"Error bills\").", vec![4], Some("Error bills")),
        (" 4, Payments).", vec![4], Some("Payments")),
        ("s 5 and 7): what operators see", vec![5, 7], None),
        (" 2, checks 5 to 8)", vec![2], None),
        (" 6, `[listen]`", vec![6], None),
        (" 4 once more, as simply", vec![4], None),
        ("s 5 to 8.", vec![5, 8], None),
        ("s in their order", vec![], None),
    ] {
        assert_eq!(numbers(citation), sections, "{citation}");
        assert_eq!(heading(citation), title, "{citation}");
    }
}
