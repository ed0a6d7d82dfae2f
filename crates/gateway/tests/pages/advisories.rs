//! The page of advisories agrees with `deny.toml` and `Cargo.lock`, and `.ci/licences` checks them where it can.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::repository;

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

#[test]
fn every_ignored_advisory_has_a_row_with_the_locked_version() {
    let rules: toml::Table = read("deny.toml").parse().unwrap();
    let ignored = rules["advisories"]["ignore"].as_array().unwrap();
    let page = read("docs/advisories.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| RUSTSEC-"))
        .collect();
    assert_eq!(rows.len(), ignored.len(), "{rows:?}");
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    let locked = lock["package"].as_array().unwrap();
    for advisory in ignored {
        let id = advisory["id"].as_str().unwrap();
        let row = rows.iter().find(|row| row.contains(id));
        let version = row
            .unwrap_or_else(|| panic!("no row of {id}"))
            .split('|')
            .nth(2)
            .unwrap();
        let (name, version) = version.trim().split_once(' ').unwrap();
        let is_locked = |package: &toml::Value| {
            package["name"].as_str() == Some(name.trim_matches('`'))
                && package["version"].as_str() == Some(version)
        };
        assert!(
            locked.iter().any(is_locked),
            "{id}: {name} {version} is not locked"
        );
    }
}

/// Runs `.ci/licences` with a `cargo deny` whose subcommands end with these codes; returns what it asked, too.
fn licences(codes: &[(&str, i32)]) -> (Output, String) {
    let folder = TempDir::new().unwrap();
    let asked = folder.path().join("asked");
    let cases: Vec<String> = codes
        .iter()
        .map(|(words, code)| format!("*\"{words}\"*) exit {code};;\n"))
        .collect();
    let cases = cases.concat();
    let stub = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\ncase \"$*\" in\n{cases}esac\n",
        asked.display()
    );
    let program = folder.path().join("cargo-deny");
    fs::write(&program, stub).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    let mut script = Command::new(repository().join(".ci/licences"));
    let output = script.env("PATH", path).output().unwrap();
    (output, fs::read_to_string(asked).unwrap())
}

#[test]
fn advisories_are_checked_where_their_database_can_be_had() {
    let (output, asked) = licences(&[]);
    assert!(output.status.success(), "{output:?}");
    let asked: Vec<&str> = asked.lines().collect();
    assert_eq!(
        asked,
        [
            "deny --locked check licenses bans sources",
            "deny --locked fetch db",
            "deny --locked check --disable-fetch advisories",
        ]
    );

    let (output, asked) = licences(&[("fetch db", 1)]);
    assert!(output.status.success(), "{output:?}");
    assert!(!asked.contains("advisories"), "{asked}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("NOT checked"), "{printed}");

    for refused in ["advisories", "licenses"] {
        let (output, _) = licences(&[(refused, 1)]);
        assert_eq!(output.status.code(), Some(1), "{refused}");
    }
}
