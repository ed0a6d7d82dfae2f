//! How long a journal of version 2 takes to be brought up to this version, and what it takes on disk before and after.
//!
//! `cargo run -p relay-ledger --example migration -- 200000`
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::time::Instant;

use ledger::{Ledger, Options, Timestamp};

#[path = "../tests/migration/generator.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod generator;

fn main() {
    let bills = std::env::args()
        .nth(1)
        .map_or(200_000, |bills| bills.parse().unwrap());
    let directory = std::env::temp_dir().join(format!("migration-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let began = Instant::now();
    generator::write(&directory, bills);
    println!(
        "written in {:?}: {} bytes a bill",
        began.elapsed(),
        per_bill(&directory, bills)
    );
    let options = Options::embedded(directory.clone());
    for start in ["the first start", "the second start"] {
        let began = Instant::now();
        drop(Ledger::open(&options, Timestamp::now()).unwrap());
        println!("{start} takes {:?}", began.elapsed());
    }
    let journal = rusqlite::Connection::open(directory.join("journal.sqlite3")).unwrap();
    journal.execute_batch("VACUUM").unwrap();
    drop(journal);
    println!("{} bytes a bill", per_bill(&directory, bills));
    std::fs::remove_dir_all(directory).unwrap();
}

fn per_bill(folder: &Path, bills: usize) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    bytes / bills as u64
}
