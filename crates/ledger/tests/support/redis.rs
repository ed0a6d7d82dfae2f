//! A `redis-server` of the test's own, on a port and in a folder of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    directory: TempDir,
    child: Mutex<Child>,
}

impl RedisServer {
    /// Starts one; ready when it answers.
    pub fn start() -> Self {
        // The port is free when it is asked for; the server takes it a moment later.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let directory = TempDir::new().unwrap();
        let child = Mutex::new(spawn(port, &directory));
        let server = Self {
            port,
            directory,
            child,
        };
        server.until_it_answers();
        server
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts again after `kill`, with what its append-only file holds.
    pub fn start_again(&self) {
        *self.child.lock().unwrap() = spawn(self.port, &self.directory);
        self.until_it_answers();
    }

    /// Sends a signal by its name, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.lock().unwrap().id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// One inline command, and the first bytes of its answer.
    pub fn command(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn until_it_answers(&self) {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let mut answer = [0; 5];
            let pinged = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
                stream.write_all(b"PING\r\n")?;
                stream.read_exact(&mut answer)
            });
            if pinged.is_ok() && &answer == b"+PONG" {
                return;
            }
            assert!(Instant::now() < patience, "redis-server does not answer");
            std::thread::yield_now();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            // Dead already where a test killed it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn spawn(port: u16, directory: &TempDir) -> Child {
    let log = File::create(directory.path().join("log")).unwrap();
    Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ])
        .args(["--appendonly", "yes", "--appendfsync", "no", "--dir"])
        .arg(directory.path())
        .stdout(Stdio::from(log))
        .spawn()
        .expect("redis-server, which the test command installs")
}
