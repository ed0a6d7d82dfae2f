//! Files that the configuration names: certificates, keys, passwords.

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

/// Reads a path. A relative path is relative to the file that names it.
pub(in crate::config) fn path(
    document: &Document<'_>,
    value: &DeValue<'_>,
) -> Result<PathBuf, String> {
    let text = value::text(value)?;
    if text.is_empty() || text.contains('\0') {
        return Err("must be a path that is not empty and has no NUL".to_owned());
    }
    Ok(document.resolve(text))
}

/// Reads an optional key that names a readable file.
pub(in crate::config) fn readable(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let document = section.document();
    section.optional(key, |value| readable_path(document, value))
}

/// Reads a required key that names a readable file.
pub(in crate::config) fn required(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let document = section.document();
    section.required(key, |value| readable_path(document, value))
}

fn readable_path(document: &Document<'_>, value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = path(document, value)?;
    open(&path).map(|_| path)
}

/// Warns if others than its owner may read a file with a secret.
pub(in crate::config) fn warn_if_readable_by_others(section: &Section<'_>, key: &str, path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let message = format!(
            "`{}` can be read by others than its owner (mode {mode:04o}); 0600 is enough",
            single_line(path)
        );
        section.warn(key, message);
    }
}

/// Reads the secret in a file, without line ends after it.
///
/// # Errors
/// If the file cannot be read or is empty.
pub(in crate::config) fn read_secret(path: &Path) -> Result<Secret, String> {
    let mut text = Zeroizing::new(String::new());
    open(path)?
        .take(bounds::FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| format!("`{}` cannot be read: {error}", single_line(path)))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("`{}` is empty", single_line(path)));
    }
    Ok(Secret::new(secret.to_owned()))
}

fn open(path: &Path) -> Result<File, String> {
    // Checked before opening, because opening a pipe waits for its writer.
    let metadata = fs::metadata(path)
        .map_err(|error| format!("`{}` cannot be read: {error}", single_line(path)))?;
    if !metadata.is_file() {
        return Err(format!("`{}` is not a file", single_line(path)));
    }
    File::open(path).map_err(|error| format!("`{}` cannot be read: {error}", single_line(path)))
}

/// Returns a path on one line.
fn single_line(path: &Path) -> String {
    path.display().to_string().replace(char::is_control, "?")
}
