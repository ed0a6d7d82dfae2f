//! One `redis-server`, on a port and in a folder of its own.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use redis::{Cmd, RedisResult, Value};
use tempfile::TempDir;

use crate::{Certificate, Process, free_port, within};

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(5);

/// Longest time for servers to start and to agree, on an overloaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits for a condition among servers.
#[track_caller]
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(PATIENCE, what, holds);
}

/// The data that a killed server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Everything that it answered.
    EveryWrite,
    /// All but the last second, where the machine dies with it.
    EverySecond,
    /// Everything that it answered unless the machine dies with it.
    Unsynced,
    /// Nothing at all.
    Nothing,
}

impl Persistence {
    pub const fn name(self) -> &'static str {
        match self {
            Self::EveryWrite => "appendfsync always",
            Self::EverySecond => "appendfsync everysec",
            Self::Unsynced => "appendfsync no",
            Self::Nothing => "no persistence",
        }
    }

    const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::EveryWrite => ["--appendonly", "yes", "--appendfsync", "always"],
            Self::EverySecond => ["--appendonly", "yes", "--appendfsync", "everysec"],
            Self::Unsynced => ["--appendonly", "yes", "--appendfsync", "no"],
            Self::Nothing => ["--appendonly", "no", "--save", ""],
        }
    }
}

/// A server; killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    process: Mutex<Option<Process>>,
}

impl RedisServer {
    /// Starts a server whose append-only file is not synced, and waits until it answers.
    pub fn start() -> Self {
        Self::on_port(free_port(), Persistence::Unsynced, &[])
    }

    /// Starts one that syncs every write, as the deployment does, with further settings.
    pub fn durable(arguments: &[&str]) -> Self {
        Self::on_port(free_port(), Persistence::EveryWrite, arguments)
    }

    pub fn on_port(port: u16, persistence: Persistence, arguments: &[&str]) -> Self {
        let server = Self::new(port, persistence, arguments);
        server.start_again();
        server
    }

    /// Starts a Sentinel that watches nothing yet.
    pub fn sentinel(arguments: &[&str]) -> Self {
        Self::durable(&[&["--sentinel"], arguments].concat())
    }

    /// Starts one that speaks TLS alone; it may not answer yet.
    pub fn tls(ca: &Path, certificate: &Certificate, arguments: &[&str]) -> Self {
        let port = free_port();
        let files = [ca, &certificate.chain, &certificate.private_key];
        let [ca, certificate, key] = files.map(|file| file.to_str().unwrap());
        let tls_port = port.to_string();
        let tls = ["--port", "0", "--tls-port", &tls_port];
        let tls = [&tls[..], &["--tls-auth-clients", "no"]].concat();
        let files = ["--tls-ca-cert-file", ca, "--tls-cert-file", certificate];
        let tls = [&tls[..], &files, &["--tls-key-file", key], arguments].concat();
        let server = Self::new(port, Persistence::EveryWrite, &tls);
        *server.process.lock().unwrap() = Some(server.spawn());
        server
    }

    fn new(port: u16, persistence: Persistence, arguments: &[&str]) -> Self {
        let arguments = [&persistence.arguments(), arguments].concat();
        Self {
            port,
            folder: TempDir::new().unwrap(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            process: Mutex::default(),
        }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill();
        }
    }

    /// Starts, with what it kept; ready when it answers.
    pub fn start_again(&self) {
        *self.process.lock().unwrap() = Some(self.spawn());
        self.revive();
    }

    /// Starts it unless it runs; ready when it answers. One whose port was taken by another process at
    /// that moment is started once more.
    pub fn revive(&self) {
        eventually("redis-server answers", || {
            let mut process = self.process.lock().unwrap();
            if process.as_mut().is_none_or(Process::has_ended) {
                *process = Some(self.spawn());
            }
            drop(process);
            self.ask(&["PING"]).is_ok()
        });
    }

    /// Sends a signal by its name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        self.process.lock().unwrap().as_ref().unwrap().signal(name);
    }

    /// Sends a command.
    ///
    /// # Errors
    /// The error of the connection or of the server.
    pub fn ask(&self, words: &[&str]) -> RedisResult<Value> {
        self.send(redis::cmd(words[0]).arg(&words[1..]))
    }

    /// Sends a command that may hold any bytes.
    ///
    /// # Errors
    /// The error of the connection or of the server.
    pub fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(COMMAND)?;
        connection.set_read_timeout(Some(COMMAND))?;
        command.query(&mut connection)
    }

    /// Sends a command that the server cannot refuse.
    #[track_caller]
    pub fn tell(&self, words: &[&str]) {
        self.ask(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }

    /// Returns an answer as text; empty where there is none.
    pub fn ask_text(&self, words: &[&str]) -> String {
        let text = self.ask(words).ok().map(redis::from_redis_value::<String>);
        text.and_then(Result::ok).unwrap_or_default()
    }

    /// Returns an answer as a list of texts; empty where there is none.
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let list = self.ask(words).ok().map(redis::from_redis_value);
        list.and_then(Result::ok).unwrap_or_default()
    }

    pub fn number(&self, words: &[&str]) -> u16 {
        redis::from_redis_value(self.ask(words).unwrap()).unwrap()
    }

    /// Returns which data it serves since when, if it is a primary: another after every change of role.
    pub fn primary_of(&self) -> Option<String> {
        let info = self.ask_text(&["INFO"]);
        let value = |name| info.lines().find_map(|line| line.strip_prefix(name));
        let role = value("role:")?;
        let history = [value("run_id:")?, value("master_replid:")?].join("/");
        (role == "master").then_some(history)
    }

    /// Returns the value of a line `name:value` of `INFO`.
    pub fn info(&self, name: &str) -> String {
        let info = self.ask_text(&["INFO"]);
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(value).unwrap_or_default()
    }

    fn url(&self) -> String {
        let mut arguments = self.arguments.iter();
        arguments.find(|argument| *argument == "--requirepass");
        let login = arguments.next().map(|password| format!(":{password}@"));
        format!(
            "redis://{}127.0.0.1:{}/",
            login.unwrap_or_default(),
            self.port
        )
    }

    fn spawn(&self) -> Process {
        let program = std::env::var("RELAY_TEST_REDIS_SERVER");
        let mut command = Command::new(program.as_deref().unwrap_or("redis-server"));
        if self.arguments.iter().any(|word| word == "--sentinel") {
            // A Sentinel keeps what it knows in its configuration.
            command.arg("sentinel.conf");
            File::options()
                .create(true)
                .append(true)
                .open(self.folder.path().join("sentinel.conf"))
                .unwrap();
        } else {
            // A primary syncs its first replica without waiting for a second.
            command.args(["--repl-diskless-sync-delay", "0"]);
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir", ".", "--save", ""])
            .args(["--enable-debug-command", "yes"])
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null());
        Process::spawn(&mut command)
    }
}
