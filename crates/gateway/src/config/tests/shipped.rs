//! The configuration files that the project ships.

use std::path::{Path, PathBuf};

use super::folder::{Folder, KAKAO};
use crate::config::{BillersDirectory, Config, LedgerSettings, Sha256};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_shipped_configuration_has_no_fault_and_no_warning() {
    let loaded = Config::load(&project().join("config/gateway.toml")).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.billers.len(), 2);
}

#[test]
fn the_shipped_main_file_shows_the_defaults() {
    let shipped = Config::load(&project().join("config/gateway.toml"))
        .unwrap()
        .config;
    let folder = Folder::with_main(KAKAO);
    let mut default = folder.load().unwrap().config;
    // Paths are relative to the file, so only the folder differs.
    let config = project().join("config");
    default.ledger = LedgerSettings {
        path: config.join("data/ledger"),
        ..default.ledger
    };
    default.billers = BillersDirectory {
        directory: config.join("billers"),
    };
    assert_eq!(shipped, default);
}

#[test]
fn the_example_authorization_in_a_billers_comment_is_accepted() {
    let shipped = Config::load(&project().join("config/gateway.toml")).unwrap();
    let billers = shipped.billers;
    for biller in billers {
        let file = project().join(format!("config/billers/{}.toml", biller.code));
        let text = std::fs::read_to_string(file).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("#     Authorization: "));
        assert_eq!(
            biller.authorization_sha256,
            [Sha256::of(line.unwrap().as_bytes())]
        );
    }
}

#[test]
fn the_examples_that_are_commented_out_have_only_known_keys() {
    for file in ["gateway.toml", "billers/B0001.toml"] {
        let shipped = project().join("config").join(file);
        let text = std::fs::read_to_string(shipped).unwrap();
        let folder = Folder::new();
        folder.write(file, uncommented(&text));
        let faults = folder.faults();
        // The files that they name do not exist; there may be no other faults.
        for fault in faults.lines() {
            let absent =
                fault.contains("cannot be read: No such file") || fault.contains("is not set");
            assert!(absent || fault.contains("is a second password"), "{faults}");
        }
    }
}

/// Returns the text with its commented keys and tables (`# key = …`, `# [table]`) uncommented.
fn uncommented(text: &str) -> String {
    let is_example = |rest: &str| {
        let word = rest.split(' ').next().unwrap_or_default();
        let is_key = rest[word.len()..].starts_with(" = ");
        let is_table = word.starts_with('[') && word.ends_with(']') && word == rest;
        is_key || is_table
    };
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_example(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}
