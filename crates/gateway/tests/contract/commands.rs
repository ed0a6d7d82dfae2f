//! Section 5: commands, required and optional options and defaults are those of `--help`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::document::{assert_agree, codes, contract, rows, under};

/// Options as the page writes them, `--limit LINES (200)`.
type Options = BTreeSet<String>;

/// The required and the optional options of a command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Synopsis {
    needs: Options,
    takes: Options,
}

/// The groups of commands that share the operators' options.
const OPERATORS: [&str; 4] = ["bill", "payments", "ledger", "nodes"];

/// Returns the short help of a command: one line for each option.
fn help(command: &str) -> String {
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let arguments = command.split(' ').skip(1);
    let output = gateway.args(arguments).arg("-h").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command} -h");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of one part of a help text, such as `Commands:`.
fn part<'a>(help: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let lines = help.lines().skip_while(move |line| *line != title).skip(1);
    lines.take_while(|line| !line.is_empty()).map(str::trim)
}

/// Reads every command that can be run by itself from its help.
fn built() -> BTreeMap<String, Synopsis> {
    let mut found = BTreeMap::new();
    let mut open = vec!["gateway".to_owned()];
    while let Some(command) = open.pop() {
        let help = help(&command);
        let names = part(&help, "Commands:").filter_map(|line| line.split(' ').next());
        let below: Vec<&str> = names.filter(|name| *name != "help").collect();
        open.extend(below.iter().map(|name| format!("{command} {name}")));
        let runs_by_itself = format!("Usage: {command} [OPTIONS]");
        if below.is_empty() || help.contains(&runs_by_itself) {
            found.insert(command, synopsis(&help));
        }
    }
    found
}

fn synopsis(help: &str) -> Synopsis {
    let usage = help.lines().find(|line| line.starts_with("Usage: "));
    let usage = usage.unwrap();
    let mut synopsis = Synopsis::default();
    for option in part(help, "Options:").filter_map(option) {
        let name = option.split(' ').next().unwrap();
        let is_needed = usage.split([' ', '<', '>', '|']).any(|word| word == name);
        if is_needed {
            synopsis.needs.insert(option);
        } else {
            synopsis.takes.insert(option);
        }
    }
    synopsis
}

/// Turns `--limit <LINES>  At most so many [default: 200]` into `--limit LINES (200)`; `None` for `-h, --help`.
fn option(line: &str) -> Option<String> {
    let line = line.strip_prefix("--")?;
    let (option, about) = line.split_once("  ").unwrap_or((line, ""));
    let option = option.replace(['<', '>'], "").replace("...", "");
    let default = about
        .split_once("[default: ")
        .and_then(|(_, rest)| rest.split_once(']'));
    Some(match default {
        Some((default, _)) => format!("--{option} ({default})"),
        None => format!("--{option}"),
    })
}

/// Reads the options of a cell: each in backticks, some with a default in brackets.
fn written_options(cell: &str) -> Options {
    let mut options = Options::new();
    let mut pieces = cell.split('`').skip(1);
    while let (Some(option), Some(behind)) = (pieces.next(), pieces.next()) {
        let default = behind
            .strip_prefix(" (")
            .and_then(|rest| rest.split_once(')'));
        options.insert(match default {
            Some((default, _)) => format!("{option} ({default})"),
            None => option.to_owned(),
        });
    }
    options
}

/// Reads the options that all operators' commands share.
fn shared_options(section: &str) -> Options {
    let rows = rows(section, ["option", "default", "meaning"]);
    let written = rows.iter().map(|[option, default, _]| {
        let option = codes(option).next().unwrap();
        codes(default).next().map_or_else(
            || option.to_owned(),
            |default| format!("{option} ({default})"),
        )
    });
    written.collect()
}

#[test]
fn every_command_has_the_options_of_its_row_and_no_command_is_missing() {
    let page = contract();
    let section = under(&page, "## 5. Command line");
    let shared = shared_options(section);
    let mut written = BTreeMap::new();
    for [command, needs, takes, does] in rows(section, ["command", "needs", "takes", "does"]) {
        let command = codes(command).next().unwrap();
        let group = command.split(' ').nth(1).unwrap();
        let mut synopsis = Synopsis {
            needs: written_options(needs),
            takes: written_options(takes),
        };
        if OPERATORS.contains(&group) {
            synopsis.takes.extend(shared.iter().cloned());
        }
        assert!(!does.is_empty(), "{command}");
        let former = written.insert(command.to_owned(), synopsis);
        assert_eq!(former, None, "{command} twice");
    }
    assert_agree(&written, &built());
}

#[test]
fn a_line_of_help_is_read_as_the_page_writes_it() {
    for (line, written) in [
        ("-h, --help  Print help", None),
        ("--json  Print JSON", Some("--json")),
        (
            "--limit <LINES>       At most so many [default: 200]",
            Some("--limit LINES (200)"),
        ),
    ] {
        assert_eq!(option(line).as_deref(), written, "{line}");
    }
    let cell = "`--biller CODE`, and `--limit LINES` (200) or `--all`";
    let options = ["--biller CODE", "--limit LINES (200)", "--all"];
    assert_eq!(
        written_options(cell),
        options.map(str::to_owned).into_iter().collect()
    );
}
