//! A table of all exchanges, and whether they went as expected.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::exchange::code_style;
use super::figures::duration;
use super::line::{Line, Style};
use super::terminal::{COLUMNS, Terminal};
use super::wrap::wrap_words;
use crate::exchange::Exchange;
use crate::scenario::{AnswerSource, korean_name};

/// Widths of the table's columns, with their spaces.
const NUMBER: usize = 3;
const NAME: usize = 29;
const API: usize = 19;
const STATUS: usize = 5;
const CODE: usize = 5;
const TIME: usize = 8;
const UPSTREAM: usize = 6;

/// Shows the table and the result. `calls` are those of the upstream.
pub(crate) fn show_summary(terminal: &mut Terminal, exchanges: &[Exchange]) -> io::Result<()> {
    terminal.heading("Summary")?;
    terminal.line(
        &Line::new()
            .right(Style::Dim, "#", NUMBER)
            .spaces(2)
            .left(Style::Dim, "step", NAME)
            .left(Style::Dim, "API", API)
            .left(Style::Dim, "HTTP", STATUS)
            .left(Style::Dim, "code", CODE)
            .right(Style::Dim, "time", TIME)
            .right(Style::Dim, "calls", UPSTREAM),
    )?;
    for (index, exchange) in exchanges.iter().enumerate() {
        terminal.line(&row(index + 1, exchange))?;
    }
    terminal.blank()?;
    show_result(terminal, exchanges)?;
    terminal.blank()?;
    terminal.flush()
}

/// Shows how to keep everything running.
pub(crate) fn show_keep_running(terminal: &mut Terminal) -> io::Result<()> {
    let hint = "  With --keep-running everything stays up, with a day's data and commands to try.";
    terminal.line(&Line::of(Style::Dim, hint))?;
    terminal.blank()?;
    terminal.flush()
}

fn row(number: usize, exchange: &Exchange) -> Line {
    let (status, code, time) = match &exchange.reply {
        Ok(reply) => (reply.status.to_string(), reply.res_code(), reply.elapsed),
        Err(_) => ("–".to_owned(), "–".to_owned(), Duration::ZERO),
    };
    let time_style = if time >= Duration::from_secs(1) {
        Style::Failure
    } else {
        Style::Plain
    };
    let (name_style, mark) = if exchange.is_as_expected() {
        (Style::Plain, Line::of(Style::Success, "  ✓"))
    } else {
        (Style::Failure, Line::of(Style::Failure, "  ✗"))
    };
    let (calls_style, calls) = match exchange.calls() {
        0 => (Style::Dim, "–".to_owned()),
        1 => (Style::Plain, "1".to_owned()),
        calls => (Style::Failure, calls.to_string()),
    };
    Line::new()
        .right(Style::Dim, &number.to_string(), NUMBER)
        .spaces(2)
        .left(name_style, exchange.step.name, NAME)
        .left(Style::Name, korean_name(exchange.step.api()), API)
        .left(Style::Plain, &status, STATUS)
        .left(code_style(&code), &code, CODE)
        .right(time_style, &duration(time), TIME)
        .right(calls_style, &calls, UPSTREAM)
        .append(mark)
}

fn show_result(terminal: &mut Terminal, exchanges: &[Exchange]) -> io::Result<()> {
    let unexpected: Vec<_> = (1..)
        .zip(exchanges)
        .filter(|(_, exchange)| !exchange.is_as_expected())
        .map(|(number, _): (usize, _)| number.to_string())
        .collect();
    let total = exchanges.len();
    if !unexpected.is_empty() {
        let count = unexpected.len();
        let text = format!("{count} of {total} calls did not go as expected: ");
        let line = Line::of(Style::Failure, "  ✗ ").with(Style::Bold, &text);
        return terminal.line(&line.plain(&unexpected.join(", ")));
    }
    let text = format!("{total} calls, all as expected.");
    terminal.line(&Line::of(Style::Success, "  ✓ ").with(Style::Bold, &text))?;
    let own = own_codes(exchanges);
    let text = format!("    The gateway answered {} codes itself:", own.len());
    terminal.line(&Line::of(Style::Dim, &text))?;
    let codes = own.into_iter().collect::<Vec<_>>().join(" ");
    for line in wrap_words(&codes, COLUMNS - 4) {
        terminal.line(&Line::new().spaces(4).with(Style::Highlight, &line))?;
    }
    Ok(())
}

/// Returns the codes that the gateway answered itself.
fn own_codes(exchanges: &[Exchange]) -> BTreeSet<&'static str> {
    exchanges
        .iter()
        .map(|exchange| exchange.step.expected)
        .filter(|expected| expected.source == AnswerSource::Gateway)
        .map(|expected| expected.code.code())
        .collect()
}
