//! What the day's data has.

use std::io;

use super::figures::grouped;
use super::line::{Line, Style};
use super::terminal::Terminal;
use crate::day::Day;
use crate::environment::Environment;
use crate::institution::OTHERS;

/// Shows what the day's data has, and where the console and its token are.
pub(crate) fn show_day(
    terminal: &mut Terminal,
    environment: &Environment,
    day: &Day,
) -> io::Result<()> {
    let institutions = OTHERS.len() + 1;
    let codes: Vec<_> = OTHERS.iter().map(|other| other.code).collect();
    let ops = environment.gateway.ops;
    terminal.heading("A day's data")?;
    for line in [
        format!(
            "Since midnight in Korea, at {institutions} institutions ({} too):",
            codes.join(" and ")
        ),
        format!(
            "{} bills, {} payments of {} won in all, {} cancels.",
            day.bills,
            day.payments,
            grouped(day.won),
            day.cancels
        ),
        format!(
            "{} pay-results were not accepted, {} broke a rule, {} call was late.",
            day.undelivered.len(),
            day.refused,
            day.late
        ),
    ] {
        terminal.line(&Line::of(Style::Plain, &format!("  {line}")))?;
    }
    terminal.blank()?;
    for (name, value) in [
        ("console", format!("http://{ops}/")),
        ("admin token", environment.token.clone()),
    ] {
        let line = Line::new().spaces(2).left(Style::Plain, name, 13);
        terminal.line(&line.with(Style::Name, &value))?;
    }
    terminal.blank()?;
    terminal.flush()
}
