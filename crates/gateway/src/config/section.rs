//! One table of a file, read key by key: a fault is noted and the reading goes on.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::spelling;
use super::value;

/// A table and the keys that were asked of it; [`Section::finish`] tells of the others.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    prefix: String,
    table: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Returns the root table of a file.
    pub(super) fn root(document: &'a Document<'a>) -> Self {
        Self::new(document, String::new(), Some(document.tables()))
    }

    /// Returns a table under `prefix`, which ends with its dot; `None` reads as an empty table.
    fn new(document: &'a Document<'a>, prefix: String, table: Option<&'a DeTable<'a>>) -> Self {
        Self {
            document,
            prefix,
            table,
            known: Vec::new(),
        }
    }

    /// The file that the table stands in.
    pub(super) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// A key's value; `None` when absent, or faulty (which is noted).
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(key);
        let entry = self.entry(key)?;
        match read(entry.get_ref()) {
            Ok(value) => Some(value),
            Err(what) => {
                self.fault(key, what);
                None
            }
        }
    }

    /// A key's value, or the default when absent or faulty.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// A key's value; its absence is a fault.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.fault(key, "is missing and has no default");
        }
        self.optional(key, read)
    }

    /// An array's values, at most `most`; empty when absent. Every faulty entry is noted.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        most: usize,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Vec<T> {
        self.known.push(key);
        let Some(entry) = self.entry(key) else {
            return Vec::new();
        };
        let DeValue::Array(entries) = entry.get_ref() else {
            self.fault(key, value::wrong_kind("an array", entry.get_ref()));
            return Vec::new();
        };
        if entries.len() > most {
            let what = format!("must have at most {most} entries, not {}", entries.len());
            self.fault(key, what);
        }
        let mut values = Vec::new();
        for (index, entry) in entries.iter().take(most).enumerate() {
            match read(entry.get_ref()) {
                Ok(value) => values.push(value),
                Err(what) => {
                    let what = format!("entry {}: {what}", index + 1);
                    let key = self.dotted(key);
                    self.document.fault(&key, Some(entry.span().start), what);
                }
            }
        }
        values
    }

    /// A table within this one; absent reads as empty.
    pub(super) fn table(&mut self, key: &'static str) -> Section<'a> {
        let prefix = format!("{}.", self.dotted(key));
        self.optional_table(key)
            .unwrap_or_else(|| Section::new(self.document, prefix, None))
    }

    /// A table within this one, when it is there.
    pub(super) fn optional_table(&mut self, key: &'static str) -> Option<Section<'a>> {
        self.known.push(key);
        let prefix = format!("{}.", self.dotted(key));
        match self.entry(key)?.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.document, prefix, Some(table))),
            other => {
                self.fault(key, value::wrong_kind("a table", other));
                None
            }
        }
    }

    /// Counts a key as known that is read elsewhere.
    pub(super) fn knows(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Whether the key is written in the file.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Notes a fault at a key of this table.
    pub(super) fn fault(&self, key: &str, what: impl Into<String>) {
        self.document
            .fault(&self.dotted(key), self.offset(key), what);
    }

    /// Notes a warning at a key of this table.
    pub(super) fn warn(&self, key: &str, what: impl Into<String>) {
        self.document
            .warn(&self.dotted(key), self.offset(key), what);
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let what = match spelling::nearest(name, &self.known) {
                Some(nearest) => format!("unknown key; did you mean `{nearest}`?"),
                None => format!("unknown key; known here: {}", self.known.join(", ")),
            };
            let offset = key.span().start;
            let key = format!("{}{}", self.prefix, spelling::printable(name));
            self.document.fault(&key, Some(offset), what);
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table?.get(key)
    }

    fn offset(&self, key: &str) -> Option<usize> {
        self.entry(key).map(|entry| entry.span().start)
    }

    fn dotted(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}
