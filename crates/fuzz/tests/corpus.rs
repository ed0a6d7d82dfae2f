//! The corpus, replayed: what the fuzz targets once found, and the seeds that they start from.

// The name of the file under way is all that a failed replay must tell.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

/// Bounds of the corpus, so that a replay stays a matter of seconds.
const FILES_MAX: usize = 400;
const FILE_MAX_BYTES: u64 = 20 * 1024;

fn files(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let entries = fs::read_dir(&folder).expect("every target has a folder");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut files: Vec<_> = paths.collect();
    files.sort();
    files
}

fn replay(target: &str) {
    let (_, run) = fuzz::TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("the target is in the table");
    let files = files(target);
    assert!(!files.is_empty(), "{target} has no corpus");
    assert!(
        files.len() <= FILES_MAX,
        "{} files for {target}",
        files.len()
    );
    for file in files {
        let bytes = fs::read(&file).expect("the file can be read");
        assert!(
            bytes.len() as u64 <= FILE_MAX_BYTES,
            "{} is large",
            file.display()
        );
        println!("{}", file.display());
        run(&bytes);
    }
}

macro_rules! replays {
    ($($name:ident: $target:literal;)*) => {
        $(#[test]
        fn $name() {
            replay($target);
        })*

        #[test]
        fn every_target_is_replayed() {
            let replayed: Vec<_> = [$($target),*].into();
            let targets: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(replayed, targets);
        }
    };
}

replays! {
    bodies_that_ask_are_judged_as_the_contract_says: "request";
    bodies_that_answer_are_judged_as_a_second_reader_judges_them: "answer";
    streams_are_read_in_one_way_only: "listener";
    no_caller_chooses_its_address: "forwarded_for";
    main_files_end_in_a_configuration_or_in_faults: "main_file";
    billers_files_end_in_a_configuration_or_in_faults: "biller_file";
}
