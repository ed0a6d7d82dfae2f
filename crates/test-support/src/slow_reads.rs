//! A slow or damaged disk, as a process meets it: its reads of one file are delayed or fail.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOURCE: &str = include_str!("slow_reads.c");

/// The reads of some files by one process. SQLite reads its pages by `pread64`, and by nothing else where no memory is mapped.
#[derive(Debug)]
pub struct SlowReads {
    library: PathBuf,
    control: PathBuf,
    part_of_path: &'static str,
}

impl SlowReads {
    /// Builds the library in a folder, with the C compiler. Every file with these words in its path is meant:
    /// `journal.sqlite3` is a journal and its write-ahead log.
    pub fn of(part_of_path: &'static str, folder: &Path) -> Self {
        let source = folder.join("slow_reads.c");
        fs::write(&source, SOURCE).unwrap();
        let slow = Self {
            library: folder.join("slow_reads.so"),
            control: folder.join("slow_reads.control"),
            part_of_path,
        };
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]);
        cc.arg(&slow.library).arg(&source).arg("-ldl");
        let built = cc.output().expect("a C compiler");
        let errors = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "cc: {errors}");
        fs::write(&slow.control, [0; 12]).unwrap();
        slow
    }

    /// Has a process that is started by this command read as it is told from now on.
    pub fn preload(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("SLOW_READS_OF", self.part_of_path)
            .env("SLOW_READS_CONTROL", &self.control);
    }

    /// Delays every read by this time.
    pub fn delay(&self, time: Duration) {
        let microseconds = u32::try_from(time.as_micros()).unwrap();
        self.set(0, microseconds);
    }

    /// Has every read fail with an error number, such as 5 (`EIO`); 0 ends that.
    pub fn fail(&self, error: u32) {
        self.set(4, error);
    }

    /// Returns how many reads were delayed or failed.
    pub fn count(&self) -> u32 {
        let mut numbers = [0; 12];
        let mut control = File::open(&self.control).unwrap();
        control.read_exact(&mut numbers).unwrap();
        u32::from_ne_bytes(numbers[8..].try_into().unwrap())
    }

    fn set(&self, offset: u64, number: u32) {
        let control = File::options().write(true).open(&self.control).unwrap();
        control.write_all_at(&number.to_ne_bytes(), offset).unwrap();
    }
}
