//! Every question about the bills and pay-results of a journal, and the comparison of two gateways' answers.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_support::{
    CREATE, Caller, Gateway, NOTICE, OK, PAY_RESULT, PREPAY, RECREATE, Reply, Setup, Upstream, hex,
};

use crate::bill::{link_until, notice_of, prepay_of, route};
use crate::comparison::{comparable_history, compare, keep_comparable};

const TOKEN: &str = "operators-only";

/// Kakao Pay, and the one server of all billers that can be reached.
pub struct Parties {
    pub kakao: Upstream,
    pub biller: Upstream,
}

impl Parties {
    pub fn start() -> Self {
        Self {
            kakao: Upstream::ok(),
            biller: Upstream::ok(),
        }
    }

    /// Returns the configuration: `B0002` has identity parameters, `B0003` cannot be reached.
    ///
    /// The longest retention keeps the facts until 2031; the data must be made anew before.
    pub fn setup(&self) -> Setup {
        let digest = hex(&Sha256::digest(TOKEN));
        let biller = self.biller.url();
        Setup::new(&self.kakao.url(), &biller)
            .with(&format!("[ops]\nadmin_token_sha256 = \"{digest}\""))
            .with("[ledger]\nretention = \"3650d\"")
            .biller("B0002", &biller, "identity_parameters = [\"dong\", \"ho\"]")
            .biller("B0003", "http://127.0.0.1:1", "")
    }

    /// Starts the gateway on a copy of a journal.
    pub fn start_on(&self, journal: &Path) -> Gateway {
        let setup = self.setup();
        let folder = setup.path().join("data/ledger");
        fs::create_dir_all(&folder).unwrap();
        let copy = folder.join("journal.sqlite3");
        fs::copy(journal, &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        setup.start()
    }

    fn calls(&self) -> usize {
        self.kakao.count() + self.biller.count()
    }
}

/// What is asked, and what was answered: the content of `data/version-N.json`.
pub struct Answers(Value);

impl Answers {
    pub fn parse(json: &[u8]) -> Self {
        Self(serde_json::from_slice(json).unwrap())
    }

    /// Returns questions without answers. Times after `written_at` depend on the start and are not compared.
    pub fn none(written_at: &str, bills: &[Value], pay_results: &[Value]) -> Self {
        let bills: Vec<Value> = bills.iter().map(|bill| json!({ "bill": bill })).collect();
        Self(json!({ "written_at": written_at, "bills": bills, "pay_results": pay_results }))
    }

    /// Returns the content of the file: a line for each bill and each pay-result.
    pub fn to_json(&self) -> String {
        let lines = |name: &str| {
            let lines: Vec<String> = self.list(name).iter().map(Value::to_string).collect();
            format!("\"{name}\":[\n{}\n]", lines.join(",\n"))
        };
        let (written_at, lists) = (&self.0["written_at"], &self.0["lists"]);
        let (bills, pay_results) = (lines("bills"), lines("pay_results"));
        format!("{{\"written_at\":{written_at},\n\"lists\":{lists},\n{bills},\n{pay_results}}}\n")
    }

    pub fn of_user_key(&self, user_key: &str) -> &Value {
        let mut bills = self.list("bills").iter();
        let found = bills.find(|one| one["bill"]["user_key"] == user_key);
        found.unwrap_or_else(|| panic!("no bill of {user_key}"))
    }

    pub fn pay_results(&self) -> &[Value] {
        self.list("pay_results")
    }

    fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().unwrap()
    }

    /// Asserts that the other answers are the same; names every difference.
    #[track_caller]
    pub fn assert_same(&self, other: &Self, version: u32) {
        let mut differences = Vec::new();
        compare("", &self.0, &other.0, &mut differences);
        let count = differences.len();
        differences.truncate(20);
        let shown = differences.join("\n");
        assert_eq!(count, 0, "differences from version {version}:\n{shown}");
    }
}

