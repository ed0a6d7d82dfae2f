//! One TOML file: its text, its tables, and what was found in it.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use zeroize::Zeroizing;

use super::bounds;
use super::finding::{Fault, Findings, Warning};
use super::spelling;

/// The text of a file. It may hold a password and is overwritten when dropped.
pub(super) struct Source {
    path: PathBuf,
    text: Zeroizing<String>,
    /// Whether the file's group or others may read it.
    exposed: bool,
}

impl Source {
    /// Reads a file of at most [`bounds::FILE_BYTES`] bytes of UTF-8.
    pub(super) fn read(path: &Path) -> Result<Self, Fault> {
        let fault = |line, what| Fault {
            file: path.to_path_buf(),
            key: String::new(),
            line,
            what,
        };
        let mut bytes = Zeroizing::new(Vec::new());
        let exposed = File::open(path)
            .and_then(|file| {
                let exposed = file.metadata()?.permissions().mode() & 0o077 != 0;
                file.take(bounds::FILE_BYTES + 1).read_to_end(&mut bytes)?;
                Ok(exposed)
            })
            .map_err(|error| fault(None, format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > bounds::FILE_BYTES {
            let what = format!("is larger than {} bytes", bounds::FILE_BYTES);
            return Err(fault(None, what));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = line_starts(&bytes[..error.valid_up_to()]).len();
            fault(Some(line), "is not UTF-8".to_owned())
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            text: Zeroizing::new(text.to_owned()),
            exposed,
        })
    }
}

/// A parsed file that gathers its own findings.
pub(super) struct Document<'a> {
    source: &'a Source,
    line_starts: Vec<usize>,
    tables: DeTable<'a>,
    intact: bool,
    findings: RefCell<Findings>,
}

impl<'a> Document<'a> {
    /// Parses the text. Syntax faults are noted; the tables are then only what could be made out.
    pub(super) fn parse(source: &'a Source) -> Self {
        let (tables, errors) = DeTable::parse_recoverable(&source.text);
        let document = Self {
            source,
            line_starts: line_starts(source.text.as_bytes()),
            tables: tables.into_inner(),
            intact: errors.is_empty(),
            findings: RefCell::default(),
        };
        for error in errors.iter().take(bounds::SYNTAX_FAULTS) {
            document.syntax_fault(error);
        }
        document
    }

    /// Notes a syntax fault, with its key where that stands on the same line.
    fn syntax_fault(&self, error: &toml::de::Error) {
        // The message alone: the error's own display repeats the line, which may hold a password.
        let what = format!("is not TOML: {}", error.message());
        let span = error.span().unwrap_or_default();
        let key = if error.message().starts_with("duplicate key") {
            // Of two equal keys the tables hold the first only.
            self.source.text.get(span.clone()).map(spelling::printable)
        } else {
            let on_line = |offset| self.line(offset) == self.line(span.start);
            last_key(&self.tables, "", &on_line).map(|(_, key)| key)
        };
        let offset = error.span().map(|span| span.start);
        self.fault(&key.unwrap_or_default(), offset, what);
    }

    /// Whether the file has no syntax fault.
    pub(super) fn intact(&self) -> bool {
        self.intact
    }

    /// The file's path.
    pub(super) fn path(&self) -> &'a Path {
        &self.source.path
    }

    /// Whether others than the owner may read the file.
    pub(super) fn exposed(&self) -> bool {
        self.source.exposed
    }

    /// Returns the file's root table.
    pub(super) fn tables(&self) -> &DeTable<'a> {
        &self.tables
    }

    /// A string in a table, without a word when it is not there: for files with syntax faults.
    pub(super) fn salvage(&self, table: &str, key: &str) -> Option<&str> {
        let table = self.tables.get(table)?.get_ref().as_table()?;
        table.get(key)?.get_ref().as_str()
    }

    /// A path that the file names: relative ones are relative to the file.
    pub(super) fn resolve(&self, named: &str) -> PathBuf {
        match self.source.path.parent() {
            Some(directory) => directory.join(named),
            None => PathBuf::from(named),
        }
    }

    pub(super) fn fault(&self, key: &str, offset: Option<usize>, what: impl Into<String>) {
        let fault = Fault {
            file: self.source.path.clone(),
            key: key.to_owned(),
            line: offset.map(|offset| self.line(offset)),
            what: what.into(),
        };
        self.findings.borrow_mut().faults.push(fault);
    }

    pub(super) fn warn(&self, key: &str, offset: Option<usize>, what: impl Into<String>) {
        let warning = Warning {
            file: self.source.path.clone(),
            key: key.to_owned(),
            line: offset.map(|offset| self.line(offset)),
            what: what.into(),
        };
        self.findings.borrow_mut().warnings.push(warning);
    }

    /// What was found, when the reading is over.
    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_inner()
    }

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }
}

/// The offset of each line's first byte.
fn line_starts(text: &[u8]) -> Vec<usize> {
    let after_feeds = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    std::iter::once(0).chain(after_feeds).collect()
}

/// Of the keys that begin where `wanted` says, the last in the file: its offset and dotted name.
fn last_key(
    table: &DeTable<'_>,
    prefix: &str,
    wanted: &impl Fn(usize) -> bool,
) -> Option<(usize, String)> {
    let keys = table.iter().flat_map(|(key, value)| {
        let dotted = format!("{prefix}{}", spelling::printable(key.get_ref()));
        let within = value.get_ref().as_table();
        let within = within.and_then(|table| last_key(table, &format!("{dotted}."), wanted));
        let start = key.span().start;
        let own = wanted(start).then_some((start, dotted));
        [own, within]
    });
    keys.flatten().max()
}
