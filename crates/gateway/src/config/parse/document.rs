//! A TOML file: its text, its tables and its diagnostics.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use zeroize::Zeroizing;

use super::bounds;
use super::diagnostics::{Diagnostic, Diagnostics, Places, TlsTable};
use super::spelling;

/// The text of a file. Dropping it overwrites its memory, because it may contain a password.
pub(in crate::config) struct Source {
    path: PathBuf,
    text: Zeroizing<String>,
    /// Whether others than the owner may read the file.
    readable_by_others: bool,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is larger than [`bounds::FILE_BYTES`], or is not UTF-8.
    pub(in crate::config) fn read(path: &Path) -> Result<Self, Diagnostic> {
        let fault = |line, message: String| Diagnostic::new(path, "", line, message);
        let mut bytes = Zeroizing::new(Vec::new());
        let readable_by_others = File::open(path)
            .and_then(|file| {
                let mode = file.metadata()?.permissions().mode();
                file.take(bounds::FILE_BYTES + 1).read_to_end(&mut bytes)?;
                Ok(mode & 0o077 != 0)
            })
            .map_err(|error| fault(None, format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > bounds::FILE_BYTES {
            let message = format!("is larger than {} bytes", bounds::FILE_BYTES);
            return Err(fault(None, message));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = line_starts(&bytes[..error.valid_up_to()]).len();
            fault(Some(line), "is not UTF-8".to_owned())
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            text: Zeroizing::new(text.to_owned()),
            readable_by_others,
        })
    }
}

/// A parsed file, which collects its diagnostics.
pub(in crate::config) struct Document<'a> {
    source: &'a Source,
    line_starts: Vec<usize>,
    tables: DeTable<'a>,
    is_well_formed: bool,
    diagnostics: RefCell<Diagnostics>,
}

impl<'a> Document<'a> {
    /// Parses the text and adds its syntax faults. With syntax faults the tables are incomplete.
    pub(in crate::config) fn parse(source: &'a Source) -> Self {
        let (tables, errors) = DeTable::parse_recoverable(&source.text);
        let document = Self {
            source,
            line_starts: line_starts(source.text.as_bytes()),
            tables: tables.into_inner(),
            is_well_formed: errors.is_empty(),
            diagnostics: RefCell::default(),
        };
        for error in errors.iter().take(bounds::SYNTAX_FAULTS) {
            document.syntax_fault(error);
        }
        document
    }

    /// Adds a syntax fault, with the key on its line if there is one.
    fn syntax_fault(&self, error: &toml::de::Error) {
        // Not the error's `Display`: it quotes the line, which may contain a password.
        let message = format!("is not TOML: {}", error.message());
        let span = error.span().unwrap_or_default();
        let key = if error.message().starts_with("duplicate key") {
            // The tables contain only the first of two equal keys.
            self.source.text.get(span.clone()).map(spelling::excerpt)
        } else {
            let on_line = |offset| self.line(offset) == self.line(span.start);
            last_key(&self.tables, "", &on_line).map(|(_, key)| key)
        };
        let offset = error.span().map(|span| span.start);
        self.fault(&key.unwrap_or_default(), offset, message);
    }

    /// Returns whether the file has no syntax fault.
    pub(in crate::config) fn is_well_formed(&self) -> bool {
        self.is_well_formed
    }

    /// Returns the file's path.
    pub(in crate::config) fn path(&self) -> &'a Path {
        &self.source.path
    }

    /// Returns whether others than the owner may read the file.
    pub(in crate::config) fn readable_by_others(&self) -> bool {
        self.source.readable_by_others
    }

    /// Returns the file's root table.
    pub(in crate::config) fn tables(&self) -> &DeTable<'a> {
        &self.tables
    }

    /// Returns a string of a table, without any diagnostic; for files with syntax faults.
    pub(in crate::config) fn recover_text(&self, table: &str, key: &str) -> Option<&str> {
        let table = self.tables.get(table)?.get_ref().as_table()?;
        table.get(key)?.get_ref().as_str()
    }

    /// Returns a path that the file names. A relative path is relative to the file.
    pub(in crate::config) fn resolve(&self, path: &str) -> PathBuf {
        match self.source.path.parent() {
            Some(directory) => directory.join(path),
            None => PathBuf::from(path),
        }
    }

    /// Adds a fault.
    pub(in crate::config) fn fault(
        &self,
        key: &str,
        offset: Option<usize>,
        message: impl Into<String>,
    ) {
        let fault = self.diagnostic(key, offset, message);
        self.diagnostics.borrow_mut().faults.push(fault);
    }

    /// Adds a warning.
    pub(in crate::config) fn warn(
        &self,
        key: &str,
        offset: Option<usize>,
        message: impl Into<String>,
    ) {
        let warning = self.diagnostic(key, offset, message);
        self.diagnostics.borrow_mut().warnings.push(warning);
    }

    /// Returns the collected diagnostics.
    pub(in crate::config) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics.into_inner()
    }

    /// Remembers the TLS files that a table names, so that their contents are checked.
    pub(in crate::config) fn name_tls_files(&self, table: TlsTable) {
        self.diagnostics.borrow_mut().tls_tables.push(table);
    }

    /// Returns where each key of the file is.
    pub(in crate::config) fn places(&self) -> Places {
        let mut lines = HashMap::new();
        self.collect_lines(&self.tables, "", &mut lines);
        Places::new(self.path(), lines)
    }

    fn collect_lines(&self, table: &DeTable<'_>, prefix: &str, lines: &mut HashMap<String, usize>) {
        for (key, value) in table {
            let dotted = format!("{prefix}{}", key.get_ref());
            if let Some(within) = value.get_ref().as_table() {
                self.collect_lines(within, &format!("{dotted}."), lines);
            }
            lines.insert(dotted, self.line(value.span().start));
        }
    }

    pub(super) fn diagnostic(
        &self,
        key: &str,
        offset: Option<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let line = offset.map(|offset| self.line(offset));
        Diagnostic::new(self.path(), key, line, message)
    }

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }
}

/// Returns the offset of each line's first byte.
fn line_starts(text: &[u8]) -> Vec<usize> {
    let after_feeds = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    std::iter::once(0).chain(after_feeds).collect()
}

/// Returns offset and dotted name of the file's last key whose offset is `wanted`.
fn last_key(
    table: &DeTable<'_>,
    prefix: &str,
    wanted: &impl Fn(usize) -> bool,
) -> Option<(usize, String)> {
    let keys = table.iter().flat_map(|(key, value)| {
        let dotted = format!("{prefix}{}", spelling::excerpt(key.get_ref()));
        let within = value.get_ref().as_table();
        let within = within.and_then(|table| last_key(table, &format!("{dotted}."), wanted));
        let start = key.span().start;
        let own = wanted(start).then_some((start, dotted));
        [own, within]
    });
    keys.flatten().max()
}
