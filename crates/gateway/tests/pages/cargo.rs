//! Commands of cargo and nextest: packages, targets, examples and tests that they name are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::reader::is_assignment;
use crate::repository;

/// Options without a value.
const FLAGS: [&str; 6] = [
    "--release",
    "--workspace",
    "--locked",
    "--no-capture",
    "--nocapture",
    "--all",
];

/// Options of cargo and what comes behind `--`.
struct Words<'a> {
    package: Option<&'a str>,
    program: Option<&'a str>,
    filters: Vec<&'a str>,
    behind: &'a [&'a str],
}

/// Checks a command; its first word may set a variable.
pub fn check(line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let start = words.iter().take_while(|word| is_assignment(word)).count();
    for variable in &words[..start] {
        let name = variable.split('=').next().unwrap();
        let sources = sources(&repository().join("crates"));
        assert!(
            sources.iter().any(|(_, text)| text.contains(name)),
            "nothing reads {name}: {line}"
        );
    }
    let rest = match &words[start..] {
        ["nextest", rest @ ..]
        | ["cargo", "nextest", "run", rest @ ..]
        | ["cargo", "run" | "test" | "build", rest @ ..] => rest,
        other => panic!("no command of cargo: {other:?}"),
    };
    let words = read(line, rest);
    match words.program {
        // Their options are those of the program itself.
        Some("relay-demo") => assert!(
            matches!(words.behind, [] | ["--keep-running"]),
            "{line}: crates/demo/tests runs it with other options"
        ),
        Some("gateway") => check_gateway(line, words.behind),
        _ => {}
    }
    let folder = words
        .package
        .map_or_else(|| repository().join("crates"), package);
    let sources = sources(&folder);
    for filter in words.filters {
        let is_there = sources
            .iter()
            .any(|(path, text)| names_a_test(path, text, filter));
        assert!(
            is_there,
            "{line}: no test `{filter}` in {}",
            folder.display()
        );
    }
}

/// Reads the options and asserts that what they name is there.
fn read<'a>(line: &str, rest: &'a [&'a str]) -> Words<'a> {
    let end = rest
        .iter()
        .position(|word| *word == "--")
        .unwrap_or(rest.len());
    let mut words = Words {
        package: None,
        program: None,
        filters: Vec::new(),
        behind: rest.get(end + 1..).unwrap_or_default(),
    };
    let mut options = rest[..end].iter().copied();
    let mut targets = Vec::new();
    while let Some(option) = options.next() {
        match option {
            "-p" | "--package" => words.package = options.next(),
            "--bin" => words.program = options.next(),
            "--test" => targets.push(("tests", options.next().unwrap())),
            "--example" => targets.push(("examples", options.next().unwrap())),
            "--run-ignored" => assert!(matches!(options.next(), Some("only" | "all")), "{line}"),
            "-E" => words.filters.extend(options.next()),
            flag if FLAGS.contains(&flag) => {}
            option => {
                assert!(!option.starts_with('-'), "{line}: {option} is not checked");
                words.filters.push(option);
            }
        }
    }
    for (kind, name) in targets {
        let folder = package(words.package.expect("a target has a package")).join(kind);
        let files = [
            folder.join(format!("{name}.rs")),
            folder.join(name).join("main.rs"),
        ];
        assert!(
            files.iter().any(|file| file.is_file()),
            "{line}: no {kind} {name}"
        );
    }
    if let Some(program) = words.program {
        let manifests = packages();
        let is_named = |folder: &PathBuf| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let is_plain = folder.join("src/main.rs").is_file();
            manifest.contains(&format!("name = \"{program}\"")) && is_plain
        };
        assert!(
            manifests.values().any(is_named),
            "{line}: no program {program}"
        );
    }
    words
}

/// Validates the configuration of `serve`; runs anything else for its usage.
fn check_gateway(line: &str, arguments: &[&str]) {
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let arguments = match arguments {
        ["serve", rest @ ..] => [&["check"], rest].concat(),
        other => [other, &["--help"]].concat(),
    };
    let output = gateway
        .args(arguments)
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
}

/// Returns the folder of a package.
fn package(name: &str) -> PathBuf {
    let packages = packages();
    let folder = packages.get(name).cloned();
    folder.unwrap_or_else(|| panic!("no package {name}"))
}

fn packages() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(repository().join("crates")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let name = manifest
                .lines()
                .find_map(|line| line.strip_prefix("name = "));
            (name.unwrap().trim_matches('"').to_owned(), folder)
        })
        .collect()
}

/// Returns the Rust sources of a folder: path and text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Returns whether a filter, or a filter expression `'test(/^module::/)'`, chooses a test of this source.
fn names_a_test(path: &Path, text: &str, filter: &str) -> bool {
    let module = filter.trim_matches('\'').strip_prefix("test(/^");
    if let Some(module) = module.and_then(|rest| rest.strip_suffix("::/)")) {
        return path.components().any(|part| part.as_os_str() == module)
            && text.contains("#[test]");
    }
    let is_test = |line: &str| {
        line.trim_start()
            .strip_prefix("fn ")
            .is_some_and(|name| name.split('(').next().unwrap_or_default().contains(filter))
    };
    let is_module = path
        .file_stem()
        .is_some_and(|stem| stem.to_string_lossy().contains(filter));
    text.contains("#[test]") && (is_module || text.lines().any(is_test))
}
