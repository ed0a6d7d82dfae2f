//! The text that a command prints.

use super::table::Table;

/// Lines for a person to read. What could steer the terminal is shown as a replacement character.
#[derive(Clone, Debug, Default)]
pub(in crate::command) struct Page(String);

impl Page {
    pub(in crate::command) fn new() -> Self {
        Self::default()
    }

    /// One line.
    pub(in crate::command) fn line(&mut self, text: &str) {
        let harmless = |letter: char| {
            if letter.is_control() || is_invisible(letter) {
                '\u{fffd}'
            } else {
                letter
            }
        };
        self.0.extend(text.chars().map(harmless));
        self.0.push('\n');
    }

    /// An empty line, but not at the top.
    pub(in crate::command) fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    /// A table under a heading of the page, indented.
    pub(in crate::command) fn indented(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(&format!("  {line}"));
        }
    }

    /// A table from the margin on.
    pub(in crate::command) fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(&line);
        }
    }

    /// The text as it is printed.
    pub(in crate::command) fn as_text(&self) -> &str {
        &self.0
    }
}

/// Marks that change the direction or the visibility of text.
const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_came_from_outside_steers_the_terminal() {
        let mut page = Page::new();
        page.gap();
        page.line("a\u{1b}[2Jb\nc\u{202e}");
        assert_eq!(page.as_text(), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\n");
    }
}
