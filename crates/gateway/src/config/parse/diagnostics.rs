//! Diagnostics of the configuration: faults prevent the start, warnings do not.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// A fault or a warning, and its place. It never contains a secret, nor text that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as named on the command line or listed in the billers' directory.
    pub file: PathBuf,
    /// The dotted key (`limits.request_body`); empty if the diagnostic concerns the whole file.
    pub key: String,
    /// The line of the value, counted from 1; `None` if the key is absent.
    pub line: Option<usize>,
    /// One line: what is wrong and what is allowed, or what will happen.
    pub message: String,
}

impl Diagnostic {
    /// Returns a diagnostic.
    pub(in crate::config) fn new(
        file: &Path,
        key: &str,
        line: Option<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_path_buf(),
            key: key.to_owned(),
            line,
            message: message.into(),
        }
    }
}

/// `FILE: key: message (line N)`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, &self.file.to_string_lossy())?;
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write_escaped(f, &self.message)?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// Escapes control characters, because file names can contain them: a diagnostic is one line and must not control
/// the reader's terminal.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| {
        if character.is_control() {
            write!(f, "{}", character.escape_debug())
        } else {
            f.write_char(character)
        }
    })
}

/// All faults of a configuration, sorted by file and line; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Diagnostic>);

impl Faults {
    /// Returns the faults in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Diagnostic> for Faults {
    fn from(fault: Diagnostic) -> Self {
        Self(vec![fault])
    }
}

/// One fault per line, without a line feed after the last.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A file that a key names, and the place of that key.
#[derive(Clone, Debug)]
pub(in crate::config) struct NamedFile {
    /// File, key and line, without a message.
    pub(in crate::config) place: Diagnostic,
    pub(in crate::config) path: PathBuf,
}

/// The TLS files that one table names. Their contents are checked once all configuration files are read.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct TlsTable {
    /// The gateway's own chain.
    pub(in crate::config) certificate: Option<NamedFile>,
    /// Its key.
    pub(in crate::config) private_key: Option<NamedFile>,
    /// The authorities that it trusts.
    pub(in crate::config) authorities: Option<NamedFile>,
}

/// Where the keys of the main file are, for faults that show only when a value is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    file: PathBuf,
    lines: HashMap<String, usize>,
}

impl Places {
    pub(in crate::config) fn new(file: &Path, lines: HashMap<String, usize>) -> Self {
        Self {
            file: file.to_path_buf(),
            lines,
        }
    }

    /// Returns a fault of a key, such as `listen.public`, with its line if the file has it.
    pub fn fault(&self, key: &str, message: impl Into<String>) -> Faults {
        let line = self.lines.get(key).copied();
        Diagnostic::new(&self.file, key, line, message).into()
    }
}

/// The faults and warnings that were found so far.
#[derive(Debug, Default)]
pub(in crate::config) struct Diagnostics {
    pub(in crate::config) faults: Vec<Diagnostic>,
    pub(in crate::config) warnings: Vec<Diagnostic>,
    /// The TLS files that were named so far.
    pub(in crate::config) tls_tables: Vec<TlsTable>,
}

impl Diagnostics {
    /// Appends the diagnostics of another file.
    pub(in crate::config) fn append(&mut self, mut other: Self) {
        self.faults.append(&mut other.faults);
        self.warnings.append(&mut other.warnings);
        self.tls_tables.append(&mut other.tls_tables);
    }

    /// Adds a warning without a line.
    pub(in crate::config) fn warn(&mut self, file: &Path, key: &str, message: impl Into<String>) {
        let warning = Diagnostic::new(file, key, None, message);
        self.warnings.push(warning);
    }

    /// Returns `value` and the sorted warnings.
    ///
    /// # Errors
    /// The sorted faults, if there are any; `value` is `None` only then.
    pub(in crate::config) fn into_result<T>(
        mut self,
        value: Option<T>,
    ) -> Result<(T, Vec<Diagnostic>), Faults> {
        for list in [&mut self.faults, &mut self.warnings] {
            // A stable sort keeps the order of diagnostics without a line or on the same line.
            list.sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
        }
        match value {
            Some(value) if self.faults.is_empty() => Ok((value, self.warnings)),
            _ => Err(Faults(self.faults)),
        }
    }
}
