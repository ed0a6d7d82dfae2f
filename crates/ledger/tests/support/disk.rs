//! A small file system for one test.
#![allow(clippy::print_stderr)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system; unmounted when dropped.
pub struct Disk(TempDir);

impl Disk {
    /// Mounts one of so many mebibytes in memory; `None`, and a line that says so, where that is not permitted.
    pub fn of_mebibytes(size: u32) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"]);
        Self::mounted(mount)
    }

    /// The same, but one that gives no room before it is written to: ext2, in the file `image`.
    pub fn without_reservations(size: u32, image: &Path) -> Option<Self> {
        let mut make = Command::new("mkfs.ext2");
        let make = make.args(["-q", "-m", "0"]).arg(image);
        assert!(make.arg(format!("{size}m")).status().unwrap().success());
        let mut mount = Command::new("mount");
        mount.args(["-t", "ext2", "-o", "loop"]).arg(image);
        let disk = Self::mounted(mount)?;
        fs::remove_dir(disk.path().join("lost+found")).unwrap();
        Some(disk)
    }

    fn mounted(mut mount: Command) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = mount.arg(folder.path()).output().unwrap();
        if mounted.status.success() {
            return Some(Self(folder));
        }
        let why = String::from_utf8_lossy(&mounted.stderr).into_owned();
        let forbidden = ["permission denied", "must be superuser", "not permitted"];
        assert!(forbidden.iter().any(|words| why.contains(words)), "{why}");
        eprintln!("SKIPPED, NOTHING IS PROVED: a mount is not permitted here: {why}");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all that is free.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut filler = File::create(&path).unwrap();
        while filler.write_all(&[7; 4096]).is_ok() {}
        path
    }

    pub fn remount_read_only(&self) {
        let mut mount = Command::new("mount");
        let mount = mount.args(["-o", "remount,ro"]).arg(self.path());
        assert!(mount.status().unwrap().success());
    }

    /// The names of the files in it.
    pub fn names(&self) -> Vec<String> {
        names(self.path())
    }
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
