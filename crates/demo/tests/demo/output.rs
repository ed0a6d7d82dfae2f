//! What is printed, and how the program ends.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use unicode_width::UnicodeWidthStr as _;

use crate::{demo, folder, read_until, signal, text};

/// The codes that the gateway answers itself.
const OWN_CODES: [&str; 16] = [
    "E001", "E003", "E005", "E006", "E007", "E101", "E403", "E801", "E806", "E807", "E808", "E809",
    "E811", "E812", "E817", "E818",
];

#[test]
fn every_code_of_the_gateway_is_shown_and_all_calls_go_as_expected() {
    let Output {
        status,
        stdout,
        stderr,
    } = demo().output().unwrap();
    let out = text(&stdout);
    assert!(status.success(), "{out}");
    assert_eq!(text(&stderr), "");
    for code in OWN_CODES {
        assert!(out.contains(code), "{code} in {out}");
    }
    for api in [
        "link_create",
        "link_recreate",
        "notice",
        "prepay",
        "pay_result",
    ] {
        assert!(out.contains(api), "{api} in {out}");
    }
    for detail in [
        "KEY_VALUE",
        "TEXT",
        "TABLE",
        "GRAPH",
        "X-Relay-Replayed: true",
    ] {
        assert!(out.contains(detail), "{detail} in {out}");
    }
    assert!(
        out.contains("all as expected") && !out.contains('✗'),
        "{out}"
    );
    let lines: Vec<_> = out.lines().map(str::to_owned).collect();
    assert!(!folder(&lines).exists());
}

#[test]
fn a_pipe_gets_text_without_escapes_or_trailing_spaces() {
    let out = demo()
        .env("TERM", "xterm-256color")
        .output()
        .unwrap()
        .stdout;
    let is_control = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text(&out).contains(is_control));
    assert!(text(&out).lines().all(|line| line == line.trim_end()));
}

#[test]
fn a_closed_output_ends_it_without_a_panic() {
    let mut child = demo().spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let folder = folder(&read_until(&mut out, "ledger and configuration"));
    drop(out);
    let output = child.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("output was closed") && !error.contains("panicked"));
    assert!(!folder.exists());
}

#[test]
fn a_signal_ends_it_and_its_folder_is_removed() {
    let mut child = demo().spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let folder = folder(&read_until(&mut out, "ledger and configuration"));
    signal(&child, "INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("Summary"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!folder.exists());
}

/// Returns the lines without what sets colours.
fn plain(lines: &[String]) -> Vec<String> {
    let without = |line: &String| {
        let mut pieces = line.split("\u{1b}[");
        let first = pieces.next().unwrap_or_default().to_owned();
        let rest = pieces.map(|piece| piece.split_once('m').unwrap().1);
        first + &rest.collect::<String>()
    };
    lines.iter().map(without).collect()
}

#[test]
fn every_line_fits_into_a_terminal_of_80_columns() {
    let program = env!("CARGO_BIN_EXE_relay-demo");
    let in_terminal = format!("stty cols 80 rows 24 && exec '{program}' --keep-running");
    let mut script = Command::new("script");
    script.args(["-qec", &in_terminal, "/dev/null"]);
    script.env("TERM", "xterm-256color").env("TMPDIR", "/tmp");
    script.env_remove("NO_COLOR");
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let lines = read_until(&mut out, "Ctrl-C");
    assert!(
        lines.iter().any(|line| line.contains('\u{1b}')),
        "it was a terminal"
    );
    let lines = plain(&lines);
    for heading in [
        "Payment of a bill",
        "Summary",
        "A day's data",
        "Operators' commands",
    ] {
        let is_there = |line: &String| line.starts_with(&format!("── {heading} ─"));
        assert!(lines.iter().any(is_there), "{heading} in {lines:#?}");
    }
    // Only the path of a program that is built elsewhere may be longer.
    let built = Path::new(program).parent().unwrap().to_str().unwrap();
    for line in lines.iter().filter(|line| !line.contains(built)) {
        let line = line.trim_end_matches('\r');
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
    // Ctrl-C, as a person ends it.
    child.stdin.take().unwrap().write_all(b"\x03").unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(!folder(&lines).exists());
}
