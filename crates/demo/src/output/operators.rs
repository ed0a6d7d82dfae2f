//! The operators' commands against the running gateway.

use std::env;
use std::io;

use super::line::{Line, Style};
use super::terminal::Terminal;
use crate::day::{Day, Undelivered};
use crate::environment::Environment;

/// What runs the program `gateway` in a checkout, if it is not built beside this one.
const FROM_SOURCE: &str = "cargo run --quiet --release --bin gateway --";

/// Shows commands that a shell runs as they are, one by one or all at once.
pub(crate) fn show_operators_commands(
    terminal: &mut Terminal,
    environment: &Environment,
    day: &Day,
) -> io::Result<()> {
    terminal.heading("Operators' commands")?;
    for line in lines(environment, day) {
        let style = if line.starts_with('#') {
            Style::Dim
        } else {
            Style::Plain
        };
        let indent = if line.is_empty() { 0 } else { 2 };
        terminal.line(&Line::new().spaces(indent).with(style, &line))?;
    }
    terminal.blank()?;
    terminal.flush()
}

/// Shows how to end the demonstration.
pub(crate) fn show_end(terminal: &mut Terminal, environment: &Environment) -> io::Result<()> {
    let folder = environment.folder().display();
    let effect = format!(" (or SIGTERM) ends the demo and removes {folder}.");
    terminal.line(&Line::of(Style::Bold, "  Ctrl-C").with(Style::Dim, &effect))?;
    terminal.flush()
}

fn lines(environment: &Environment, day: &Day) -> Vec<String> {
    let mut lines = vec![
        "# once in each terminal; then the commands are those of docs/operations.md".to_owned(),
        format!("export GATEWAY_ADMIN_TOKEN={}", environment.token),
        "gateway() {".to_owned(),
        format!("  {} \"$@\" \\", program()),
        format!("    --config {}", environment.main_file().display()),
        "}".to_owned(),
    ];
    let mut command = |about: &str, parts: &[&str]| {
        lines.extend([String::new(), format!("# {about}"), parts.join(" \\\n    ")]);
    };
    command(
        "the pay-results that were not accepted",
        &["gateway payments list"],
    );
    if let Some(one) = day.undelivered.first() {
        let Undelivered {
            biller,
            user_key,
            pay_id,
        } = one;
        let bill = format!(
            "--biller {biller} --user-key {user_key} --month {}",
            day.month
        );
        let of_bill = |verb: &str| format!("gateway bill {verb} {bill}");
        command(
            "the bill of the oldest one: what happened to it",
            &[&of_bill("show")],
        );
        let redeliver = format!("gateway payments redeliver --biller {biller} --pay-id {pay_id}");
        command(
            "deliver it again: its institution is well now",
            &[&redeliver],
        );
        command(
            "make it an error bill, and clear that",
            &[&of_bill("classify"), "--reason \"paid twice?\""],
        );
        command(
            "its link, notice and prepay were E817; now they are as before",
            &[&of_bill("clear"), "--reason \"paid once\""],
        );
    }
    command(
        "the journal, and the state against it",
        &["gateway ledger verify"],
    );
    lines
        .iter()
        .flat_map(|line| line.split('\n'))
        .map(str::to_owned)
        .collect()
}

/// Returns what runs the program `gateway`: the one that was built beside this one, else one that is built now.
fn program() -> String {
    let beside = env::current_exe().map(|own| own.with_file_name("gateway"));
    match beside {
        Ok(gateway) if gateway.is_file() => format!("'{}'", gateway.display()),
        _ => FROM_SOURCE.to_owned(),
    }
}
