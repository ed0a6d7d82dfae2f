//! A table of a file, read key by key. Reading continues after a fault.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::NamedFile;
use super::document::Document;
use super::spelling;
use super::value;

/// A table and the keys that were read from it. [`Section::finish`] reports all other keys.
pub(in crate::config) struct Section<'a> {
    document: &'a Document<'a>,
    prefix: String,
    table: Option<&'a DeTable<'a>>,
    known_keys: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Returns the root table of a file.
    pub(in crate::config) fn root(document: &'a Document<'a>) -> Self {
        Self::new(document, String::new(), Some(document.tables()))
    }

    /// Returns a table. `prefix` is empty or ends with a dot; `None` reads as an empty table.
    fn new(document: &'a Document<'a>, prefix: String, table: Option<&'a DeTable<'a>>) -> Self {
        Self {
            document,
            prefix,
            table,
            known_keys: Vec::new(),
        }
    }

    /// Returns the table's file.
    pub(in crate::config) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Returns a key's value; `None` if it is absent, or faulty, which adds a fault.
    pub(in crate::config) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        self.known_keys.push(key);
        let entry = self.entry(key)?;
        match read(entry.get_ref()) {
            Ok(value) => Some(value),
            Err(message) => {
                self.fault(key, message);
                None
            }
        }
    }

    /// Returns a key's value, or the default if it is absent or faulty.
    pub(in crate::config) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// Returns a key's value; its absence is a fault.
    pub(in crate::config) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.fault(key, "is missing and has no default");
        }
        self.optional(key, read)
    }

    /// Returns at most `most` values of an array; none if it is absent. Every faulty entry adds a fault.
    pub(in crate::config) fn list<T>(
        &mut self,
        key: &'static str,
        most: usize,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Vec<T> {
        self.known_keys.push(key);
        let Some(entry) = self.entry(key) else {
            return Vec::new();
        };
        let DeValue::Array(entries) = entry.get_ref() else {
            self.fault(key, value::wrong_kind("an array", entry.get_ref()));
            return Vec::new();
        };
        if entries.len() > most {
            let message = format!("must have at most {most} entries, not {}", entries.len());
            self.fault(key, message);
        }
        let mut values = Vec::new();
        for (index, entry) in entries.iter().take(most).enumerate() {
            match read(entry.get_ref()) {
                Ok(value) => values.push(value),
                Err(message) => {
                    let message = format!("entry {}: {message}", index + 1);
                    let key = self.dotted(key);
                    self.document.fault(&key, Some(entry.span().start), message);
                }
            }
        }
        values
    }

    /// Returns a table within this one; an empty table if it is absent.
    pub(in crate::config) fn table(&mut self, key: &'static str) -> Section<'a> {
        let prefix = format!("{}.", self.dotted(key));
        self.optional_table(key)
            .unwrap_or_else(|| Section::new(self.document, prefix, None))
    }

    /// Returns a table within this one; `None` if it is absent.
    pub(in crate::config) fn optional_table(&mut self, key: &'static str) -> Option<Section<'a>> {
        self.known_keys.push(key);
        let prefix = format!("{}.", self.dotted(key));
        match self.entry(key)?.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.document, prefix, Some(table))),
            other => {
                self.fault(key, value::wrong_kind("a table", other));
                None
            }
        }
    }

    /// Allows a key that is read elsewhere.
    pub(in crate::config) fn allow(&mut self, key: &'static str) {
        self.known_keys.push(key);
    }

    /// Returns whether the file contains the key.
    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Adds a fault of a key of this table.
    pub(in crate::config) fn fault(&self, key: &str, message: impl Into<String>) {
        self.document
            .fault(&self.dotted(key), self.offset(key), message);
    }

    /// Adds a warning of a key of this table.
    pub(in crate::config) fn warn(&self, key: &str, message: impl Into<String>) {
        self.document
            .warn(&self.dotted(key), self.offset(key), message);
    }

    /// Returns the file that a key of this table names, with the key's place.
    pub(in crate::config) fn named_file(
        &self,
        key: &str,
        path: Option<&PathBuf>,
    ) -> Option<NamedFile> {
        Some(NamedFile {
            place: self
                .document
                .diagnostic(&self.dotted(key), self.offset(key), ""),
            path: path?.clone(),
        })
    }

    /// Adds a fault for every key that was neither read nor allowed.
    pub(in crate::config) fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if self.known_keys.contains(&name) {
                continue;
            }
            let message = match spelling::nearest(name, &self.known_keys) {
                Some(nearest) => format!("unknown key; did you mean `{nearest}`?"),
                None => format!("unknown key; known here: {}", self.known_keys.join(", ")),
            };
            let offset = key.span().start;
            let key = format!("{}{}", self.prefix, spelling::excerpt(name));
            self.document.fault(&key, Some(offset), message);
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
