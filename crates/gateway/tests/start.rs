//! Starts that find something in the way: one sentence says what, where, and what to do.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use test_support::{
    Caller, Gateway, PAY_RESULT, PREPAY, RedisServer, Setup, Upstream, pay_result, prepay,
};

const LEDGER: &str = "data/ledger";

fn setup() -> Setup {
    Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1")
}

fn journal(folder: &Path) -> PathBuf {
    folder.join(LEDGER).join("journal.sqlite3")
}

/// Starts a gateway once, so that there is a journal, and stops it. Returns the setup of a second start with it.
fn with_journal() -> Setup {
    let biller = Upstream::ok();
    let setup = setup();
    setup.write();
    let file = setup.path().to_path_buf();
    let first = Setup::new("http://127.0.0.1:1", &biller.url())
        .with(&format!(
            "[ledger]\npath = \"{}\"",
            file.join(LEDGER).display()
        ))
        .start();
    let paid = pay_result("u", "P", 1, 20000).to_string();
    assert_eq!(first.post(PAY_RESULT, paid).res_code(), "OK");
    stop(first);
    // All of it is in the one file then.
    let whole = rusqlite::Connection::open(journal(setup.path())).unwrap();
    whole
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    setup
}

/// Starts a gateway that refuses; returns what it printed, which its log has too.
#[track_caller]
fn refused(setup: &Setup) -> String {
    let (log, printed) = setup.fail();
    let fault = printed.trim_end();
    let is_logged = |line: &serde_json::Value| line["fault"] == fault;
    assert!(log.iter().any(is_logged), "{fault}: {log:#?}");
    printed
}

fn stop(mut gateway: Gateway) {
    assert_eq!(gateway.terminate(), Some(0));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_says(printed: &str, words: &[&str]) {
    assert_eq!(printed.trim_end().lines().count(), 1, "{printed}");
    for word in words {
        assert!(printed.contains(word), "`{word}` is missing in: {printed}");
    }
}

#[test]
fn a_journal_that_another_process_holds_is_named_with_that_process() {
    let first = setup().start();
    let ledger = first.path().join(LEDGER);
    let second = setup().with(&format!("[ledger]\npath = \"{}\"", ledger.display()));
    let pid = first.pid().to_string();
    assert_says(
        &refused(&second),
        &["ledger.path", "journal.sqlite3", "in use", &pid, "stop it"],
    );
}

#[test]
fn a_ledger_below_a_file_is_refused() {
    let setup = setup();
    fs::write(setup.path().join("data"), "a file").unwrap();
    assert_says(&refused(&setup), &["ledger.path", LEDGER, "data is a file"]);
}

#[test]
fn a_ledger_that_is_a_file_is_refused() {
    let setup = setup();
    fs::create_dir(setup.path().join("data")).unwrap();
    fs::write(setup.path().join(LEDGER), "a file").unwrap();
    assert_says(
        &refused(&setup),
        &["gateway.toml: ledger.path", LEDGER, "must be a folder"],
    );
}

#[test]
fn a_journal_of_another_user_is_refused() {
    let setup = with_journal();
    let file = journal(setup.path());
    if chown(&file, Some(65_534), None).is_err() {
        return; // Only root can give a file away.
    }
    assert_says(
        &refused(&setup),
        &["ledger.path", "belongs to user 65534", "chown"],
    );
}

#[test]
fn a_damaged_journal_is_refused() {
    type Damage = fn(&Path);
    let no_journal: Damage = |file| fs::write(file, "no journal, only text\n".repeat(400)).unwrap();
    let pages: Damage = |file| {
        let mut bytes = fs::read(file).unwrap();
        let length = bytes.len();
        bytes[4_096..length].fill(0x5a);
        fs::write(file, bytes).unwrap();
    };
    for damage in [no_journal, pages] {
        let setup = with_journal();
        damage(&journal(setup.path()));
        assert_says(
            &refused(&setup),
            &[
                "ledger.path",
                "journal.sqlite3",
                "damaged",
                "put back a copy",
            ],
        );
    }
}

#[test]
fn a_folder_and_a_journal_that_others_may_read_are_made_private() {
    let setup = with_journal();
    let (folder, file) = (setup.path().join(LEDGER), journal(setup.path()));
    set_mode(&folder, 0o755);
    set_mode(&file, 0o644);
    let gateway = setup.start();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    for what in [
        "folder could be read by others",
        "journal could be read by others",
    ] {
        gateway.await_log(|line| line.to_string().contains(what));
    }
}

#[test]
fn a_folder_that_others_may_read_and_that_holds_other_things_is_refused_and_left_alone() {
    let setup = setup();
    let folder = setup.path().join(LEDGER);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("letters.txt"), "somebody's").unwrap();
    set_mode(&folder, 0o755);
    let printed = refused(&setup);
    assert_says(
        &printed,
        &[
            "ledger.path",
            "may be read by others",
            "letters.txt",
            "chmod 700",
        ],
    );
}

