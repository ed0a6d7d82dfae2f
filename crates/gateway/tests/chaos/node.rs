//! One `gateway serve`, killed and restarted on the same files.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_support::{Process, SlowReads, former_version, hex, with_ledger_cache};

use crate::bill::BILLERS;
use crate::clock::{PATIENCE, until};
use crate::journal::Journal;
use crate::ops::{Ops, TOKEN};

/// How many nodes share the Redis of a run.
pub const NODES: usize = 3;

pub const ALL_NODES: [usize; NODES] = [0, 1, 2];

/// The `Authorization` header of every biller.
pub const AUTHORIZATION: &str = "KakaoAK chaos";

/// The budget of a call. Shorter than the default, so that more happens in a run.
pub const BUDGET: std::time::Duration = std::time::Duration::from_secs(1);

/// The listen addresses of a running node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub public: SocketAddr,
    pub ops: SocketAddr,
}

/// A gateway, or one after the other where disks are destroyed; killed when dropped.
#[derive(Debug)]
pub struct Node {
    directory: PathBuf,
    redis: String,
    parties: Parties,
    process: Mutex<Option<Process>>,
    addresses: RwLock<Option<Addresses>>,
    reads: SlowReads,
    /// How many backups were made.
    backups: AtomicUsize,
    /// How many nodes were here before that are gone for ever: each has its ledger in another folder.
    replaced: AtomicUsize,
}

impl Node {
    /// Writes the configuration and starts the node.
    pub fn start(directory: &TempDir, number: usize, redis: String, parties: &Parties) -> Self {
        let directory = directory.path().join(format!("node-{number}"));
        fs::create_dir_all(&directory).unwrap();
        let node = Self {
            redis,
            parties: parties.clone(),
            process: Mutex::default(),
            addresses: RwLock::default(),
            reads: SlowReads::of("journal.sqlite3", &directory),
            backups: AtomicUsize::new(0),
            replaced: AtomicUsize::new(0),
            directory,
        };
        node.write_configuration();
        node.start_again();
        node
    }

    /// Returns `None` while the node is down.
    pub fn addresses(&self) -> Option<Addresses> {
        *self.addresses.read().unwrap()
    }

    pub fn journal(&self) -> PathBuf {
        self.ledger().join("journal.sqlite3")
    }

    /// Returns the ledger's folder.
    pub fn ledger(&self) -> PathBuf {
        self.directory.join(self.ledger_path())
    }

    fn ledger_path(&self) -> String {
        format!("data-{}/ledger", self.replaced.load(Ordering::Relaxed))
    }

    pub fn reads(&self) -> &SlowReads {
        &self.reads
    }

    /// Copies the journal to a file while the gateway serves.
    pub fn back_up(&self) -> PathBuf {
        let number = self.backups.fetch_add(1, Ordering::Relaxed);
        let backup = self.directory.join(format!("backup-{number}.sqlite3"));
        Journal::open(&self.journal()).copy_to(&backup);
        backup
    }

    /// Puts a backup in the place of the journal. The gateway must be down.
    pub fn restore(&self, backup: &Path) {
        let folder = TempDir::new_in(&self.directory).unwrap();
        self.take_journal_away(folder.path());
        ledger::restore(backup, &self.ledger()).unwrap();
    }

    /// Writes the journal anew as version 1 would have. The gateway must be down.
    pub fn write_journal_of_version_1(&self) {
        let folder = TempDir::new_in(&self.directory).unwrap();
        self.take_journal_away(folder.path());
        former_version::write_version_1(&folder.path().join("journal.sqlite3"), &self.journal());
        fs::set_permissions(self.journal(), Permissions::from_mode(0o600)).unwrap();
    }

    fn take_journal_away(&self, folder: &Path) {
        for name in [
            "journal.sqlite3",
            "journal.sqlite3-wal",
            "journal.sqlite3-shm",
        ] {
            let file = self.journal().with_file_name(name);
            if file.exists() {
                fs::rename(file, folder.join(name)).unwrap();
            }
        }
    }

