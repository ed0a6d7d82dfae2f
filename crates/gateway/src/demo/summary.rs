//! All calls in one table.

use std::io;
use std::time::Duration;

use super::measure::spelled;
use super::screen::Screen;
use super::step::korean;
use super::take::Take;
use super::text::{Ink, Text};

/// Columns of the table, each with its blanks.
const NUMBER: usize = 4;
const NAME: usize = 40;
const API: usize = 20;
const STATUS: usize = 6;
const CODE: usize = 8;
const TIME: usize = 9;
const UPSTREAM: usize = 10;

/// Shows the table.
pub(super) fn show(screen: &mut Screen<'_>, takes: &[Take]) -> io::Result<()> {
    screen.heading("Summary")?;
    screen.line(
        &Text::new()
            .right(Ink::Faint, "#", NUMBER)
            .blanks(2)
            .left(Ink::Faint, "step", NAME - 2)
            .left(Ink::Faint, "API", API)
            .left(Ink::Faint, "HTTP", STATUS)
            .left(Ink::Faint, "res_code", CODE)
            .right(Ink::Faint, "time", TIME)
            .right(Ink::Faint, "upstream", UPSTREAM),
    )?;
    for (index, take) in takes.iter().enumerate() {
        screen.line(&row(index + 1, take))?;
    }
    screen.blank()
}

fn row(number: usize, take: &Take) -> Text {
    let (status, code, time) = match &take.reply {
        Ok(reply) => (reply.status.to_string(), reply.res_code(), reply.elapsed),
        Err(_) => ("–".to_owned(), "–".to_owned(), Duration::ZERO),
    };
    let code_ink = if code == "OK" {
        Ink::Good
    } else {
        Ink::Notable
    };
    let time_ink = if time >= Duration::from_secs(1) {
        Ink::Bad
    } else {
        Ink::Plain
    };
    let name_ink = if take.is_as_expected() {
        Ink::Plain
    } else {
        Ink::Bad
    };
    let line = Text::new()
        .right(Ink::Faint, &number.to_string(), NUMBER)
        .blanks(2)
        .left(name_ink, take.step.name, NAME - 2)
        .left(Ink::Name, korean(take.step.api()), API)
        .left(Ink::Plain, &status, STATUS)
        .left(code_ink, &code, CODE)
        .right(time_ink, &spelled(time), TIME);
    let line = match take.calls() {
        0 => line.right(Ink::Faint, "–", UPSTREAM),
        1 => line.right(Ink::Plain, "called", UPSTREAM),
        times => line.right(Ink::Bad, &format!("{times} times"), UPSTREAM),
    };
    if take.is_as_expected() {
        line.with(Ink::Good, "  ✓")
    } else {
        line.with(Ink::Bad, "  ✗")
    }
}
