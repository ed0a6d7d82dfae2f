//! Writes the data anew, with a gateway of the release: `make_journal` runs this.

use std::fs;

use tempfile::TempDir;

use crate::answers::{Answers, Parties, answers};
use crate::author::Author;
use crate::{data, history, journal, long_ago};

/// The journal below the folder of a gateway.
const WRITTEN: &str = "data/ledger/journal.sqlite3";

/// The days of five years, leap days included.
const FIVE_YEARS: i64 = 5 * 365 + 2;

#[test]
#[ignore = "writes the test data; `make_journal` runs it with a gateway of the release"]
fn make_journal() {
    fs::create_dir_all(data("")).unwrap();
    let (written, questions) = write();
    let version = long_ago::version(&written.path().join(WRITTEN));
    fs::copy(written.path().join(WRITTEN), journal(version)).unwrap();
    let mut versions = vec![version];
    if version == 2 {
        test_support::former_version::write_version_1(&journal(2), &journal(1));
        versions.push(1);
    }
    drop(written);
    for version in versions {
        let parties = Parties::start();
        let gateway = parties.start_on(&journal(version));
        let recorded = answers(&gateway, &parties, &questions).to_json();
        fs::write(data(&format!("version-{version}.json")), recorded).unwrap();
    }
}

/// Returns the folder in which the journal was written, and what can be asked about it.
fn write() -> (TempDir, Answers) {
    let parties = Parties::start();
    let url = parties.biller.url();
    let setup = parties.setup().biller("B0009", &url, "");
    let setup = setup.with("[budget]\ntotal = \"600ms\"");
    let mut author = Author::new(setup.start(), parties);
    history::play(&mut author);
    history::leave_calls_under_way(&mut author);

    let questions = author.questions();
    let folder = author.kill();
    let written = folder.path().join(WRITTEN);
    long_ago::backdate(&written, "paid-five-years-ago", FIVE_YEARS);
    long_ago::backdate(&written, "mark-of-a-day-ended", FIVE_YEARS);
    long_ago::close(&written);
    (folder, questions)
}
