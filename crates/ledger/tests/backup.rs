//! A backup of a running node: whole, of one moment, and no harm where it fails.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::{JournalError, restore, verify_offline};
use support::disk::{Disk, names};
use support::payments::{bill_of, facts_in, pay_all};
use support::{Node, Store, eventually};
use tempfile::TempDir;
use tokio::time::{Instant, interval};

/// A pay-result as large as they come, so that a journal of a second's copying is soon written.
const LARGE: usize = 60_000;

/// A node whose journal takes some 30 MiB.
async fn with_a_large_journal() -> Node {
    let node = Node::alone(&Store::Embedded).await;
    for begin in (0..500).step_by(50) {
        pay_all(&node, begin..begin + 50, LARGE).await;
    }
    node
}

#[tokio::test]
async fn a_backup_while_five_hundred_facts_a_second_are_written_is_the_journal_of_one_moment() {
    let node = with_a_large_journal().await;
    let before = facts_in(node.directory()).len();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("copy of 1 %41?.sqlite3");
    let is_over = AtomicBool::new(false);
    let paid = async {
        let mut ticks = interval(Duration::from_millis(20));
        let (mut next, began, mut slowest) = (1_000, Instant::now(), Duration::ZERO);
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let asked = Instant::now();
            pay_all(&node, next..next + 10, 300).await;
            slowest = slowest.max(asked.elapsed());
            next += 10;
        }
        (next - 1_000, began.elapsed(), slowest)
    };
    let backup = async {
        let report = node.ledger().backup(&file).await;
        is_over.store(true, Ordering::Relaxed);
        report.unwrap()
    };
    let (report, (payments, lasted, slowest)) = tokio::join!(backup, paid);
    eprintln!(
        "{report:?}; meanwhile {payments} payments in {lasted:?}, the slowest ten took {slowest:?}"
    );

    let all = facts_in(node.directory());
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!(metadata.len(), report.bytes);
    assert_eq!(metadata.mode() & 0o777, 0o600, "others may not read it");
    assert_eq!(names(folder.path()), ["copy of 1 %41?.sqlite3"]);
    let restored = TempDir::new().unwrap();
    let taken = restore(&file, restored.path()).unwrap();
    assert_eq!(taken.facts, report.facts);
    let copied = facts_in(restored.path());
    assert_eq!(copied.len() as u64, report.facts);
    assert_eq!(
        copied,
        all[..copied.len()],
        "a prefix of the journal, and nothing else"
    );
    assert!(
        copied.len() > before + 50,
        "what was committed while it was copied is in it: {} of {before}",
        copied.len()
    );
    let audit = verify_offline(restored.path(), |_| {}).unwrap();
    assert_eq!(audit.findings.kept.len(), 0, "{audit:?}");
    assert_eq!(audit.payments, report.facts);
}

#[tokio::test]
async fn a_second_backup_waits_for_nobody_and_is_refused() {
    let node = with_a_large_journal().await;
    let folder = TempDir::new().unwrap();
    let one = node.ledger().backup(&folder.path().join("one"));
    let other = node.ledger().backup(&folder.path().join("other")).await;
    assert!(
        matches!(other, Err(JournalError::BackupRunning)),
        "{other:?}"
    );
    one.await.unwrap();
    node.ledger()
        .backup(&folder.path().join("other"))
        .await
        .unwrap();
    assert_eq!(names(folder.path()), ["one", "other"]);
}

#[tokio::test]
async fn a_backup_that_nobody_waits_for_any_more_leaves_nothing_and_the_journal_goes_on() {
    let node = with_a_large_journal().await;
    let folder = TempDir::new().unwrap();
    let backup = node.ledger().backup(&folder.path().join("copy"));
    eventually(async || names(folder.path()) == ["copy.partial"]).await;
    drop(backup);
    eventually(async || names(folder.path()).is_empty()).await;
    pay_all(&node, 2_000..2_001, 300).await;
    assert!(node.is_paid(&bill_of(2_000)).await);
}

