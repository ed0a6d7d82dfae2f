//! Who may open the ledger's folder and files, and in which words a start says that something is in the way.
//!
//! The journal holds personal data: only the gateway's own user may read it.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::{FILE_NAME, JournalError};

/// Permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Makes the folder where it is missing, or sees to it that nobody else may read it.
pub(super) fn prepare_folder(folder: &Path) -> Result<(), JournalError> {
    let made = match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => return keep_private(folder, &metadata),
        Ok(_) => return Err(refused(folder, "is a file, and must be a folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder),
        Err(error) => Err(error),
    };
    made.map_err(|error| explained(folder, "the folder cannot be made", error))
}

/// Sees to it that an existing folder is private. A folder with other things in it is left as it is: it may be
/// everybody's.
fn keep_private(folder: &Path, metadata: &Metadata) -> Result<(), JournalError> {
    if metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    let mode = metadata.mode() & 0o7777;
    let is_own = |name: &str| name.starts_with(FILE_NAME) || name == "lost+found";
    let entries = fs::read_dir(folder)
        .map_err(|error| explained(folder, "the folder cannot be read", error))?;
    let is_foreign = |entry: &io::Result<fs::DirEntry>| {
        let name = entry.as_ref().map(fs::DirEntry::file_name);
        name.is_ok_and(|name| !is_own(&name.to_string_lossy()))
    };
    if let Some(Ok(foreign)) = entries.into_iter().find(is_foreign) {
        return Err(refused(
            folder,
            format_args!(
                "may be read by others (mode {mode:04o}) and holds other things too ({}): give the ledger a folder of \
                 its own, or forbid others this one (chmod 700)",
                foreign.file_name().display()
            ),
        ));
    }
    fs::set_permissions(folder, Permissions::from_mode(mode & !OTHERS)).map_err(|error| {
        refused(
            folder,
            format_args!(
                "may be read by others (mode {mode:04o}), and that cannot be changed ({error}): chmod 700 it as its \
                 owner, user {}, or give the ledger a folder of its own",
                metadata.uid()
            ),
        )
    })?;
    tracing::warn!(folder = %folder.display(), mode = format_args!("{mode:04o}"), "the ledger's folder could be read by others, which is forbidden now");
    Ok(())
}

/// Sees to it that the journal's files, where they exist, are this user's and private.
pub(super) fn prepare_files(journal: &Path) -> Result<(), JournalError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = journal.as_os_str().to_owned();
        name.push(suffix);
        let file = Path::new(&name);
        let metadata = match fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(explained(file, "cannot be looked at", error)),
        };
        if !metadata.is_file() {
            return Err(refused(file, "is no file"));
        }
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(refused(
                file,
                format_args!(
                    "belongs to user {}, and this process runs as user {user}: start it as that user, or give the file \
                     to this one (chown {user})",
                    metadata.uid()
                ),
            ));
        }
        let mode = metadata.mode() & 0o7777;
        if mode & OTHERS != 0 {
            fs::set_permissions(file, Permissions::from_mode(mode & !OTHERS))
                .map_err(|error| explained(file, "may be read by others", error))?;
            tracing::warn!(file = %file.display(), mode = format_args!("{mode:04o}"), "the journal could be read by others, which is forbidden now");
        }
    }
    Ok(())
}

/// Says what is in the way of the first part of a path that is.
pub(super) fn explained(path: &Path, what: &str, error: io::Error) -> JournalError {
    let user = rustix::process::geteuid().as_raw();
    let nearest = path
        .ancestors()
        .find(|part| part.symlink_metadata().is_ok());
    let nearest = nearest.unwrap_or(path);
    let metadata = fs::metadata(nearest);
    let cause = match error.kind() {
        ErrorKind::NotADirectory => {
            let file = path.ancestors().find(|part| part.is_file()).unwrap_or(path);
            format!(
                "{} is a file, and no folder can be below it",
                file.display()
            )
        }
        ErrorKind::PermissionDenied => match metadata {
            Ok(metadata) => format!(
                "{} belongs to user {} with mode {:04o}, and this process runs as user {user}: give it to this user \
                 (chown {user}), or name another path",
                nearest.display(),
                metadata.uid(),
                metadata.mode() & 0o7777
            ),
            Err(_) => format!("user {user} may not look into {}", nearest.display()),
        },
        ErrorKind::ReadOnlyFilesystem => {
            "its file system is mounted read-only: the journal must be written".to_owned()
        }
        ErrorKind::StorageFull => "its file system is full".to_owned(),
        _ => return JournalError::Io(path.to_path_buf(), error),
    };
    refused(path, format_args!("{what}: {cause}"))
}

pub(super) fn refused(path: &Path, what: impl std::fmt::Display) -> JournalError {
    JournalError::Refused(path.to_path_buf(), what.to_string())
}

/// Returns the process that holds a lock on the file, where the system tells.
pub(super) fn lock_holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino();
    holder_in(&fs::read_to_string("/proc/locks").ok()?, inode)
}

/// Finds the whole-file lock (`FLOCK`) of an inode: `1: FLOCK  ADVISORY  WRITE 123 fd:00:456 0 EOF`.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    let pid = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "FLOCK")?;
        let of = words.get(at + 4)?.rsplit(':').next()?;
        let is_holder = of.parse() == Ok(inode) && !words.contains(&"->");
        is_holder.then(|| words.get(at + 3)?.parse().ok()).flatten()
    };
    locks.lines().find_map(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_the_files_inode() {
        let locks = "1: POSIX  ADVISORY  READ  11 fd:00:77 128 128\n\
                     2: FLOCK  ADVISORY  WRITE 12 fd:00:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 13 fd:00:78 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 14 fd:00:78 0 EOF\n";
        for (inode, holder) in [(77, Some(12)), (78, Some(14)), (7, None)] {
            assert_eq!(holder_in(locks, inode), holder, "{inode}");
        }
    }
}
