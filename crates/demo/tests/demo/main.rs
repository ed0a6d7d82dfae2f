//! The program `relay-demo`: its output, its exit codes, and the commands that it prints.
#![allow(missing_docs, clippy::unwrap_used, clippy::missing_panics_doc)]

mod curl;
mod operators;
mod output;

use std::io::BufRead;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-demo"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Returns the folder in the list of parties.
fn folder(lines: &[String]) -> PathBuf {
    let line = lines
        .iter()
        .find(|line| line.contains("ledger and configuration"))
        .unwrap();
    let path = line
        .split_whitespace()
        .find(|word| word.starts_with('/'))
        .unwrap();
    PathBuf::from(path)
}

/// Reads up to a line that contains this text.
fn read_until(out: &mut impl BufRead, wanted: &str) -> Vec<String> {
    let mut lines = Vec::new();
    while lines
        .last()
        .is_none_or(|line: &String| !line.contains(wanted))
    {
        let mut line = String::new();
        assert_ne!(
            out.read_line(&mut line).unwrap(),
            0,
            "ended before `{wanted}`: {lines:#?}"
        );
        lines.push(line.trim_end_matches('\n').to_owned());
    }
    lines
}
