//! A `redis-server` of the run's own, on a port and in a folder of its own.

use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::until;
use crate::random::Random;

/// What a server keeps when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Everything that it answered.
    Everything,
    /// All but the last second, where the machine dies with it.
    AllButASecond,
    /// Nothing at all.
    Nothing,
}

impl Keeps {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everything => "appendfsync always",
            Self::AllButASecond => "appendfsync everysec",
            Self::Nothing => "no persistence",
        }
    }

    const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Everything => ["--appendonly", "yes", "--appendfsync", "always"],
            Self::AllButASecond => ["--appendonly", "yes", "--appendfsync", "everysec"],
            Self::Nothing => ["--appendonly", "no", "--save", ""],
        }
    }
}

/// A server; killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    directory: TempDir,
    arguments: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    pub fn start(keeps: Keeps, more: &[&str]) -> Self {
        Self::start_on(free_port(), keeps, more)
    }

    pub fn start_on(port: u16, keeps: Keeps, more: &[&str]) -> Self {
        let arguments = [&["--save", ""][..], &keeps.arguments(), more].concat();
        let server = Self {
            port,
            directory: TempDir::new().unwrap(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            child: Mutex::default(),
        };
        server.start_again();
        server
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            // It may be dead already; either way it is now.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Starts, with what it kept; ready when it answers.
    pub fn start_again(&self) {
        *self.child.lock().unwrap() = Some(self.spawn());
        self.revive();
    }

    /// Starts it unless it runs; ready when it answers. One whose port was taken by somebody else at
    /// that moment is started once more.
    pub fn revive(&self) {
        until("redis-server answers", || {
            let mut child = self.child.lock().unwrap();
            let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
            if child.as_mut().is_none_or(ended) {
                *child = Some(self.spawn());
            }
            drop(child);
            self.ask(&["PING"]).is_ok()
        });
    }

    /// Sends a signal by its name, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let child = self.child.lock().unwrap();
        let pid = child.as_ref().unwrap().id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        self.send(redis::cmd(words[0]).arg(&words[1..]))
    }

    /// Sends a command that may hold any bytes.
    pub fn send(&self, command: &redis::Cmd) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        command.query(&mut connection)
    }

    /// Tells it something that it cannot refuse.
    #[track_caller]
    pub fn tell(&self, words: &[&str]) {
        self.ask(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }

    /// What it answers as text; empty where it answers nothing.
    pub fn ask_text(&self, words: &[&str]) -> String {
        let text = self.ask(words).ok().map(redis::from_redis_value::<String>);
        text.and_then(Result::ok).unwrap_or_default()
    }

    /// What it answers as a list of texts; empty where it answers nothing.
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let list = self.ask(words).ok().map(redis::from_redis_value);
        list.and_then(Result::ok).unwrap_or_default()
    }

    pub fn number(&self, words: &[&str]) -> u16 {
        redis::from_redis_value(self.ask(words).unwrap()).unwrap()
    }

    /// Whose data it serves since when, if it is a primary: another after every change of its role.
    pub fn primary_of(&self) -> Option<String> {
        let info = self.ask_text(&["INFO"]);
        let value = |name| info.lines().find_map(|line| line.strip_prefix(name));
        let role = value("role:")?;
        let history = [value("run_id:")?, value("master_replid:")?].join("/");
        (role == "master").then_some(history)
    }

    /// The value of a line `name:value` of `INFO`.
    pub fn info(&self, name: &str) -> String {
        let info = self.ask_text(&["INFO"]);
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(value).unwrap_or_default()
    }

    fn spawn(&self) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .unwrap();
        let mut command = Command::new("redis-server");
        let mut waits_for_no_second_replica = &["--repl-diskless-sync-delay", "0"][..];
        if self.arguments.iter().any(|word| word == "--sentinel") {
            waits_for_no_second_replica = &[];
            // A Sentinel keeps what it knows in its configuration.
            let file = self.directory.path().join("sentinel.conf");
            if !file.exists() {
                std::fs::write(&file, "").unwrap();
            }
            command.arg(file);
        }
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir", "."])
            .args(waits_for_no_second_replica)
            .args(&self.arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server, which the test command installs")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on, and that no connection is given by itself: it must be free again
/// when the server is started again.
pub fn free_port() -> u16 {
    let entropy = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
    let mut random = Random::of(entropy, "port");
    loop {
        let port = u16::try_from(12_000 + random.below(20_000)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
