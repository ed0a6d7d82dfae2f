//! The billers' directory, which has one file per biller.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::BillerCode;

use super::biller::BillerFile;
use super::parse::bounds;
use super::parse::diagnostics::{Diagnostic, Diagnostics};
use super::parse::document::{Document, Source};
use super::parse::named_file;
use super::parse::section::Section;

const DEFAULT_DIRECTORY: &str = "billers";

/// The table `[billers]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillersDirectory {
    /// The directory whose `*.toml` files are the billers.
    pub directory: PathBuf,
}

impl BillersDirectory {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        const KEY: &str = "directory";
        let document = section.document();
        let configured = section.optional(KEY, |value| named_file::path(document, value));
        // The default does not replace a faulty directory: the faults of its files would mislead.
        let directory = if section.has(KEY) {
            configured
        } else {
            Some(document.resolve(DEFAULT_DIRECTORY))
        };
        section.finish();
        directory.map(|directory| Self { directory })
    }

    /// Reads the directory from a file with syntax faults; the default if it is not found there.
    pub(super) fn recover(document: &Document<'_>) -> Self {
        let directory = document.recover_text("billers", "directory");
        Self {
            directory: document.resolve(directory.unwrap_or(DEFAULT_DIRECTORY)),
        }
    }
}

/// Lists the billers' files of a directory, sorted by name: `*.toml`, not hidden.
///
/// # Errors
/// If the directory cannot be read or has more than [`bounds::BILLER_FILES`] of them.
pub(super) fn list(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .filter(|path| path.as_ref().map_or(true, |path| is_biller_file(path)))
                .take(bounds::BILLER_FILES + 1)
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|error| {
            let directory = directory.display();
            format!("the directory `{directory}` cannot be read: {error}")
        })?;
    if files.len() > bounds::BILLER_FILES {
        let most = bounds::BILLER_FILES;
        return Err(format!("more than {most} billers are not supported"));
    }
    files.sort();
    Ok(files)
}

fn is_biller_file(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "toml")
}

/// Reads all files and adds their faults. A code in two files is a fault.
pub(super) fn read_files(files: &[PathBuf], diagnostics: &mut Diagnostics) -> Vec<BillerFile> {
    let files: Vec<BillerFile> = files
        .iter()
        .filter_map(|path| read_file(path, diagnostics))
        .collect();
    let mut codes: HashMap<BillerCode, &Path> = HashMap::new();
    for file in &files {
        let Some(code) = file.code else { continue };
        if let Some(first) = codes.get(&code) {
            let message = format!("`{code}` is already the code of {}", first.display());
            let fault = Diagnostic::new(&file.path, "code", None, message);
            diagnostics.faults.push(fault);
        } else {
            codes.insert(code, &file.path);
        }
    }
    files
}

fn read_file(path: &Path, diagnostics: &mut Diagnostics) -> Option<BillerFile> {
    // Checked before opening, because opening a pipe waits for its writer.
    let is_file = fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    let source = if is_file {
        Source::read(path)
    } else {
        Err(Diagnostic::new(path, "", None, "is not a file"))
    };
    match source {
        Ok(source) => {
            let document = Document::parse(&source);
            let file = document
                .is_well_formed()
                .then(|| BillerFile::read(&document));
            diagnostics.append(document.into_diagnostics());
            file
        }
        Err(fault) => {
            diagnostics.faults.push(fault);
            None
        }
    }
}
