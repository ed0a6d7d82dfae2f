//! A journal and its copy never run side by side as one node.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ledger::redis::{Node as Server, Settings, Topology, ValueKey};
use ledger::{Ledger, Options, restore};
use redis::Value;
use rusqlite::Connection;
use support::{eventually, time};
use tempfile::TempDir;
use test_support::RedisServer;
use test_support::redis::{Cluster, Network, SERVICE, Watched};

const JOURNAL: &str = "journal.sqlite3";

/// What a copy is told that starts beside its original.
const TAKEN: &str = "is running already";

fn settings(topology: Topology) -> Settings {
    Settings {
        topology,
        database: 0,
        username: None,
        password: None,
        key_prefix: "relay".to_owned(),
        value_key: None,
        tls: None,
        timeout: Duration::from_secs(2),
    }
}

fn standalone(port: u16) -> Settings {
    settings(Topology::Standalone(Server::new("127.0.0.1", port)))
}

fn open(directory: &Path, redis: Option<Settings>) -> Result<Ledger, String> {
    let options = Options {
        redis,
        ..Options::embedded(directory.to_path_buf())
    };
    Ledger::open(&options, time("20261124120000")).map_err(|error| error.to_string())
}

/// Copies a journal byte by byte, with its log, as `cp` does.
fn copy_of(directory: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{JOURNAL}{suffix}");
        if directory.join(&name).exists() {
            fs::copy(directory.join(&name), copy.path().join(&name)).unwrap();
        }
    }
    copy
}

/// The journal's node, and its identity.
fn row(directory: &Path) -> (u32, i64) {
    let journal = Connection::open(directory.join(JOURNAL)).unwrap();
    let query = "SELECT number, identity FROM node";
    let row = journal.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
    row.unwrap()
}

/// A copy is refused beside its original, and the original beside a copy that has taken its place.
fn check_on(settings: &Settings) {
    let with = || Some(settings.clone());
    let folder = TempDir::new().unwrap();
    let original = open(folder.path(), with()).unwrap();
    let copy = copy_of(folder.path());
    let said = open(copy.path(), with()).unwrap_err();
    let number = row(copy.path()).0;
    for words in [
        copy.path().to_str().unwrap(),
        TAKEN,
        &format!("node {number} "),
        &format!("process {} on ", std::process::id()),
        "Stop one of the two",
        "gateway ledger restore",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!original.is_node_number_taken());
    assert!(
        open(copy.path(), with()).unwrap_err().contains(TAKEN),
        "and so it is again"
    );
    drop(original);

    // An original that stopped leaves its number to the copy at once.
    let moved = open(copy.path(), with()).unwrap();
    assert!(!moved.is_node_number_taken());
    let said = open(folder.path(), with()).unwrap_err();
    assert!(said.contains(TAKEN), "{said}");
    drop(moved);
    open(folder.path(), with()).unwrap();
}

#[test]
fn a_copy_of_a_journal_is_refused_while_its_original_runs() {
    let server = RedisServer::durable(&[]);
    check_on(&standalone(server.port()));
    // A forged value, or one from before the key, keeps nobody from starting.
    let keyed = Settings {
        value_key: Some(ValueKey::new("a secret of thirty-two characters")),
        key_prefix: "keyed".to_owned(),
        ..standalone(server.port())
    };
    check_on(&keyed);
    let folder = TempDir::new().unwrap();
    drop(open(folder.path(), None).unwrap());
    let key = format!("keyed:node:{}", row(folder.path()).0);
    server.tell(&["SET", &key, "1 5 elsewhere 6 1 7 db1"]);
    let ledger = open(folder.path(), Some(keyed)).unwrap();
    assert!(!ledger.is_node_number_taken());
    let length = server.ask(&["STRLEN", &key]).unwrap();
    assert!(matches!(length, Value::Int(60..)), "replaced: {length:?}");
}

#[test]
fn a_copy_of_a_journal_is_refused_through_a_cluster() {
    let cluster = Cluster::start(Network::Direct);
    let members = cluster.members.iter();
    let nodes = members.map(|member| Server::new("127.0.0.1", member.port()));
    check_on(&settings(Topology::Cluster {
        nodes: nodes.collect(),
    }));
}

#[test]
fn a_copy_of_a_journal_is_refused_through_sentinels() {
    let watched = Watched::start(Network::Direct);
    let sentinels = watched.sentinels.iter();
    let nodes = sentinels.map(|sentinel| Server::new("127.0.0.1", sentinel.port()));
    check_on(&settings(Topology::Sentinel {
        service: SERVICE.to_owned(),
        nodes: nodes.collect(),
    }));
}