#[tokio::test]
async fn a_ledger_that_is_closed_ends_its_backup_first() {
    let mut node = with_a_large_journal().await;
    let folder = TempDir::new().unwrap();
    let backup = node.ledger().backup(&folder.path().join("copy"));
    eventually(async || names(folder.path()) == ["copy.partial"]).await;
    node.stop();
    assert!(names(folder.path()).is_empty(), "gone before the ledger is");
    let outcome = backup.await;
    assert!(
        matches!(outcome, Err(JournalError::BackupCancelled)),
        "{outcome:?}"
    );
    node.restart().await;
    assert!(node.is_paid(&bill_of(499)).await);
}

#[tokio::test]
async fn a_target_that_cannot_be_written_is_named_with_what_to_do() {
    let node = Node::alone(&Store::Embedded).await;
    pay_all(&node, 0..3, 300).await;
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("there"), "something").unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling")).unwrap();
    fs::write(path("left.partial"), "half").unwrap();
    let before = names(folder.path());
    // the target | which file is named | why | what to do
    for (target, named, why, what) in [
        ("there", "there", "exists already", "name another file"),
        (
            "dangling",
            "dangling",
            "exists already",
            "name another file",
        ),
        (
            "left",
            "left.partial",
            "a backup was interrupted",
            "remove it",
        ),
        (
            "no/folder",
            "no/folder",
            "there is no folder",
            "make it first",
        ),
        (
            "there/below",
            "there/below",
            "is a file, and no folder can be below it",
            "",
        ),
        ("..", "..", "names no file", ""),
    ] {
        refused_as(&node, &path(target), &path(named), [why, what]).await;
    }
    assert_eq!(names(folder.path()), before, "nothing came, nothing went");
    assert_eq!(fs::read(path("there")).unwrap(), b"something");
    assert_eq!(fs::read(path("left.partial")).unwrap(), b"half");
}

#[tokio::test]
async fn a_disk_without_room_and_one_that_is_read_only_are_named_and_left_as_they_are() {
    let node = with_a_large_journal().await;
    let Some(disk) = Disk::of_mebibytes(4) else {
        return;
    };
    let target = disk.path().join("copy");
    refused_as(
        &node,
        &target,
        &target,
        ["bytes free", "name a file on another disk"],
    )
    .await;
    assert!(disk.names().is_empty());
    disk.remount_read_only();
    refused_as(&node, &target, &target, ["mounted read-only", ""]).await;
}

#[tokio::test]
async fn a_disk_that_fills_up_meanwhile_ends_the_backup_and_not_the_payments() {
    let node = with_a_large_journal().await;
    let folder = TempDir::new().unwrap();
    let Some(disk) = Disk::without_reservations(96, &folder.path().join("image")) else {
        return;
    };
    let target = disk.path().join("copy");
    let backup = node.ledger().backup(&target);
    let copying = disk.path().join("copy.partial");
    eventually(async || fs::metadata(&copying).is_ok_and(|partial| partial.len() > 1 << 20)).await;
    disk.fill();
    pay_all(&node, 2_000..2_010, 300).await;
    let said = backup.await.unwrap_err().to_string();
    assert!(said.contains(copying.to_str().unwrap()), "{said}");
    assert!(said.contains("its file system is full"), "{said}");
    assert_eq!(disk.names(), ["filler"]);
    assert!(node.ledger().is_journal_writable());
    pay_all(&node, 2_010..2_020, 300).await;
}

#[tokio::test]
async fn a_backup_takes_its_room_first_and_a_disk_that_fills_up_meanwhile_harms_nothing() {
    let node = with_a_large_journal().await;
    let Some(disk) = Disk::of_mebibytes(80) else {
        return;
    };
    let target = disk.path().join("copy");
    let backup = node.ledger().backup(&target);
    let copying = disk.path().join("copy.partial");
    eventually(async || fs::metadata(&copying).is_ok_and(|partial| partial.len() > 1 << 20)).await;
    let filler = fs::metadata(disk.fill()).unwrap().len();
    let report = backup.await.unwrap();
    assert!(filler + report.bytes <= 80 << 20, "{filler} {report:?}");
    assert_eq!(disk.names(), ["copy", "filler"]);
}

/// A backup to `target` fails, and names a file, why, and what to do.
async fn refused_as(node: &Node, target: &Path, named: &Path, words: [&str; 2]) {
    let said = node.ledger().backup(target).await.unwrap_err().to_string();
    assert!(said.starts_with(named.to_str().unwrap()), "{said}");
    for words in words {
        assert!(said.contains(words), "{words}: {said}");
    }
}
