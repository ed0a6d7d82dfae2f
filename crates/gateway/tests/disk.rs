//! Real disks that are full or turn read-only: payments still reach their biller and Redis, and no fact
//! counts as journalled that is not.
//!
//! These tests mount file systems. Where that is not permitted they print so and check nothing.
#![allow(missing_docs, clippy::print_stderr, clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::ResCode::{E403, E801};
use tempfile::TempDir;
use test_support::{
    CREATE, Gateway, PAY_RESULT, PREPAY, RedisServer, Setup, Upstream, assert_own, link,
    pay_result, prepay, until,
};

/// A file system mounted for one test; unmounted when dropped.
struct Disk(TempDir);

impl Disk {
    /// A file system of four mebibytes in memory.
    fn in_memory() -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
    }

    /// A file with a file system that turns read-only on the first fault, as servers' do.
    fn on_image(image: &Path) -> Option<Self> {
        File::create(image).unwrap().set_len(32 << 20).unwrap();
        let mut mkfs = Command::new("mkfs.ext4");
        let status = mkfs.args(["-q", "-F"]).arg(image).status();
        assert!(status.unwrap().success(), "mkfs.ext4");
        let image = image.to_str().unwrap();
        Self::mount(&["-t", "ext4", "-o", "loop,errors=remount-ro", image])
    }

    fn mount(arguments: &[&str]) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(arguments).arg(folder.path()).output().unwrap();
        if mounted.status.success() {
            return Some(Self(folder));
        }
        let why = String::from_utf8_lossy(&mounted.stderr).into_owned();
        let forbidden = [
            "permission denied",
            "must be superuser",
            "not permitted",
            "loop",
        ];
        let is_forbidden = forbidden.iter().any(|words| why.contains(words));
        assert!(is_forbidden, "mount {arguments:?}: {why}");
        eprintln!("SKIPPED, NOTHING IS PROVED: mount {arguments:?} is not permitted here: {why}");
        None
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        let mount = mount.args(["-o", options]).arg(self.0.path());
        assert!(mount.status().unwrap().success(), "mount -o {options}");
    }

    fn ledger(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    /// Fills the file system; `rm` frees it again.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut filler = File::create(&path).unwrap();
        for chunk in [64 << 10, 4 << 10, 1] {
            while filler.write_all(&vec![b'x'; chunk]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a gateway that a failed test left running may still have files open.
        let mut umount = Command::new("umount");
        let _ = umount.arg("-l").arg(self.0.path()).status();
    }
}

/// Starts a gateway on this Redis that has made a link; `toml` sets where its journal is.
fn node(redis: &RedisServer, kakao: &Upstream, biller: &Upstream, toml: &str) -> Gateway {
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[limits]\ndrain = \"1s\"")
        .with(&format!(
            "[ledger]\n{toml}\n[ledger.redis]\nurl = \"{url}\""
        ))
        .start();
    until(|| gateway.post(CREATE, link("probe").to_string()).status == 200);
    gateway
}

fn on(disk: &Disk) -> String {
    format!("path = \"{}\"", disk.ledger().display())
}

fn paid(user: &str) -> String {
    pay_result(user, "P", 1, 20000).to_string()
}

/// Returns how many payments of a customer are in a journal.
fn journalled(folder: &Path, user: &str) -> i64 {
    let journal = rusqlite::Connection::open(folder.join("journal.sqlite3")).unwrap();
    let query = "SELECT count(*) FROM facts WHERE kind = 'payment' AND biller_user_key = ?1";
    journal.query_row(query, [user], |row| row.get(0)).unwrap()
}

/// Checks that payments reach the biller and Redis, that links are refused, and that readiness, metrics and
/// log show it.
fn assert_still_serves(
    gateway: &Gateway,
    other: &Gateway,
    biller: &Upstream,
    user: &str,
    why: &str,
) {
    let delivered = biller.count();
    assert_eq!(gateway.post(PAY_RESULT, paid(user)).res_code(), "OK");
    assert_eq!(biller.count(), delivered + 1);
    assert_own(&other.post(PREPAY, prepay(user).to_string()), 200, E403);
    assert_own(&gateway.post(PREPAY, prepay(user).to_string()), 200, E403);
    assert_own(&gateway.post(CREATE, link(user).to_string()), 503, E801);
    let ready = gateway.get_ops("/health/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("journal"), "{}", ready.text());
    assert!(gateway.metric(r#"relay_ledger_unavailable_total{operation="payment"}"#) > 0);
    assert_eq!(gateway.metric("relay_journal_writable"), 0);
    assert!(gateway.metric("relay_journal_owed_facts") > 0);
    gateway.await_log(|line| {
        let text = line.to_string();
        line["level"] == "error" && text.contains("NOT durable") && text.contains(why)
    });
}

#[test]
fn a_full_disk_delays_no_payment_and_gets_the_backlog_once_there_is_room() {
    let Some(disk) = Disk::in_memory() else {
        return;
    };
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let gateway = node(&redis, &kakao, &biller, &on(&disk));
    let other = node(&redis, &kakao, &biller, "");
    // The warning comes long before that: less than `ledger.low_disk`, a gibibyte, is free.
    let low = gateway.await_log(|line| line.to_string().contains("nearly full"));
    assert_eq!(low["level"], "error");
    assert_eq!(gateway.post(PAY_RESULT, paid("before")).res_code(), "OK");

    let filler = disk.fill();
    for user in ["full1", "full2"] {
        assert_still_serves(&gateway, &other, &biller, user, "full");
    }
    fs::remove_file(filler).unwrap();
    until(|| gateway.get_ops("/health/ready").status == 200);
    until(|| gateway.metric("relay_journal_owed_facts") == 0);
    let _gateway = gateway.kill_and_restart();
    for user in ["before", "full1", "full2"] {
        assert_eq!(journalled(&disk.ledger(), user), 1, "{user}");
    }
}

#[test]
fn a_file_system_that_turns_read_only_delays_no_payment_and_makes_the_stop_unclean() {
    let folder = TempDir::new().unwrap();
    let Some(disk) = Disk::on_image(&folder.path().join("image")) else {
        return;
    };
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let mut gateway = node(&redis, &kakao, &biller, &on(&disk));
    let other = node(&redis, &kakao, &biller, "");
    assert_eq!(gateway.post(PAY_RESULT, paid("before")).res_code(), "OK");
    disk.remount("remount,abort");
    assert_still_serves(&gateway, &other, &biller, "after", "");
    assert_own(
        &gateway.post(PREPAY, prepay("before").to_string()),
        200,
        E403,
    );
    assert_eq!(gateway.terminate(), Some(1));
    gateway.await_log(|line| line.to_string().contains("facts that are in no journal"));
    assert_own(&other.post(PREPAY, prepay("after").to_string()), 200, E403);
}

#[test]
fn a_journal_that_cannot_be_written_prevents_the_start() {
    let Some(disk) = Disk::in_memory() else {
        return;
    };
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    disk.remount("remount,ro");
    let setup = Setup::new(&kakao.url(), &biller.url());
    let setup = setup.with(&format!("[ledger]\n{}", on(&disk)));
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let gateway = gateway.args(["serve", "--config"]).arg(setup.write());
    let refused = gateway.output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let output = [refused.stdout, refused.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    assert!(output.contains("is mounted read-only"), "{output}");
    assert!(output.contains(disk.ledger().to_str().unwrap()), "{output}");
}
