//! How long a journal of version 2 takes to be brought up to this version, part by part, and what it takes on disk before
//! and after.
//!
//! `cargo run --release -p relay-ledger --example migration -- 200000`; with a folder behind the number, the journal is
//! only written there.
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ledger::redis::OutOfReach;
use ledger::{Ledger, Observer, Options, Timestamp, UpgradeProgress};

#[path = "../tests/migration/generator.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod generator;

/// When the part that is done now began, and its name.
struct Parts(Mutex<(&'static str, Instant, Duration)>);

impl Observer for Parts {
    fn redis_operation(&self, _: Duration, _: Result<(), OutOfReach>) {}

    fn upgrade_progress(&self, progress: Option<UpgradeProgress>) {
        let what = progress.map_or("", |progress| progress.what);
        let mut part = self.0.lock().unwrap();
        let (was, began, cpu) = *part;
        if was != what {
            if !was.is_empty() {
                let used = cpu_time().saturating_sub(cpu);
                println!("  {was}: {:?}, {used:?} of processor time", began.elapsed());
            }
            *part = (what, Instant::now(), cpu_time());
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let bills = arguments
        .next()
        .map_or(200_000, |bills| bills.parse().unwrap());
    if let Some(directory) = arguments.next() {
        std::fs::create_dir_all(&directory).unwrap();
        generator::write(Path::new(&directory), bills);
        return;
    }
    let directory = std::env::temp_dir().join(format!("migration-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    measure(&directory, bills);
    std::fs::remove_dir_all(directory).unwrap();
}

fn measure(directory: &Path, bills: usize) {
    let began = Instant::now();
    generator::write(directory, bills);
    let took = began.elapsed();
    println!(
        "written in {took:?}: {} bytes a bill",
        per_bill(directory, bills)
    );
    let mut options = Options::embedded(PathBuf::from(directory));
    let parts = Parts(Mutex::new(("", Instant::now(), cpu_time())));
    options.observer = Some(Arc::new(parts));
    for start in ["the first start", "the second start"] {
        let began = Instant::now();
        drop(Ledger::open(&options, Timestamp::now()).unwrap());
        println!("{start} takes {:?}", began.elapsed());
    }
    let journal = rusqlite::Connection::open(directory.join("journal.sqlite3")).unwrap();
    journal.execute_batch("VACUUM").unwrap();
    drop(journal);
    println!("{} bytes a bill", per_bill(directory, bills));
}

/// The processor time of this process so far; the kernel counts it in hundredths of a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(") ").next().unwrap();
    let ticks: u64 = behind_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn per_bill(folder: &Path, bills: usize) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    bytes / bills as u64
}
