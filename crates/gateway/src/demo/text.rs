//! A line for the terminal: pieces of text, each in its ink.

use crate::width::width;

/// How a piece of text is shown where there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// As the terminal writes.
    Plain,
    /// Less than the rest.
    Faint,
    /// More than the rest.
    Strong,
    /// A name that the reader meets again.
    Name,
    /// Went well.
    Good,
    /// Was refused, as it should be.
    Notable,
    /// Failed.
    Bad,
}

impl Ink {
    /// The parameters of the escape sequence that begins it (ECMA-48, SGR).
    const fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Faint => "2",
            Self::Strong => "1",
            Self::Name => "36",
            Self::Good => "32",
            Self::Notable => "33",
            Self::Bad => "1;31",
        }
    }
}

/// Whether inks become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// Escape sequences for a terminal.
    On,
    /// Nothing but text.
    Off,
}

/// One line, without its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<(Ink, String)>);

impl Text {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    pub(super) fn of(ink: Ink, text: &str) -> Self {
        Self::new().with(ink, text)
    }

    /// With one more piece. What would move the cursor is shown as a replacement character.
    #[must_use]
    pub(super) fn with(mut self, ink: Ink, text: &str) -> Self {
        let harmless = |letter: char| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        };
        if !text.is_empty() {
            self.0.push((ink, text.chars().map(harmless).collect()));
        }
        self
    }

    /// With one more piece in its own ink.
    #[must_use]
    pub(super) fn plain(self, text: &str) -> Self {
        self.with(Ink::Plain, text)
    }

    /// With one more piece that takes so many columns, blanks after it.
    #[must_use]
    pub(super) fn left(self, ink: Ink, text: &str, columns: usize) -> Self {
        self.with(ink, text)
            .blanks(columns.saturating_sub(width(text)))
    }

    /// With one more piece that takes so many columns, blanks before it.
    #[must_use]
    pub(super) fn right(self, ink: Ink, text: &str, columns: usize) -> Self {
        self.blanks(columns.saturating_sub(width(text)))
            .with(ink, text)
    }

    /// With so many blanks.
    #[must_use]
    pub(super) fn blanks(self, columns: usize) -> Self {
        self.plain(&" ".repeat(columns))
    }

    /// With blanks until it takes so many columns.
    #[must_use]
    pub(super) fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.blanks(missing)
    }

    /// Followed by another line's pieces.
    #[must_use]
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }

    /// As it is written: without blanks at the end, and each ink ended where it ends.
    pub(super) fn painted(&self, colours: Colours) -> String {
        let mut line = String::new();
        for (ink, text) in &self.0 {
            if colours == Colours::Off || ink.sgr().is_empty() {
                line.push_str(text);
            } else {
                line.extend(["\x1b[", ink.sgr(), "m", text, "\x1b[0m"]);
            }
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_are_colours_only_where_there_is_colour() {
        let line = Text::of(Ink::Good, "OK").plain(" 성공").blanks(3);
        assert_eq!(line.painted(Colours::Off), "OK 성공");
        assert_eq!(line.painted(Colours::On), "\x1b[32mOK\x1b[0m 성공");
    }

    #[test]
    fn columns_stay_aligned_beside_korean() {
        for name in ["prepay", "납부 가능 조회", ""] {
            let line = Text::new()
                .left(Ink::Plain, name, 16)
                .right(Ink::Plain, "3 ms", 8);
            assert_eq!(line.width(), 24, "{name}");
        }
        assert_eq!(Text::of(Ink::Plain, "청구서").padded(10).width(), 10);
    }

    #[test]
    fn an_answer_cannot_move_the_cursor() {
        let line = Text::of(Ink::Plain, "a\x1b[2Jb\r\n");
        assert_eq!(line.painted(Colours::Off), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }
}
