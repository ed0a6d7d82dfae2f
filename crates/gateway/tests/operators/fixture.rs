//! The fixture of the operators' tests: a gateway with an admin API, and its commands.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};
use test_support::{Action, Caller, Gateway, Reply, Setup, Upstream, hex, pay_result};

pub const TOKEN: &str = "operators-only";

pub fn admin() -> String {
    let digest = hex(&Sha256::digest(TOKEN));
    format!("[ops]\nadmin_token_sha256 = \"{digest}\"")
}

pub fn paid(user_key: &str, pay_id: u64) -> String {
    pay_result(user_key, "P", pay_id, 20000).to_string()
}

pub fn refusal() -> Action {
    Action::json(200, r#"{"res_code":"E902","message":"저장 실패"}"#)
}

/// Kakao Pay, a biller, and a gateway between them that has an admin API.
pub struct Fixture {
    pub kakao: Upstream,
    pub biller: Upstream,
    pub gateway: Gateway,
}

impl Fixture {
    pub fn start() -> Self {
        Self::with("")
    }

    pub fn with(biller_toml: &str) -> Self {
        let (kakao, biller) = (Upstream::ok(), Upstream::ok());
        let gateway = Setup::new(&kakao.url(), &biller.url())
            .with(&admin())
            .biller("B0001", &biller.url(), biller_toml)
            .start();
        Self {
            kakao,
            biller,
            gateway,
        }
    }

    /// Returns the setup of a gateway with an admin API, without a Kakao Pay.
    pub fn setup(biller: &Upstream) -> Setup {
        Setup::new("http://127.0.0.1:1", &biller.url()).with(&admin())
    }

    /// Runs a command against another gateway.
    pub fn on(gateway: &Gateway, command: &str) -> Printed {
        run(gateway, Some(TOKEN), command)
    }

    /// Sends a GET with the token.
    pub fn get(gateway: &Gateway, path: &str) -> Reply {
        let mut caller = Caller::connect(gateway.ops());
        let authorization = format!("Authorization: Bearer {TOKEN}");
        caller.send(
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n\r\n").as_bytes(),
        );
        caller.reply()
    }

    /// Sends a POST with the token.
    pub fn post_admin(gateway: &Gateway, path: &str, body: &str) -> Reply {
        let mut caller = Caller::connect(gateway.ops());
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}");
        caller.send(format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes());
        caller.reply()
    }

    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.gateway.post(path, body)
    }

    pub fn run(&self, command: &str) -> Printed {
        run(&self.gateway, Some(TOKEN), command)
    }

    /// Runs a command that prints JSON; returns its exit code and the JSON.
    pub fn json(&self, command: &str) -> (i32, Value) {
        let printed = self.run(&format!("{command} --json"));
        let json = serde_json::from_str(&printed.out)
            .unwrap_or_else(|_| panic!("no JSON from `{command}`: {printed:?}"));
        (printed.code, json)
    }

    pub fn undelivered(&self) -> i64 {
        self.gateway.metric("relay_payments_undelivered")
    }
}

/// How a command ended and what it printed.
#[derive(Debug)]
pub struct Printed {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Writes the operators' file, which names the port that the gateway's listener got.
pub fn operators_file(gateway: &Gateway) -> PathBuf {
    let file = gateway.path().join("operators.toml");
    fs::write(&file, format!("[listen]\nops = \"{}\"\n", gateway.ops())).unwrap();
    file
}

pub fn run(gateway: &Gateway, token: Option<&str>, line: &str) -> Printed {
    command(gateway, token, line).output().unwrap().into()
}

/// Returns a command of the operator `kim`, ready to run.
pub fn command(gateway: &Gateway, token: Option<&str>, line: &str) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_gateway"));
    process
        .args(line.split_whitespace())
        .arg("--config")
        .arg(operators_file(gateway))
        .env_remove("GATEWAY_ADMIN_TOKEN")
        .env("USER", "kim");
    if let Some(token) = token {
        process.env("GATEWAY_ADMIN_TOKEN", token);
    }
    process
}
