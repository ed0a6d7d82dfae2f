//! Servers as processes, in a folder of their own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ledger::redis::Node;
use tempfile::TempDir;

/// How long an event may take that normally takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server that a test started; dropped, it is killed.
pub struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// A server with the settings of the deployment, as far as a test can bear them, and more.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_on(free_port(), arguments)
    }

    /// The same on a port that is known already.
    pub fn start_on(port: u16, arguments: &[&str]) -> Self {
        let server = Self::launch(port, arguments);
        server.await_answer();
        server
    }

    /// One that a slow disk does not hold up, where a test asks how fast others are.
    pub fn unsynced() -> Self {
        Self::start(&["--appendfsync", "no"])
    }

    /// A server whose plain port may be closed: nobody waits until it answers.
    pub fn launch(port: u16, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let process = spawn(folder.path(), port, &arguments);
        Self {
            process,
            port,
            folder,
            arguments,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn node(&self) -> Node {
        Node::new("127.0.0.1", self.port)
    }

    /// Answers nothing from now on, and keeps its connections.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Ends without a farewell.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The same server again, with what it kept.
    pub fn start_again(&mut self) {
        self.process = spawn(self.folder.path(), self.port, &self.arguments);
        self.await_answer();
    }

    /// Asks the server itself.
    pub fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let url = format!("redis://{}127.0.0.1:{}/", self.login(), self.port);
        let mut connection = redis::Client::open(url)?.get_connection_with_timeout(PATIENCE)?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut connection)
    }

    /// Tells the server something that it cannot refuse.
    pub fn tell(&self, words: &[&str]) {
        self.ask(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }

    fn login(&self) -> String {
        let mut arguments = self
            .arguments
            .iter()
            .skip_while(|argument| *argument != "--requirepass");
        arguments
            .nth(1)
            .map(|password| format!(":{password}@"))
            .unwrap_or_default()
    }

    fn await_answer(&self) {
        await_until("the server answers", || self.ask(&["PING"]).is_ok());
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for something that is only to be seen by looking.
pub fn await_until(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn spawn(folder: &Path, port: u16, arguments: &[String]) -> Child {
    let program = std::env::var("RELAY_TEST_REDIS_SERVER").unwrap_or("redis-server".to_owned());
    let mut command = Command::new(&program);
    if arguments.iter().any(|argument| argument == "--sentinel") {
        // A Sentinel keeps what it knows in its configuration.
        command.arg(folder.join("sentinel.conf"));
        std::fs::write(folder.join("sentinel.conf"), "").unwrap();
    }
    command
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--dir",
            ".",
        ])
        .args([
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ])
        .args(["--enable-debug-command", "yes"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {program}: {error}"))
}
