//! Where the demonstration is written: a terminal, or whatever it was piped into.

use std::io::{self, IsTerminal, Write};

use super::text::{Colours, Ink, Text};
use crate::width::width;

/// Columns that are written at most, but for what cannot be broken.
pub(super) const COLUMNS: usize = 100;

/// What everything inside a scene is indented by.
pub(super) const INDENT: usize = 6;

/// Writes lines, in colour or without.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    colours: Colours,
}

impl<'a> Screen<'a> {
    /// Over anything that takes bytes.
    pub(super) fn over(out: &'a mut dyn Write, colours: Colours) -> Self {
        Self { out, colours }
    }

    /// Writes one line.
    pub(super) fn line(&mut self, line: &Text) -> io::Result<()> {
        writeln!(self.out, "{}", line.painted(self.colours))
    }

    /// Writes one line inside a scene.
    pub(super) fn inside(&mut self, line: Text) -> io::Result<()> {
        self.line(&Text::new().blanks(INDENT).then(line))
    }

    /// Writes an empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.line(&Text::new())
    }

    /// Writes the heading of a scene.
    pub(super) fn heading(&mut self, title: &str) -> io::Result<()> {
        let rest = COLUMNS.saturating_sub(width(title) + 4);
        self.line(
            &Text::of(Ink::Faint, "── ")
                .with(Ink::Strong, title)
                .with(Ink::Faint, &format!(" {}", "─".repeat(rest))),
        )?;
        self.blank()
    }

    /// Shows what was written so far.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Colours for a terminal that has them and whose user did not ask for none (no-color.org).
pub(super) fn colours_of_standard_output() -> Colours {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb {
        Colours::On
    } else {
        Colours::Off
    }
}
