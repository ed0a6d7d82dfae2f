//! The directory of billers: one file each.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::BillerCode;

use super::biller::BillerFile;
use super::bounds;
use super::document::{Document, Source};
use super::finding::{Fault, Findings};
use super::named_file;
use super::section::Section;

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
        let written = section.optional(KEY, |value| named_file::path(document, value));
        // A faulty one is not replaced by the default: the faults of its files would mislead.
        let directory = if section.has(KEY) {
            written
        } else {
            Some(document.resolve(DEFAULT_DIRECTORY))
        };
        section.finish();
        directory.map(|directory| Self { directory })
    }

    /// What can be made out in a file with a syntax fault, else the default.
    pub(super) fn salvage(document: &Document<'_>) -> Self {
        let named = document.salvage("billers", "directory");
        Self {
            directory: document.resolve(named.unwrap_or(DEFAULT_DIRECTORY)),
        }
    }
}

/// The biller files of a directory, sorted by name: `*.toml`, not hidden.
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

/// Reads every file, noting every fault; a code that two files claim is one.
pub(super) fn read_files(files: &[PathBuf], findings: &mut Findings) -> Vec<BillerFile> {
    let read: Vec<BillerFile> = files
        .iter()
        .filter_map(|path| read_file(path, findings))
        .collect();
    let mut claimed: HashMap<BillerCode, &Path> = HashMap::new();
    for file in &read {
        let Some(code) = file.code else { continue };
        if let Some(first) = claimed.get(&code) {
            findings.faults.push(Fault {
                file: file.path.clone(),
                key: "code".to_owned(),
                line: None,
                what: format!("`{code}` is already the code of {}", first.display()),
            });
        } else {
            claimed.insert(code, &file.path);
        }
    }
    read
}

fn read_file(path: &Path, findings: &mut Findings) -> Option<BillerFile> {
    // Asked before opening: to open a pipe would wait for its writer.
    let is_file = fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    let source = if is_file {
        Source::read(path)
    } else {
        Err(Fault {
            file: path.to_path_buf(),
            key: String::new(),
            line: None,
            what: "is not a file".to_owned(),
        })
    };
    match source {
        Ok(source) => {
            let document = Document::parse(&source);
            let file = document.intact().then(|| BillerFile::read(&document));
            findings.append(document.into_findings());
            file
        }
        Err(fault) => {
            findings.faults.push(fault);
            None
        }
    }
}
