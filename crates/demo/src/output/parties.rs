//! The parties and their addresses.

use std::io;

use super::line::{Line, Style};
use super::terminal::Terminal;
use crate::environment::Environment;
use crate::scenario::BILLER;

/// The columns of a party's name.
const NAME: usize = 26;

/// Shows the parties.
pub(crate) fn show_parties(terminal: &mut Terminal, environment: &Environment) -> io::Result<()> {
    let (kakao, biller) = (environment.kakao.base_url(), environment.biller.base_url());
    let gateway = format!("http://{}", environment.gateway.public);
    let ops = format!("http://{}", environment.gateway.ops);
    let folder = format!("{} (removed at the end)", environment.folder().display());
    terminal.blank()?;
    terminal.line(&Line::of(Style::Bold, "relay-demo").with(
        Style::Dim,
        "  a bill between a biller, this gateway and Kakao Pay, all on loopback",
    ))?;
    terminal.blank()?;
    for (letter, name, place) in [
        ("B", &*format!("biller {BILLER}, simulated"), &biller),
        ("A", "agency: this gateway", &gateway),
        ("K", "Kakao Pay, simulated", &kakao),
        (" ", "console, metrics, health", &ops),
        (" ", "ledger and configuration", &folder),
    ] {
        terminal.line(
            &Line::new()
                .spaces(2)
                .with(Style::Bold, letter)
                .spaces(2)
                .left(Style::Plain, name, NAME)
                .with(Style::Dim, place),
        )?;
    }
    terminal.blank()?;
    terminal.flush()
}