#[test]
fn a_redis_that_refuses_the_password_is_refused_and_one_that_is_away_is_not() {
    let redis = RedisServer::durable(&["--requirepass", "right"]);
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}/0", redis.port());
    let with = |url: &str| setup().with(&format!("[ledger.redis]\nurl = \"{url}\""));
    for (login, code) in [(":wrong@", "WRONGPASS"), ("", "NOAUTH")] {
        let setup = with(&url(login));
        let folder = setup.path().join(LEDGER);
        let port = redis.port().to_string();
        assert_says(
            &refused(&setup),
            &["ledger.redis", &port, code, "password_file"],
        );
        assert!(!folder.exists(), "no journal was made");
    }
    let open = RedisServer::start();
    let needless = format!("redis://:needless@127.0.0.1:{}/0", open.port());
    assert_says(
        &refused(&with(&needless)),
        &["ledger.redis", "without any password"],
    );
    let right = with(&url(":right@")).start();
    assert_eq!(right.get_ops("/health/ready").status, 200);
    let away = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let away = with(&format!("redis://:wrong@{away}/0")).start();
    assert_eq!(away.get_ops("/health/ready").status, 200);
}

#[test]
fn an_evicting_redis_is_warned_about() {
    let redis =
        RedisServer::durable(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = setup()
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .start();
    gateway.await_log(|line| {
        let text = line.to_string();
        line["level"] == "warn" && text.contains("allkeys-lru") && text.contains("noeviction")
    });
}

/// Opens connections and leaves them idle.
fn idle(gateway: &Gateway, connections: usize) -> Vec<Caller> {
    (0..connections).map(|_| gateway.caller()).collect()
}

#[test]
fn a_soft_limit_of_files_below_the_need_is_raised() {
    let biller = Upstream::ok();
    let gateway = Setup::new("http://127.0.0.1:1", &biller.url())
        .with("[limits]\nconnections = 700\nconnections_per_address = 700")
        .start_with_files((256, 2_048));
    let _idle = idle(&gateway, 600);
    for pay_id in 1..=20 {
        let paid = pay_result("u", "P", pay_id, 20000).to_string();
        assert_eq!(gateway.post(PAY_RESULT, paid).res_code(), "OK");
    }
    assert_eq!(gateway.get_ops("/health/ready").status, 200);
    assert_eq!(gateway.metric("process_max_fds"), 1_528);
}

#[test]
fn a_hard_limit_of_files_below_the_need_lowers_the_connections_and_calls_succeed() {
    let biller = Upstream::ok();
    let gateway = Setup::new("http://127.0.0.1:1", &biller.url()).start_with_files((300, 300));
    let warned = gateway.await_log(|line| line.to_string().contains("limits.connections"));
    assert_eq!(
        (&warned["level"], &warned["connections"]),
        (&"warn".into(), &86.into())
    );
    let mut served = gateway.caller();
    let ask = |caller: &mut Caller, pay_id| {
        let paid = pay_result("u", "P", pay_id, 20000).to_string();
        caller.post(PAY_RESULT, paid).res_code()
    };
    assert_eq!(ask(&mut served, 1), "OK");
    let _idle = idle(&gateway, 200);
    for pay_id in 2..=20 {
        assert_eq!(ask(&mut served, pay_id), "OK");
    }
    let prepaid = served.post(PREPAY, prepay("other").to_string());
    assert_eq!(prepaid.res_code(), "OK");
    assert_eq!(gateway.get_ops("/health/ready").status, 200);
    assert!(gateway.metric("relay_connections_refused_total") > 0);
}
