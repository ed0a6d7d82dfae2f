//! One line of output: pieces of text, each with its style.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The style of a piece of text where colours are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The terminal's default.
    Plain,
    /// Less visible than the rest.
    Dim,
    /// More visible than the rest.
    Bold,
    /// A name that comes more than once.
    Name,
    /// A success.
    Success,
    /// A refusal, its reason, or a call that took half of the budget.
    Highlight,
    /// A failure.
    Failure,
}

impl Style {
    /// Returns the parameters of its escape sequence (ECMA-48, SGR).
    const fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Name => "36",
            Self::Success => "32",
            Self::Highlight => "33",
            Self::Failure => "1;31",
        }
    }
}

/// Whether styles are written as escape sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// They are.
    On,
    /// Only the text is written.
    Off,
}

/// A line without its line end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Style, String)>);

impl Line {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    pub(super) fn of(style: Style, text: &str) -> Self {
        Self::new().with(style, text)
    }

    /// Adds a piece. A control character, which could move the cursor, becomes a replacement character.
    #[must_use]
    pub(super) fn with(mut self, style: Style, text: &str) -> Self {
        if !text.is_empty() {
            let text = text.replace(char::is_control, "\u{fffd}");
            self.0.push((style, text));
        }
        self
    }

    /// Adds a piece in the plain style.
    #[must_use]
    pub(super) fn plain(self, text: &str) -> Self {
        self.with(Style::Plain, text)
    }

    /// Adds a piece and spaces after it until both have this width.
    #[must_use]
    pub(super) fn left(self, style: Style, text: &str, columns: usize) -> Self {
        self.with(style, text)
            .spaces(columns.saturating_sub(text.width()))
    }

    /// Adds a piece and spaces before it until both have this width.
    #[must_use]
    pub(super) fn right(self, style: Style, text: &str, columns: usize) -> Self {
        self.spaces(columns.saturating_sub(text.width()))
            .with(style, text)
    }

    /// Adds spaces.
    #[must_use]
    pub(super) fn spaces(self, columns: usize) -> Self {
        self.plain(&" ".repeat(columns))
    }

    /// Adds spaces until the line has this width.
    #[must_use]
    pub(super) fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.spaces(missing)
    }

    /// Adds the pieces of another line.
    #[must_use]
    pub(super) fn append(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns the width in columns.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Returns the line as it is written, without spaces at its end.
    pub(super) fn render(&self, colours: Colours) -> String {
        let mut line = String::new();
        for (style, text) in &self.0 {
            if colours == Colours::Off || style.sgr().is_empty() {
                line.push_str(text);
            } else {
                line.extend(["\x1b[", style.sgr(), "m", text, "\x1b[0m"]);
            }
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

/// Returns the text, or as much of its beginning as fits into the columns with an ellipsis after it.
pub(super) fn truncated(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut width = 1;
    let kept = text.chars().take_while(|letter| {
        width += letter.width().unwrap_or(1);
        width <= columns
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_written_only_where_colours_are_on() {
        let line = Line::of(Style::Success, "OK").plain(" 성공").spaces(3);
        assert_eq!(line.render(Colours::Off), "OK 성공");
        assert_eq!(line.render(Colours::On), "\x1b[32mOK\x1b[0m 성공");
    }

    #[test]
    fn columns_are_aligned_with_korean_text() {
        for name in ["prepay", "납부 가능 조회", ""] {
            let line = Line::new()
                .left(Style::Plain, name, 16)
                .right(Style::Plain, "3 ms", 8);
            assert_eq!(line.width(), 24, "{name}");
        }
        assert_eq!(Line::of(Style::Plain, "청구서").padded(10).width(), 10);
    }

    #[test]
    fn an_answer_cannot_move_the_cursor() {
        let line = Line::of(Style::Plain, "a\x1b[2Jb\r\n");
        assert_eq!(line.render(Colours::Off), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_truncated_text_fits() {
        for (text, columns, expected) in [
            ("청구서", 6, "청구서"),
            ("청구서", 5, "청구…"),
            ("청구서", 4, "청…"),
            ("abc", 2, "a…"),
            ("abc", 1, "…"),
        ] {
            assert_eq!(truncated(text, columns), expected);
            assert!(expected.width() <= columns);
        }
    }
}
