//! The printed `curl` commands.

use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;

use simulator::{Caller, Reply};

use crate::{demo, folder, read_until, signal};

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
