//! Standard output: a terminal, a file or a pipe.

use std::io::{self, ErrorKind, IsTerminal, StdoutLock, Write};

use unicode_width::UnicodeWidthStr as _;

use super::line::{Colours, Line, Style};

/// The columns of the widest line, except for words that cannot be broken: those of a terminal that nobody has resized.
pub(super) const COLUMNS: usize = 80;

/// The columns that the lines of an exchange are indented by.
pub(super) const INDENT: usize = 6;

/// Writes lines to standard output.
#[derive(Debug)]
pub(crate) struct Terminal {
    out: StdoutLock<'static>,
    colours: Colours,
}

impl Terminal {
    /// Locks standard output. Colours are on in a terminal that has them, unless `NO_COLOR` is set
    /// (no-color.org).
    pub(crate) fn standard_output() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let out = io::stdout().lock();
        let colours = if out.is_terminal() && !is_set("NO_COLOR") && !is_dumb {
            Colours::On
        } else {
            Colours::Off
        };
        Self { out, colours }
    }

    /// Writes one line.
    pub(super) fn line(&mut self, line: &Line) -> io::Result<()> {
        writeln!(self.out, "{}", line.render(self.colours)).map_err(explained)
    }

    /// Writes one line of an exchange.
    pub(super) fn indented(&mut self, line: Line) -> io::Result<()> {
        self.line(&Line::new().spaces(INDENT).append(line))
    }

    /// Writes an empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.line(&Line::new())
    }

    /// Writes the heading of a section.
    pub(crate) fn heading(&mut self, title: &str) -> io::Result<()> {
        let rest = COLUMNS.saturating_sub(title.width() + 4);
        self.line(
            &Line::of(Style::Dim, "── ")
                .with(Style::Bold, title)
                .with(Style::Dim, &format!(" {}", "─".repeat(rest))),
        )?;
        self.blank()
    }

    /// Writes out what is buffered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(explained)
    }
}

fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ ErrorKind::BrokenPipe => {
            io::Error::new(kind, "the output was closed before the demo had ended")
        }
        _ => error,
    }
}
