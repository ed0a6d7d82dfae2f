//! A real Prometheus that scrapes one gateway several times a second.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;
use test_support::{Process, free_port};

use crate::rules;

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _directory: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes this ops listener and evaluates the scaled rules; returns when it is ready.
    pub fn watching(gateway: SocketAddr) -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("rules")).unwrap();
        rules::write_scaled(&directory.path().join("rules"));
        let configuration = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 500ms}}\n\
             rule_files: [rules/*.yml]\n\
             scrape_configs:\n  \
             - job_name: relay-gateway\n    \
               static_configs: [{{targets: [\"{gateway}\"]}}]\n"
        );
        fs::write(directory.path().join("prometheus.yml"), configuration).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut process = Process::spawn(
            Command::new("prometheus")
                .current_dir(directory.path())
                .arg("--config.file=prometheus.yml")
                .arg("--storage.tsdb.path=data")
                .arg(format!("--web.listen-address={address}"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let mut log = BufReader::new(process.stderr()).lines();
        let mut output = Vec::new();
        let ready = log.by_ref().map_while(Result::ok).any(|line| {
            let ready = line.contains("Server is ready");
            output.push(line);
            ready
        });
        assert!(ready, "{output:#?}");
        // Its output must still be read, or it blocks.
        thread::spawn(move || log.for_each(drop));
        Self {
            address,
            _process: process,
            _directory: directory,
        }
    }

    /// Returns the samples of an instant query.
    pub fn query(&self, expr: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/query?query={}", percent_encoded(expr)));
        let result = answer["data"]["result"].as_array();
        result.unwrap_or_else(|| panic!("{expr}: {answer}")).clone()
    }

    /// Returns every alert, pending or firing.
    pub fn alerts(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/alerts");
        answer["data"]["alerts"].as_array().unwrap().clone()
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // An HTTP/1.0 answer ends with its connection.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: prometheus\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{head}\n{body}"))
    }
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