#[tokio::test]
async fn a_restored_journal_runs_beside_its_original() {
    let server = RedisServer::durable(&[]);
    let with = || Some(standalone(server.port()));
    let folder = TempDir::new().unwrap();
    let original = open(folder.path(), with()).unwrap();
    let backup = folder.path().join("backup");
    original.backup(&backup).await.unwrap();
    let other = TempDir::new().unwrap();
    restore(&backup, other.path()).unwrap();
    let restored = open(other.path(), with()).unwrap();
    assert!(!original.is_node_number_taken() && !restored.is_node_number_taken());
    let (one, two) = (row(folder.path()), row(other.path()));
    assert!(one.0 != two.0 && one.1 != two.1, "{one:?} {two:?}");
    // The backup itself, put into a folder by hand, is the original's copy.
    let by_hand = TempDir::new().unwrap();
    fs::copy(&backup, by_hand.path().join(JOURNAL)).unwrap();
    assert!(open(by_hand.path(), with()).unwrap_err().contains(TAKEN));
}

/// What the test below starts as a process of its own.
#[test]
#[ignore = "is started by another test"]
fn a_node_to_be_killed() {
    let directory = PathBuf::from(std::env::var_os("NODE_LEDGER").unwrap());
    let port = std::env::var("NODE_REDIS").unwrap().parse().unwrap();
    let _ledger = open(&directory, Some(standalone(port))).unwrap();
    println!("\nruns");
    std::thread::park();
}

#[test]
fn a_node_that_was_killed_starts_again_at_once_and_its_copy_does_not() {
    let server = RedisServer::durable(&[]);
    let folder = TempDir::new().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_node_to_be_killed", "--ignored", "--nocapture"])
        .env("NODE_LEDGER", folder.path())
        .env("NODE_REDIS", server.port().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line == "runs"));
    process.kill().unwrap();
    process.wait().unwrap();
    let copy = copy_of(folder.path());
    let key = format!("relay:node:{}", row(folder.path()).0);
    assert_eq!(
        server.ask(&["EXISTS", &key]).unwrap(),
        Value::Int(1),
        "its number is held still"
    );
    let said = open(copy.path(), Some(standalone(server.port()))).unwrap_err();
    assert!(
        said.contains(TAKEN) && said.contains("start again in 15 s"),
        "{said}"
    );

    let began = Instant::now();
    let ledger = open(folder.path(), Some(standalone(server.port()))).unwrap();
    let took = began.elapsed();
    eprintln!("started {took:?} after kill -9");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(!ledger.is_node_number_taken());
    assert_eq!(
        server.ask(&["EXISTS", &key]).unwrap(),
        Value::Int(1),
        "its number is held still"
    );
}

#[tokio::test]
async fn a_copy_that_started_without_redis_is_not_ready_once_it_is_back_and_the_original_is() {
    let server = RedisServer::durable(&["--appendfsync", "always"]);
    let with = || Some(standalone(server.port()));
    let folder = TempDir::new().unwrap();
    let original = open(folder.path(), with()).unwrap();
    server.kill();
    let copy = copy_of(folder.path());
    let began = Instant::now();
    let copied = open(copy.path(), with()).unwrap();
    eprintln!("started {:?} after it found Redis away", began.elapsed());
    assert!(!copied.is_node_number_taken(), "nobody says so yet");
    server.start_again();
    eventually(async || copied.is_node_number_taken()).await;
    assert!(!original.is_node_number_taken());
    drop(original);
    eventually(async || !copied.is_node_number_taken()).await;
}

#[test]
fn a_journal_that_is_opened_elsewhere_draws_a_new_identity_and_one_that_stays_keeps_its_own() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path(), None).unwrap());
    let first = row(folder.path());
    drop(open(folder.path(), None).unwrap());
    assert_eq!(row(folder.path()), first, "it stayed");
    let renamed = folder.path().with_extension("renamed");
    fs::rename(folder.path(), &renamed).unwrap();
    drop(open(&renamed, None).unwrap());
    assert_eq!(row(&renamed), first, "the same file under another name");
    let copy = copy_of(&renamed);
    drop(open(copy.path(), None).unwrap());
    let second = row(copy.path());
    assert_eq!(second.0, first.0);
    assert_ne!(second.1, first.1);
    assert_eq!(row(&renamed), first, "the original's stays");
    // A journal of before has no place yet, and keeps the identity that it is given.
    let journal = Connection::open(copy.path().join(JOURNAL)).unwrap();
    journal.execute("UPDATE node SET place = NULL", []).unwrap();
    drop(journal);
    drop(open(copy.path(), None).unwrap());
    assert_eq!(row(copy.path()), second);
    fs::remove_dir_all(renamed).unwrap();
}