/// Asks everything that `questions` names. What only reads comes first, then the calls that change nothing, then
/// copies of the pay-results, then link calls; the order is that of the file, because some answers depend on it.
pub fn answers(gateway: &Gateway, parties: &Parties, questions: &Answers) -> Answers {
    let written_at = questions.0["written_at"].as_str().unwrap();
    let mut answers = questions.0.clone();
    for list in [
        "",
        "?delivery=closed&limit=1000",
        "?delivery=accepted&limit=20",
    ] {
        let path = format!("/admin/payments{list}");
        answers["lists"][path.as_str()] = get_admin(gateway, &path);
    }
    let path = "/admin/payments/refused?state=all";
    answers["lists"][path] = get_admin(gateway, path);
    for one in members(&mut answers, "bills") {
        let shown = post_admin(gateway, "/admin/bills/show", &one["bill"]);
        one["show"] = comparable_history(&shown);
    }
    keep_comparable(&mut answers, written_at);

    let ask = Asker { gateway, parties };
    for one in members(&mut answers, "bills") {
        let bill = one["bill"].clone();
        one["notice"] = ask.call(NOTICE, &bill, &notice_of(&bill));
        one["prepay"] = ask.call(PREPAY, &bill, &prepay_of(&bill));
    }
    for one in members(&mut answers, "pay_results") {
        let biller = json!({ "biller": one["biller"] });
        let body = one["body"].as_str().unwrap().to_owned();
        one["as_sent"] = ask.call(PAY_RESULT, &biller, &body);
        one["respelled"] = ask.call(PAY_RESULT, &biller, &respelled(&body));
    }
    let until = "20991231235959";
    for (name, path) in [("link_recreate", RECREATE), ("link_create", CREATE)] {
        for one in members(&mut answers, "bills") {
            let bill = one["bill"].clone();
            one[name] = ask.call(path, &bill, &link_until(&bill, until));
        }
    }
    Answers(answers)
}

fn members<'a>(answers: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    answers[list].as_array_mut().unwrap().iter_mut()
}

struct Asker<'a> {
    gateway: &'a Gateway,
    parties: &'a Parties,
}

impl Asker<'_> {
    /// Returns status and code, whether a party was called or a kept answer was given, and of an answer that is not
    /// the usual one the type and the bytes.
    fn call(&self, path: &str, bill: &Value, body: &str) -> Value {
        let before = self.parties.calls();
        let reply = self.gateway.post(&route(path, bill), body);
        let mut text = format!("{} {}", reply.status, reply.res_code());
        if self.parties.calls() > before {
            text.push_str(", relayed");
        }
        if reply.header("x-relay-replayed").is_some() {
            text.push_str(", replayed");
        }
        let content_type = reply.header("content-type").unwrap_or_default();
        let is_usual = content_type == "application/json;charset=utf-8";
        if !is_usual || (reply.res_code() == "OK" && reply.text() != OK) {
            write!(text, ", {content_type}: {}", reply.text()).unwrap();
        }
        text.into()
    }
}

/// Returns a pay-result with the same values in another spelling.
fn respelled(body: &str) -> String {
    body.replace("{\"data\":", "{ \"data\" :\n")
        .replace("\"pay_amount\":20000,", "\"pay_amount\":2e4,")
        .replace("MONEY", "\\u004dONEY")
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| reply.text().into())
}

pub fn verify(gateway: &Gateway) -> Value {
    post_admin(gateway, "/admin/ledger/verify", &Value::Null)
}

pub fn post_admin(gateway: &Gateway, path: &str, body: &Value) -> Value {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let length = body.len();
    ask_admin(
        gateway,
        &format!("POST {path}"),
        &format!("Content-Length: {length}\r\n\r\n{body}"),
    )
}

pub fn get_admin(gateway: &Gateway, path: &str) -> Value {
    ask_admin(gateway, &format!("GET {path}"), "\r\n")
}

fn ask_admin(gateway: &Gateway, request: &str, rest: &str) -> Value {
    let mut caller = Caller::connect(gateway.ops());
    let head = format!("{request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}");
    caller.send(format!("{head}\r\nContent-Type: application/json\r\n{rest}").as_bytes());
    json_of(&caller.reply())
}
