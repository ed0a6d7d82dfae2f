//! The program `relay-demo`: its output, its exit codes, and the commands that it prints.
#![allow(missing_docs, clippy::unwrap_used, clippy::missing_panics_doc)]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use simulator::{Caller, Reply};

/// The codes that the gateway answers itself.
const OWN_CODES: [&str; 16] = [
    "E001", "E003", "E005", "E006", "E007", "E101", "E403", "E801", "E806", "E807", "E808", "E809",
    "E811", "E812", "E817", "E818",
];

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-demo"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Returns the folder in the list of parties.
fn folder(lines: &[String]) -> PathBuf {
    let line = lines
        .iter()
        .find(|line| line.contains("ledger and configuration"))
        .unwrap();
    let path = line
        .split_whitespace()
        .find(|word| word.starts_with('/'))
        .unwrap();
    PathBuf::from(path)
}

/// Reads up to a line that contains this text.
fn read_until(out: &mut impl BufRead, wanted: &str) -> Vec<String> {
    let mut lines = Vec::new();
    while lines
        .last()
        .is_none_or(|line: &String| !line.contains(wanted))
    {
        let mut line = String::new();
        assert_ne!(
            out.read_line(&mut line).unwrap(),
            0,
            "ended before `{wanted}`: {lines:#?}"
        );
        lines.push(line.trim_end_matches('\n').to_owned());
    }
    lines
}

#[test]
fn every_code_of_the_gateway_is_shown_and_all_calls_go_as_expected() {
    let Output {
        status,
        stdout,
        stderr,
    } = demo().output().unwrap();
    let out = text(&stdout);
    assert!(status.success(), "{out}");
    assert_eq!(text(&stderr), "");
    for code in OWN_CODES {
        assert!(out.contains(code), "{code} in {out}");
    }
    for api in [
        "link_create",
        "link_recreate",
        "notice",
        "prepay",
        "pay_result",
    ] {
        assert!(out.contains(api), "{api} in {out}");
    }
    for detail in [
        "KEY_VALUE",
        "TEXT",
        "TABLE",
        "GRAPH",
        "X-Relay-Replayed: true",
    ] {
        assert!(out.contains(detail), "{detail} in {out}");
    }
    assert!(
        out.contains("all as expected") && !out.contains('✗'),
        "{out}"
    );
    let lines: Vec<_> = out.lines().map(str::to_owned).collect();
    assert!(!folder(&lines).exists());
}

#[test]
fn a_pipe_gets_text_without_escapes_or_trailing_spaces() {
    let out = demo()
        .env("TERM", "xterm-256color")
        .output()
        .unwrap()
        .stdout;
    let is_control = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text(&out).contains(is_control));
    assert!(text(&out).lines().all(|line| line == line.trim_end()));
}

#[test]
fn a_closed_output_ends_it_without_a_panic() {
    let mut child = demo().spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let folder = folder(&read_until(&mut out, "ledger and configuration"));
    drop(out);
    let output = child.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("output was closed") && !error.contains("panicked"));
    assert!(!folder.exists());
}

#[test]
fn a_signal_ends_it_and_its_folder_is_removed() {
    let mut child = demo().spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let folder = folder(&read_until(&mut out, "ledger and configuration"));
    signal(&child, "INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("Summary"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!folder.exists());
}

#[test]
fn the_printed_commands_work() {
    let mut child = demo().arg("--keep-running").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let lines = read_until(&mut out, "Ctrl-C");
    let folder = folder(&lines);
    let commands = commands(&lines);
    let urls: Vec<_> = commands
        .iter()
        .map(|command| command.path.as_str())
        .collect();
    assert_eq!(
        urls,
        [
            "/external/inquiry-payment/one-time/url/B0001",
            "/kakao/notice/B0001",
            "/kakao/prepay/B0001",
            "/kakao/pay-result/B0001",
            "/kakao/pay-result/B0001",
            "/external/inquiry-payment/one-time/url/re/B0001",
            "/metrics",
            "/health/ready",
            "/health/live",
        ]
    );
    for command in &commands[..6] {
        let reply = command.run();
        assert_eq!(
            (reply.status, reply.res_code().as_str()),
            (200, "OK"),
            "{command:?}"
        );
    }
    assert_eq!(commands[0].run().res_code(), "E818");
    assert_eq!(commands[3].run().header("X-Relay-Replayed"), Some("true"));
    let metrics = commands[6].run();
    assert!(
        metrics.text().contains("relay_requests_total{"),
        "{}",
        metrics.text()
    );
    assert!(
        commands[7..]
            .iter()
            .all(|command| command.run().status == 200)
    );

    assert!(is_full(&folder));
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!folder.exists());
}

fn is_full(folder: &Path) -> bool {
    folder.join("gateway.toml").is_file() && folder.join("ledger").is_dir()
}

/// A printed curl command.
#[derive(Debug)]
struct Curl {
    address: SocketAddr,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Curl {
    /// Reads the options that the printed commands use.
    fn read(words: &[String]) -> Self {
        let mut words = words.iter().skip(1);
        let (mut url, mut headers, mut body) = (None, Vec::new(), None);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-si" => {}
                "-H" => {
                    let (name, value) = words.next().unwrap().split_once(": ").unwrap();
                    headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" => body = words.next().cloned(),
                other => url = other.strip_prefix("http://"),
            }
        }
        let (address, path) = url.unwrap().split_once('/').unwrap();
        Self {
            address: address.parse().unwrap(),
            path: format!("/{path}"),
            headers,
            body,
        }
    }

    fn run(&self) -> Reply {
        let mut caller = Caller::connect(self.address).unwrap();
        let Some(body) = &self.body else {
            let request = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
                self.path, self.address
            );
            caller.send_raw(request.as_bytes()).unwrap();
            return caller.read_reply().unwrap();
        };
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        caller.post(&self.path, &headers, body).unwrap()
    }
}

/// Returns every curl command among the lines. A command ends with the line that has no backslash at its
/// end and closes its quotes.
fn commands(lines: &[String]) -> Vec<Curl> {
    let mut commands = Vec::new();
    let mut lines = lines.iter();
    while let Some(first) = lines.next() {
        if !first.trim_start().starts_with("curl ") {
            continue;
        }
        let mut command = first.clone();
        while command.ends_with('\\') || command.matches('\'').count() % 2 == 1 {
            command.push('\n');
            command.push_str(lines.next().unwrap());
        }
        commands.push(Curl::read(&words(&command)));
    }
    commands
}

/// Splits a command into words as a shell does, with single quotes and backslashes outside them.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if !is_quoted => match letters.next() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            letter if letter.is_whitespace() && !is_quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}