    /// `kill -9`.
    pub fn kill(&self) {
        *self.addresses.write().unwrap() = None;
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill();
        }
    }

    /// `kill -9`, and the ledger's folder is gone in the same moment.
    pub fn destroy(&self) {
        self.kill();
        fs::remove_dir_all(self.ledger()).unwrap();
    }

    /// Starts another node in the place of one that is gone, with a folder of another name; calls are sent to it once
    /// it is ready. The gateway must be down.
    pub fn start_successor(&self) {
        self.replaced.fetch_add(1, Ordering::Relaxed);
        self.write_configuration();
        self.start_empty();
    }

    /// Starts on an empty folder; calls are sent to it once it is ready.
    pub fn start_empty(&self) {
        let (process, serving) = self.spawn();
        let addresses = serving.recv_timeout(PATIENCE).expect("the gateway serves");
        until("a newcomer is ready", || Ops::at(addresses.ops).is_ready());
        self.serves(process, addresses);
    }

    /// Sends a signal to the process, such as `STOP`.
    pub fn signal(&self, name: &str) {
        self.process.lock().unwrap().as_ref().unwrap().signal(name);
    }

    /// Returns the ops listener of a running node.
    pub fn ops(&self) -> Ops {
        Ops::at(self.addresses().unwrap().ops)
    }

    pub fn kill_and_start(&self) {
        self.kill();
        self.start_again();
    }

    /// Starts on the same files; returns once the gateway logs that it serves.
    pub fn start_again(&self) {
        let (process, serving) = self.spawn();
        let addresses = serving.recv_timeout(PATIENCE).expect("the gateway serves");
        self.serves(process, addresses);
    }

    /// The same on a file that is another than that of the process before, which holds the node's number for some
    /// seconds more: a copy would be refused beside it.
    pub fn start_on_another_file(&self) {
        let began = Instant::now();
        loop {
            let (process, serving) = self.spawn();
            if let Ok(addresses) = serving.recv_timeout(PATIENCE) {
                self.serves(process, addresses);
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the gateway serves");
        }
    }

    fn serves(&self, process: Process, addresses: Addresses) {
        *self.process.lock().unwrap() = Some(process);
        *self.addresses.write().unwrap() = Some(addresses);
    }

    /// Starts on the same files, and kills the process after this time, whether or not it serves by then.
    pub fn start_and_kill(&self, after: Duration) {
        let (mut process, _) = self.spawn();
        thread::sleep(after);
        process.kill();
    }

    /// Starts a process; returns it and where its addresses will come from.
    fn spawn(&self) -> (Process, Receiver<Addresses>) {
        let append = |name| {
            let file = self.directory.join(name);
            File::options()
                .create(true)
                .append(true)
                .open(file)
                .unwrap()
        };
        let mut command = Command::new(program());
        self.reads.preload(&mut command);
        let mut process = Process::spawn(
            command
                .args(["serve", "--config"])
                .arg(self.directory.join("gateway.toml"))
                .stdout(Stdio::piped())
                .stderr(append("stderr")),
        );
        let (sender, serving) = channel();
        let (stdout, log) = (process.stdout(), append("log"));
        thread::spawn(move || copy_log(stdout, log, &sender));
        (process, serving)
    }

    fn write_configuration(&self) {
        let Parties { kakao, billers } = &self.parties;
        fs::create_dir_all(self.directory.join("billers")).unwrap();
        let digest = hex(&Sha256::digest(AUTHORIZATION));
        for (code, url) in BILLERS.iter().zip(billers) {
            let text = format!(
                "code = \"{code}\"\nbase_url = \"{url}\"\nallow_from = [\"127.0.0.0/8\"]\n\
                 authorization_sha256 = [\"{digest}\"]\nmax_in_flight = 8\n\
                 requests_per_second = 100000\nburst = 100000\n"
            );
            fs::write(self.directory.join(format!("billers/{code}.toml")), text).unwrap();
        }
        let main = format!(
            "[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n\
             [ops]\nadmin_token_sha256 = \"{}\"\n[budget]\ntotal = \"{}ms\"\n\
             [kakao]\nbase_url = \"{kakao}\"\nallow_from = [\"127.0.0.0/8\"]\n\
             [ledger]\npath = \"{}\"\n[ledger.redis]\nurl = \"{}\"\n",
            hex(&Sha256::digest(TOKEN)),
            BUDGET.as_millis(),
            self.ledger_path(),
            self.redis,
        );
        fs::write(self.directory.join("gateway.toml"), with_ledger_cache(main)).unwrap();
    }
}

/// Returns `CHAOS_GATEWAY`, or the program that was built with this test.
fn program() -> OsString {
    let named = std::env::var_os("CHAOS_GATEWAY");
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_gateway").into())
}

/// The URLs of the upstreams.
#[derive(Clone, Debug)]
pub struct Parties {
    pub kakao: String,
    pub billers: Vec<String>,
}

/// Copies the log to a file, and reports the addresses.
fn copy_log(stdout: ChildStdout, mut log: File, sender: &Sender<Addresses>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        writeln!(log, "{line}").unwrap();
        if !line.contains("the gateway serves") {
            continue;
        }
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = |key: &str| line[key].as_str().unwrap().parse().unwrap();
        // The receiver is gone if the start took too long, which has been reported.
        let _ = sender.send(Addresses {
            public: address("public"),
            ops: address("ops"),
        });
    }
}
