//! Files with which a ledger does not start: each is named with what is wrong and what to do, and nothing is written.
#![allow(clippy::too_many_lines, clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::path::Path;

use ledger::{Ledger, Timestamp};
use rusqlite::Connection;
use support::disk::{Disk, names};
use support::{Node, Store, bill, options, pay};
use tempfile::TempDir;

const FILE: &str = "journal.sqlite3";

fn refusal(directory: &Path) -> String {
    let refused = Ledger::open(&options(directory), Timestamp::now());
    refused.unwrap_err().to_string()
}

/// A journal with some facts, all of it in the one file.
async fn journal() -> TempDir {
    let mut node = Node::alone(&Store::Embedded).await;
    for number in 0..200_u32 {
        node.report(&bill("202611", &number.to_string()), &pay("1", "20000"))
            .await;
    }
    node.stop();
    let copy = TempDir::new().unwrap();
    let all = format!("VACUUM INTO '{}'", copy.path().join(FILE).display());
    let journal = Connection::open(node.directory().join(FILE)).unwrap();
    journal.execute_batch(&all).unwrap();
    copy
}

#[tokio::test]
async fn a_file_that_is_no_whole_journal_is_named_and_stays_as_it_is() {
    type Harm = fn(&Path);
    // what the file is | what is done | what the start says
    let table: &[(&str, Harm, &[&str])] = &[
        (
            "text",
            |file| fs::write(file, "no journal, only text\n".repeat(400)).unwrap(),
            &["not a database", "put back a copy"],
        ),
        (
            "foreign",
            |file| {
                fs::remove_file(file).unwrap();
                let foreign = Connection::open(file).unwrap();
                foreign
                    .execute_batch(
                        "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')",
                    )
                    .unwrap();
            },
            &["a database of another program", "was not changed"],
        ),
        (
            "foreign with a version",
            |file| {
                fs::remove_file(file).unwrap();
                let foreign = Connection::open(file).unwrap();
                foreign
                    .execute_batch("CREATE TABLE songs (title TEXT); PRAGMA user_version = 3")
                    .unwrap();
            },
            &["a database of another program"],
        ),
        (
            "cut",
            |file| {
                let length = fs::metadata(file).unwrap().len();
                fs::OpenOptions::new()
                    .write(true)
                    .open(file)
                    .unwrap()
                    .set_len(length / 2)
                    .unwrap();
            },
            &["is damaged", "put back a copy"],
        ),
        (
            "emptied",
            |file| fs::write(file, "").unwrap(),
            &["is empty", "restore it"],
        ),
        (
            "of a later version",
            |file| {
                let later = Connection::open(file).unwrap();
                later.execute_batch("PRAGMA user_version = 99").unwrap();
            },
            &["a later version", "start that version"],
        ),
        (
            "damaged",
            |file| {
                let mut bytes = fs::read(file).unwrap();
                let end = bytes.len();
                bytes[4_096..end].fill(0x5a);
                fs::write(file, bytes).unwrap();
            },
            &["is damaged", "verify"],
        ),
    ];
    let whole = journal().await;
    for (what, harm, said) in table {
        let copy = TempDir::new().unwrap();
        let file = copy.path().join(FILE);
        fs::copy(whole.path().join(FILE), &file).unwrap();
        harm(&file);
        let before = fs::read(&file).unwrap();
        for _ in 0..2 {
            let printed = refusal(copy.path());
            assert!(
                printed.contains(file.to_str().unwrap()),
                "{what}: {printed}"
            );
            for words in *said {
                assert!(printed.contains(words), "{what}: {printed}");
            }
        }
        assert_eq!(
            fs::read(&file).unwrap(),
            before,
            "{what}: it was written to"
        );
    }
}

#[tokio::test]
async fn a_missing_index_is_made_again_by_a_start() {
    let journal = journal().await;
    let connection = Connection::open(journal.path().join(FILE)).unwrap();
    let indexes =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    let names = |connection: &Connection| -> Vec<String> {
        let mut statement = connection.prepare(indexes).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    let all = names(&connection);
    assert_eq!(all.len(), 11);
    for name in &all {
        connection
            .execute_batch(&format!("DROP INDEX {name}"))
            .unwrap();
    }
    let ledger = Ledger::open(&options(journal.path()), Timestamp::now()).unwrap();
    assert!(
        ledger
            .look_up(&bill("202611", "7"), Timestamp::now())
            .await
            .unwrap()
            .paid
    );
    assert_eq!(names(&connection), all);
    let verified = ledger.verify().await.unwrap();
    assert!(verified.audit.findings.is_empty(), "{verified:?}");
}

#[tokio::test]
async fn a_full_disk_and_one_that_is_read_only_are_named_and_nothing_is_made() {
    let Some(disk) = Disk::of_mebibytes(8) else {
        return;
    };
    let whole = journal().await;
    let ledger = disk.path().join("ledger");
    fs::create_dir(&ledger).unwrap();
    fs::copy(whole.path().join(FILE), ledger.join(FILE)).unwrap();
    let filler = disk.fill();
    let before = fs::read(ledger.join(FILE)).unwrap();
    let printed = refusal(&ledger);
    assert!(
        printed.contains("make room") || printed.contains("is full"),
        "{printed}"
    );
    assert!(printed.contains(FILE), "{printed}");
    assert_eq!(fs::read(ledger.join(FILE)).unwrap(), before);
    fs::remove_file(filler).unwrap();
    disk.remount_read_only();
    let printed = refusal(&ledger);
    assert!(
        printed.contains("read-only") && printed.contains(FILE),
        "{printed}"
    );
    assert!(names(&ledger).contains(&FILE.to_owned()));
}
