//! What the reading of the configuration found: faults, which stop the start, and warnings, which do not.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// One thing that is wrong, and where. Never holds a secret, nor text that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named on the command line or found in the billers' directory.
    pub file: PathBuf,
    /// The dotted key (`limits.request_body`); empty when the fault is the file's own.
    pub key: String,
    /// The line of the value, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong and what is allowed: one line.
    pub what: String,
}

/// One thing that is allowed but hardly meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file, as in [`Fault::file`].
    pub file: PathBuf,
    /// The dotted key; empty when the warning is about the file itself.
    pub key: String,
    /// The line of the value, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What will happen: one line.
    pub what: String,
}

/// All faults of one reading, sorted by file and by line; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, in the order in which they are displayed.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// `FILE: key: what is wrong (line N)`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_one(f, &self.file, &self.key, self.line, &self.what)
    }
}

/// `FILE: key: what will happen (line N)`
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_one(f, &self.file, &self.key, self.line, &self.what)
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

impl std::error::Error for Fault {}
impl std::error::Error for Faults {}

fn write_one(
    f: &mut fmt::Formatter<'_>,
    file: &Path,
    key: &str,
    line: Option<usize>,
    what: &str,
) -> fmt::Result {
    write_plain(f, &file.to_string_lossy())?;
    f.write_str(": ")?;
    if !key.is_empty() {
        write!(f, "{key}: ")?;
    }
    write_plain(f, what)?;
    match line {
        Some(line) => write!(f, " (line {line})"),
        None => Ok(()),
    }
}

/// Names of files and folders may hold line feeds and worse; a finding is one line, and no command to the
/// terminal that shows it.
fn write_plain(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| {
        if character.is_control() {
            write!(f, "{}", character.escape_debug())
        } else {
            f.write_char(character)
        }
    })
}

/// Faults and warnings as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl Findings {
    /// Takes over what another file's reading found.
    pub(super) fn append(&mut self, mut other: Self) {
        self.faults.append(&mut other.faults);
        self.warnings.append(&mut other.warnings);
    }

    /// A warning that belongs to no line.
    pub(super) fn warn(&mut self, file: &Path, key: &str, what: impl Into<String>) {
        self.warnings.push(Warning {
            file: file.to_path_buf(),
            key: key.to_owned(),
            line: None,
            what: what.into(),
        });
    }

    /// `value` with the warnings, sorted, when it is there and nothing is wrong; else the faults.
    pub(super) fn settle<T>(mut self, value: Option<T>) -> Result<(T, Vec<Warning>), Faults> {
        // Stable: what has no line, or shares one, stays in the order in which it was found.
        self.faults
            .sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
        self.warnings
            .sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
        match value {
            Some(value) if self.faults.is_empty() => Ok((value, self.warnings)),
            _ => Err(Faults(self.faults)),
        }
    }
}
