//! Processes of a test, and ports for those that cannot choose one themselves.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, ChildStdout, Command};

/// A process; killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    pub fn spawn(command: &mut Command) -> Self {
        let spawned = command.spawn();
        let program = command.get_program().display();
        Self(spawned.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Takes the end of the process's piped standard output.
    pub fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    /// Takes the end of the process's piped standard error.
    pub fn stderr(&mut self) -> ChildStderr {
        self.0.stderr.take().unwrap()
    }

    /// Sends a signal by its name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let kill = kill.args([&format!("-{name}"), &self.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Sends SIGKILL, unless the process has ended.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for the end; returns the exit code, `None` after a signal.
    pub fn wait(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a free port.
///
/// It is none of those that the system gives to connections, so that a server finds it free again when
/// it is restarted.
pub fn free_port() -> u16 {
    let random = |attempt: u64| RandomState::new().hash_one(attempt) % 20_000;
    (0..1_000)
        .map(|attempt| u16::try_from(12_000 + random(attempt)).unwrap())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a thousand ports are taken")
}
