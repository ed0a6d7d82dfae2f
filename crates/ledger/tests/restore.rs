//! A backup taken into service: as a node of its own, whole or not at all.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod support;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use ledger::{Ledger, Options, Timestamp, restore, verify_offline};
use rusqlite::Connection;
use support::disk::{Disk, names};
use support::payments::{bill_of, facts_in, pay_all};
use support::{Node, Store, time};
use tempfile::TempDir;
use test_support::RedisServer;

const JOURNAL: &str = "journal.sqlite3";

/// A node that has been paid so many bills, and a backup of it.
struct BackedUp {
    node: Node,
    folder: TempDir,
    file: PathBuf,
}

async fn backed_up(payments: usize, bytes: usize) -> BackedUp {
    let node = Node::alone(&Store::Embedded).await;
    for begin in (0..payments).step_by(50) {
        pay_all(&node, begin..payments.min(begin + 50), bytes).await;
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("backup.sqlite3");
    node.ledger().backup(&file).await.unwrap();
    BackedUp { node, folder, file }
}

fn open(directory: &Path) -> Result<Ledger, String> {
    let options = Options::embedded(directory.to_path_buf());
    let now: Timestamp = time("20261124120000");
    Ledger::open(&options, now).map_err(|error| error.to_string())
}

fn node_row(journal: &Path) -> (u32, i64) {
    let journal = Connection::open(journal).unwrap();
    let query = "SELECT number, identity FROM node";
    journal
        .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

#[tokio::test]
async fn a_restored_journal_starts_as_another_node_that_knows_what_was_backed_up() {
    let backed_up = backed_up(40, 300).await;
    let (node, file) = (&backed_up.node, &backed_up.file);
    pay_all(node, 40..50, 300).await;
    let directory = TempDir::new().unwrap();
    let ledger_folder = directory.path().join("made/on/the/way");
    let began = Instant::now();
    let restored = restore(file, &ledger_folder).unwrap();
    let ledger = open(&ledger_folder).unwrap();
    eprintln!("restored and started in {:?}", began.elapsed());

    assert_eq!(restored.facts, 40);
    assert_eq!(names(&ledger_folder).first().unwrap(), JOURNAL);
    for number in 0..50 {
        let paid = ledger
            .look_up(&bill_of(number), time("20261124120000"))
            .await
            .unwrap()
            .paid;
        assert_eq!(paid, number < 40, "bill {number}");
    }
    drop(ledger);
    let (number, identity) = node_row(&ledger_folder.join(JOURNAL));
    let original = node_row(&node.directory().join(JOURNAL));
    assert_eq!(number, restored.node);
    assert!(number != original.0 && identity != original.1);
    // What the original goes on with is none of the copy's business.
    pay_all(node, 50..51, 300).await;
    assert_eq!(facts_in(node.directory()).len(), 51);
    let audit = verify_offline(&ledger_folder, |_| {}).unwrap();
    assert_eq!(
        (audit.payments, audit.findings.kept.len()),
        (40, 0),
        "{audit:?}"
    );
}

#[tokio::test]
async fn the_journal_of_a_gateway_that_was_killed_is_restored_with_what_its_log_holds() {
    let node = Node::alone(&Store::Embedded).await;
    pay_all(&node, 0..20, 300).await;
    // As a kill leaves them: nothing was brought from the log to the file.
    let folder = TempDir::new().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{JOURNAL}{suffix}");
        fs::copy(node.directory().join(&name), folder.path().join(&name)).unwrap();
    }
    let directory = TempDir::new().unwrap();
    let restored = restore(&folder.path().join(JOURNAL), directory.path()).unwrap();
    assert_eq!(restored.facts, 20);
    assert_eq!(names(directory.path()), [JOURNAL]);
}

/// Files beside a backup that are none.
fn make_bad_files(folder: &TempDir, file: &Path) {
    let path = |name: &str| folder.path().join(name);
    let altered = |name: &str, alter: &dyn Fn(&Path)| {
        fs::copy(file, path(name)).unwrap();
        alter(&path(name));
    };
    let execute = |file: &Path, statement: &str| {
        let file = Connection::open(file).unwrap();
        file.execute_batch(statement).unwrap();
    };
    let bytes = fs::metadata(file).unwrap().len();
    altered("cut", &|file| {
        let file = OpenOptions::new().write(true).open(file).unwrap();
        file.set_len(bytes / 2 + 100).unwrap();
    });
    altered("damaged", &|file| {
        let file = OpenOptions::new().write(true).open(file).unwrap();
        file.write_all_at(&vec![0xa5; 8192], bytes / 8192 * 4096)
            .unwrap();
    });
    altered("later", &|file| execute(file, "PRAGMA user_version = 99"));
    altered("no-node", &|file| execute(file, "DELETE FROM node"));
    fs::write(path("text"), "pay_id,amount\n").unwrap();
    fs::write(path("empty"), "").unwrap();
    execute(&path("foreign"), "CREATE TABLE music (title TEXT)");
    fs::create_dir(path("folder")).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_whole_backup_is_named_with_what_to_do_and_nothing_is_restored() {
    let backed_up = backed_up(200, 300).await;
    make_bad_files(&backed_up.folder, &backed_up.file);
    let path = |name: &str| backed_up.folder.path().join(name);
    let running = backed_up.node.directory().join(JOURNAL);
    // the file | why | what to do
    let table = [
        (path("cut"), "is cut short", "take another backup"),
        (path("damaged"), "is damaged", "take another backup"),
        (
            path("later"),
            "journal version 99, this one reads up to",
            "start that version",
        ),
        (
            path("no-node"),
            "is damaged (it has 0 nodes)",
            "take another backup",
        ),
        (
            path("text"),
            "is no journal",
            "name a file that `gateway ledger backup` made",
        ),
        (
            path("empty"),
            "is no journal",
            "name a file that `gateway ledger backup` made",
        ),
        (
            path("foreign"),
            "is no journal of this gateway",
            "name a file that",
        ),
        (path("folder"), "is no file", "name the file of a backup"),
        (path("nothing"), "there is no such file", ""),
        (
            running,
            "is the journal of a running gateway",
            "gateway ledger backup",
        ),
    ];
    for (from, why, what) in table {
        let directory = TempDir::new().unwrap();
        let said = restore(&from, directory.path()).unwrap_err().to_string();
        let from = from.to_str().unwrap();
        let is_named = said.starts_with(from) || why.contains("version");
        assert!(is_named, "{from}: {said}");
        assert!(said.contains(why) && said.contains(what), "{from}: {said}");
        assert!(names(directory.path()).is_empty(), "{from}");
    }
}

#[tokio::test]
async fn nothing_is_restored_over_a_journal_or_what_is_left_of_one() {
    let backed_up = backed_up(1, 300).await;
    let file = &backed_up.file;
    for there in [JOURNAL, "journal.sqlite3-wal"] {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(there), "kept").unwrap();
        let said = restore(file, directory.path()).unwrap_err().to_string();
        assert!(
            said.contains(there) && said.contains("overwrites nothing"),
            "{said}"
        );
        assert_eq!(names(directory.path()), [there]);
        assert_eq!(fs::read(directory.path().join(there)).unwrap(), b"kept");
    }
}

#[tokio::test]
async fn a_disk_without_room_and_one_that_is_read_only_are_named() {
    let backed_up = backed_up(200, 60_000).await;
    let file = &backed_up.file;
    let Some(disk) = Disk::of_mebibytes(4) else {
        return;
    };
    let said = restore(file, disk.path()).unwrap_err().to_string();
    assert!(
        said.contains("bytes free") && said.contains("make room"),
        "{said}"
    );
    assert!(said.starts_with(disk.path().to_str().unwrap()), "{said}");
    assert!(disk.names().is_empty());
    disk.remount_read_only();
    let said = restore(file, disk.path()).unwrap_err().to_string();
    assert!(said.contains("mounted read-only"), "{said}");
    assert!(said.starts_with(disk.path().to_str().unwrap()), "{said}");
}

/// What the test below starts as a process of its own.
#[test]
#[ignore = "is started by another test"]
fn a_restore_to_be_killed() {
    let of = |name: &str| PathBuf::from(std::env::var_os(name).unwrap());
    restore(&of("RESTORE_FROM"), &of("RESTORE_TO")).unwrap();
}

/// Whether a moment has come, by what is seen and the size of the backup.
type Moment = fn((u64, bool), u64) -> bool;

/// What can be seen of a restore from outside.
fn seen(directory: &Path) -> (u64, bool) {
    let copy = fs::metadata(directory.join("journal.sqlite3.restoring"));
    let log = directory.join("journal.sqlite3.restoring-wal").exists();
    (copy.map_or(0, |copy| copy.len()), log)
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_a_whole_journal_or_none_that_a_start_would_take() {
    let backed_up = backed_up(600, 60_000).await;
    let file = &backed_up.file;
    let bytes = fs::metadata(file).unwrap().len();
    let mut interrupted = 0;
    // The restore is killed as soon as this can be seen of it.
    let moments: [Moment; 4] = [
        |(copied, _), _| copied > 0,
        |(copied, _), bytes| copied > bytes / 2,
        |(copied, _), bytes| copied >= bytes,
        |(_, log), _| log,
    ];
    for has_come in moments {
        let directory = TempDir::new().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_restore_to_be_killed", "--ignored"])
            .env("RESTORE_FROM", file)
            .env("RESTORE_TO", directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !has_come(seen(directory.path()), bytes) && process.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        if !directory.path().join(JOURNAL).exists() {
            interrupted += 1;
            let said = open(directory.path()).unwrap_err();
            assert!(said.contains("journal.sqlite3.restoring"), "{said}");
            assert!(
                said.contains("run `gateway ledger restore` again"),
                "{said}"
            );
            restore(file, directory.path()).unwrap();
        }
        assert_eq!(names(directory.path()), [JOURNAL]);
        let audit = verify_offline(directory.path(), |_| {}).unwrap();
        assert_eq!(
            (audit.payments, audit.findings.kept.len()),
            (600, 0),
            "{audit:?}"
        );
        open(directory.path()).unwrap();
    }
    assert!(interrupted >= 3, "{interrupted} of four were interrupted");
}

/// What `docs/operations.md` says of a lost disk, step by step.
#[tokio::test]
async fn a_lost_disk_costs_what_came_after_the_last_backup_and_nothing_that_redis_has() {
    let server = Arc::new(RedisServer::start());
    for store in [Store::Embedded, Store::shared(&server)] {
        let mut node = Node::on(&store).await;
        pay_all(&node, 0..50, 300).await;
        let kept = TempDir::new().unwrap();
        let backup = kept.path().join("backup.sqlite3");
        node.ledger().backup(&backup).await.unwrap();
        pay_all(&node, 50..60, 300).await;
        node.stop();
        for name in names(node.directory()) {
            fs::remove_file(node.directory().join(name)).unwrap();
        }

        let began = Instant::now();
        let restored = restore(&backup, node.directory()).unwrap();
        node.restart().await;
        eprintln!("{store:?}: taking calls again after {:?}", began.elapsed());
        assert_eq!(restored.facts, 50);
        let has_redis = !matches!(store, Store::Embedded);
        for number in 0..60 {
            let expected = number < 50 || has_redis;
            assert_eq!(
                node.is_paid(&bill_of(number)).await,
                expected,
                "{store:?} {number}"
            );
        }
        // What was under way at the backup is to be told to the billers: nothing says that they heard of it.
        assert_eq!(node.ledger().undelivered(), 50);
    }
}
