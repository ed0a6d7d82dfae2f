//! Files that a configuration file names: certificates, keys, passwords.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::DeValue;
use zeroize::Zeroizing;

use super::bounds;
use super::document::Document;
use super::secret::Secret;
use super::section::Section;
use super::value;

/// A path; relative ones are relative to the file that names them.
pub(super) fn path(document: &Document<'_>, value: &DeValue<'_>) -> Result<PathBuf, String> {
    let text = value::text(value)?;
    if text.is_empty() || text.contains('\0') {
        return Err("must be a path, not empty and without NUL".to_owned());
    }
    Ok(document.resolve(text))
}

/// The path of a file that can be read.
pub(super) fn readable(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let document = section.document();
    section.optional(key, |value| {
        let path = path(document, value)?;
        open(&path).map(|_| path)
    })
}

/// As [`readable`]; its absence is a fault.
pub(super) fn required(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    if !section.has(key) {
        section.fault(key, "is missing and has no default");
    }
    readable(section, key)
}

/// Warns when others than its owner may read a file that holds a secret.
pub(super) fn warn_if_exposed(section: &Section<'_>, key: &str, path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let what = format!(
            "`{}` can be read by others than its owner (mode {mode:04o}); 0600 is enough",
            shown(path)
        );
        section.warn(key, what);
    }
}

/// The secret in a file, without the line end that editors leave.
pub(super) fn secret(path: &Path) -> Result<Secret, String> {
    let mut text = Zeroizing::new(String::new());
    open(path)?
        .take(bounds::FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| format!("`{}` cannot be read: {error}", shown(path)))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("`{}` is empty", shown(path)));
    }
    Ok(Secret::new(secret.to_owned()))
}

fn open(path: &Path) -> Result<File, String> {
    // Asked before opening: to open a pipe would wait for its writer.
    let metadata =
        fs::metadata(path).map_err(|error| format!("`{}` cannot be read: {error}", shown(path)))?;
    if !metadata.is_file() {
        return Err(format!("`{}` is not a file", shown(path)));
    }
    File::open(path).map_err(|error| format!("`{}` cannot be read: {error}", shown(path)))
}

/// A path on one line.
fn shown(path: &Path) -> String {
    path.display().to_string().replace(char::is_control, "?")
}
