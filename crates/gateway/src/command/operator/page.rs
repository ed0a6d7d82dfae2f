//! The text that a command prints.

use super::table::Table;
use super::terminal::harmless;

/// Lines of text. Control characters and invisible ones are replaced, so that data cannot control the terminal.
#[derive(Clone, Debug, Default)]
pub(in crate::command) struct Page(String);

impl Page {
    pub(in crate::command) fn new() -> Self {
        Self::default()
    }

    /// Appends a line.
    pub(in crate::command) fn line(&mut self, text: &str) {
        self.0.push_str(&harmless(text));
        self.0.push('\n');
    }

    /// Appends an empty line, except at the top.
    pub(in crate::command) fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    /// Appends a table, indented.
    pub(in crate::command) fn indented(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(&format!("  {line}"));
        }
    }

    /// Appends a table.
    pub(in crate::command) fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(&line);
        }
    }

    /// Returns the text.
    pub(in crate::command) fn as_text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_data_are_replaced() {
        let mut page = Page::new();
        page.gap();
        page.line("a\u{1b}[2Jb\nc\u{202e}");
        assert_eq!(page.as_text(), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\n");
    }
}
