//! The built binary `gateway`, run like in operation.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use command_fds::{CommandFdExt as _, FdMapping};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::wait::PATIENCE;
use crate::{AUTHORIZATION, Caller, Process, Reply, with_ledger_cache};

/// A configuration to start a gateway with. Keys are given as TOML lines, table by table.
pub struct Setup {
    directory: TempDir,
    kakao_url: String,
    main: String,
    kakao: String,
    billers: Vec<(String, String)>,
}

impl Setup {
    /// Returns a configuration with Kakao Pay and one biller, `B0001`, on these upstreams.
    pub fn new(kakao_url: &str, biller_url: &str) -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            kakao_url: kakao_url.to_owned(),
            main: String::new(),
            kakao: String::new(),
            billers: Vec::new(),
        }
        .biller("B0001", biller_url, "")
    }

    /// Adds tables to the main file.
    #[must_use]
    pub fn with(mut self, toml: &str) -> Self {
        self.main.push_str(toml);
        self.main.push('\n');
        self
    }

    /// Adds keys to `[kakao]`; `allow_from` replaces the default.
    #[must_use]
    pub fn kakao(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.kakao);
        self
    }

    /// Adds a biller, or keys to one.
    #[must_use]
    pub fn biller(mut self, code: &str, url: &str, toml: &str) -> Self {
        let mut text = format!("code = \"{code}\"\nbase_url = \"{url}\"\n");
        if !toml.contains("allow_from") {
            text.push_str("allow_from = [\"127.0.0.0/8\"]\n");
        }
        if !toml.contains("authorization_sha256") {
            let digest = hex(&Sha256::digest(AUTHORIZATION));
            writeln!(text, "authorization_sha256 = [\"{digest}\"]").unwrap();
        }
        text.push_str(toml);
        self.billers.retain(|(known, _)| known != code);
        self.billers.push((code.to_owned(), text));
        self
    }

    /// Returns the configuration's folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the files, starts `gateway serve` and waits until it serves.
    pub fn start(self) -> Gateway {
        self.write();
        Gateway::run(self.directory, &[])
    }

    /// Writes the files and starts the gateway in a process that may open so many files: soft limit, hard limit.
    pub fn start_with_files(self, (soft, hard): (u32, u32)) -> Gateway {
        self.write();
        let serve = serve(self.path(), &[]);
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!(
                "ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\""
            ))
            .arg(serve.get_program())
            .args(serve.get_args());
        Gateway::run_command(self.directory, command)
    }

    /// Starts the gateway on inherited sockets.
    pub fn start_on(self, sockets: &[TcpListener]) -> Gateway {
        self.write();
        Gateway::run(self.directory, sockets)
    }

    /// Starts the gateway on inherited sockets that it refuses; returns what it printed.
    pub fn fail_on(self, sockets: &[TcpListener]) -> String {
        self.write();
        let output = serve(self.path(), sockets).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts a gateway that ends with 1 before it serves; returns the lines of its log and what it printed.
    pub fn fail(&self) -> (Vec<Value>, String) {
        self.write();
        let output = serve(self.path(), &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let log = String::from_utf8(output.stdout).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
        (lines.collect(), String::from_utf8(output.stderr).unwrap())
    }

    /// Writes the files and returns the main one's path.
    pub fn write(&self) -> PathBuf {
        let billers = self.path().join("billers");
        fs::create_dir_all(&billers).unwrap();
        for (code, text) in &self.billers {
            fs::write(billers.join(format!("{code}.toml")), text).unwrap();
        }
        let allow_from = if self.kakao.contains("allow_from") {
            ""
        } else {
            "allow_from = [\"127.0.0.0/8\"]\n"
        };
        let listen = if self.main.contains("[listen]") {
            ""
        } else {
            "[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n"
        };
        let main = format!(
            "{listen}{}[kakao]\nbase_url = \"{}\"\n{allow_from}{}\n",
            self.main, self.kakao_url, self.kakao
        );
        let file = self.path().join("gateway.toml");
        fs::write(&file, with_ledger_cache(main)).unwrap();
        file
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Asserts that the gateway itself answered: status, code and the guide's exact message.
#[track_caller]
pub fn assert_own(reply: &Reply, status: u16, code: protocol::ResCode) {
    let expected = format!(
        r#"{{"res_code":"{}","message":"{}","data":null}}"#,
        code.code(),
        code.message()
    );
    assert_eq!((reply.status, reply.text()), (status, expected));
    assert_eq!(
        reply.header("content-type"),
        Some("application/json;charset=utf-8")
    );
}

/// Returns the command `gateway serve` for a folder's configuration. Sockets are passed as systemd passes them: from
/// descriptor 3 on, with their number in the environment. `RELAY_TEST_GATEWAY` names another built gateway.
fn serve(directory: &Path, sockets: &[TcpListener]) -> Command {
    let program = [
        "RELAY_TEST_GATEWAY",
        "NEXTEST_BIN_EXE_gateway",
        "CARGO_BIN_EXE_gateway",
    ]
    .into_iter()
    .find_map(std::env::var_os);
    let mut command = Command::new(program.expect("only tests of the gateway's package start it"));
    command
        .args(["serve", "--config"])
        .arg(directory.join("gateway.toml"));
    if !sockets.is_empty() {
        command.env("LISTEN_FDS", sockets.len().to_string());
        let mappings = (3..).zip(sockets).map(|(child_fd, socket)| FdMapping {
            parent_fd: socket.try_clone().unwrap().into(),
            child_fd,
        });
        command.fd_mappings(mappings.collect()).unwrap();
    }
    command
}

/// A gateway process; killed when dropped.
pub struct Gateway {
    directory: TempDir,
    process: Process,
    log: Arc<Log>,
    public: SocketAddr,
    ops: SocketAddr,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Value>>,
    grown: Condvar,
}

impl Gateway {
    fn run(directory: TempDir, sockets: &[TcpListener]) -> Self {
        let command = serve(directory.path(), sockets);
        Self::run_command(directory, command)
    }

    fn run_command(directory: TempDir, mut command: Command) -> Self {
        let mut process = Process::spawn(command.stdout(Stdio::piped()));
        let log = Arc::new(Log::default());
        let lines = BufReader::new(process.stdout()).lines();
        thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in lines.map_while(Result::ok) {
                    let line = serde_json::from_str(&line)
                        .unwrap_or_else(|_| panic!("a log line that is no JSON: {line}"));
                    log.lines.lock().unwrap().push(line);
                    log.grown.notify_all();
                }
            }
        });
        let serves = await_line(&log, |line| line["message"] == "the gateway serves");
        let address = |key: &str| serves[key].as_str().unwrap().parse().unwrap();
        Self {
            public: address("public"),
            ops: address("ops"),
            directory,
            process,
            log,
        }
    }

    pub fn public(&self) -> SocketAddr {
        self.public
    }

    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn caller(&self) -> Caller {
        Caller::connect(self.public)
    }

    /// Sends a POST on a new connection.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.caller().post(path, body)
    }

    /// Sends a GET to the ops listener.
    pub fn get_ops(&self, path: &str) -> Reply {
        let mut caller = Caller::connect(self.ops);
        caller.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        caller.reply()
    }

    /// Returns the integer part of a series' value, by its exact name and labels; 0 if there is no such series.
    #[allow(clippy::cast_possible_truncation)]
    pub fn metric(&self, series: &str) -> i64 {
        let page = self.get_ops("/metrics").text();
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse::<f64>().unwrap() as i64)
    }

    /// Returns all log lines so far.
    pub fn log(&self) -> Vec<Value> {
        self.log.lines.lock().unwrap().clone()
    }

    /// Waits until this many log lines match.
    pub fn await_log_times(&self, times: usize, wanted: impl Fn(&Value) -> bool) {
        let lines = self.log.lines.lock().unwrap();
        let count = |lines: &[Value]| lines.iter().filter(|line| wanted(line)).count();
        let too_few = |lines: &mut Vec<Value>| count(lines) < times;
        let grown = self.log.grown.wait_timeout_while(lines, PATIENCE, too_few);
        let (lines, _) = grown.unwrap();
        let found = count(&lines);
        assert!(found >= times, "{found} of {times} such lines: {lines:#?}");
    }

    /// Waits for a log line.
    pub fn await_log(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        await_line(&self.log, wanted)
    }

    /// Kills the gateway with SIGKILL and starts it again on the same files.
    #[must_use]
    pub fn kill_and_restart(mut self) -> Self {
        self.process.kill();
        Self::run(self.directory, &[])
    }

    /// Kills the gateway with SIGKILL and returns the folder of its files.
    pub fn kill(mut self) -> TempDir {
        self.process.kill();
        self.directory
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Sends SIGTERM unless that was done, and returns the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        if !self.process.has_ended() {
            self.signal("TERM");
        }
        self.process.wait()
    }

    /// Sends SIGTERM, waits for the drain, and starts the gateway again on the same files and sockets.
    #[must_use]
    pub fn upgrade(mut self, sockets: &[TcpListener]) -> Self {
        assert_eq!(self.terminate(), Some(0));
        Self::run(self.directory, sockets)
    }

    /// Sends SIGTERM and starts the gateway again on the same files.
    #[must_use]
    pub fn stop_and_restart(self) -> Self {
        self.upgrade(&[])
    }
}

fn await_line(log: &Log, wanted: impl Fn(&Value) -> bool) -> Value {
    let lines = log.lines.lock().unwrap();
    let missing = |lines: &mut Vec<Value>| !lines.iter().any(&wanted);
    let (lines, _) = log
        .grown
        .wait_timeout_while(lines, PATIENCE, missing)
        .unwrap();
    let found = lines.iter().find(|line| wanted(line)).cloned();
    found.unwrap_or_else(|| panic!("no such log line among {lines:#?}"))
}
