//! The operators' commands against a running gateway: what they see, what they change, and what
//! they are refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use ledger::{Delivered, Ledger, MessageDigest, Options, Timestamp};
use protocol::ResCode::{E403, E817};
use protocol::{BillerCode, PayResult, Rules};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::bodies::with;
use support::caller::request;
use support::process::hex;
use support::upstream::Gate;
use support::{Action, Caller, Gateway, Setup, Upstream, assert_own, link, pay_result, prepay};

const TOKEN: &str = "operators-only";
const CREATE: &str = "/external/inquiry-payment/one-time/url/B0001";
const PREPAY: &str = "/kakao/prepay/B0001";
const PAY_RESULT: &str = "/kakao/pay-result/B0001";

fn admin() -> String {
    let digest = hex(&Sha256::digest(TOKEN));
    format!("[ops]\nadmin_token_sha256 = \"{digest}\"")
}

fn paid(user_key: &str, pay_id: u64) -> String {
    pay_result(user_key, "P", pay_id, 20000).to_string()
}

fn refusal() -> Action {
    Action::json(200, r#"{"res_code":"E902","message":"저장 실패"}"#)
}

/// Kakao Pay, a biller, and a gateway between them that has an admin API.
struct Office {
    kakao: Upstream,
    biller: Upstream,
    gateway: Gateway,
}

impl Office {
    fn open() -> Self {
        Self::with("")
    }

    fn with(biller_toml: &str) -> Self {
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

    fn post(&self, path: &str, body: &str) -> support::Reply {
        self.gateway.post(path, body)
    }

    fn run(&self, command: &str) -> Said {
        run(&self.gateway, Some(TOKEN), command)
    }

    /// Runs a command that prints JSON; its exit code and what it printed.
    fn ask(&self, command: &str) -> (i32, Value) {
        let said = self.run(&format!("{command} --json"));
        let json = serde_json::from_str(&said.out)
            .unwrap_or_else(|_| panic!("no JSON from `{command}`: {said:?}"));
        (said.code, json)
    }

    fn undelivered(&self) -> i64 {
        self.gateway.metric("relay_payments_undelivered")
    }
}

/// What a command said.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The gateway's listeners take any free port: operators are told the one that it got.
fn operators_file(gateway: &Gateway) -> PathBuf {
    let file = gateway.path().join("operators.toml");
    fs::write(&file, format!("[listen]\nops = \"{}\"\n", gateway.ops())).unwrap();
    file
}

fn run(gateway: &Gateway, token: Option<&str>, command: &str) -> Said {
    let mut process = Command::new(env!("CARGO_BIN_EXE_gateway"));
    process
        .args(command.split_whitespace())
        .arg("--config")
        .arg(operators_file(gateway))
        .env_remove("GATEWAY_ADMIN_TOKEN")
        .env("USER", "kim");
    if let Some(token) = token {
        process.env("GATEWAY_ADMIN_TOKEN", token);
    }
    process.output().unwrap().into()
}

#[test]
fn the_admin_api_is_for_those_with_the_token() {
    let office = Office::open();
    let list = "payments list";
    // token | exit code | told
    let table = [
        (Some(TOKEN), 0, "Every pay-result was accepted"),
        (Some("another"), 1, "this is not the admin token"),
        (Some("two words"), 2, "holds no token"),
        (None, 2, "no admin token"),
    ];
    for (token, code, told) in table {
        let said = run(&office.gateway, token, list);
        assert_eq!(said.code, code, "{token:?}: {said:?}");
        assert!((said.out + &said.err).contains(told), "{token:?}");
    }
    let file = office.gateway.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let with_file = format!("{list} --token-file {}", file.display());
    assert_eq!(run(&office.gateway, Some("another"), &with_file).code, 0);

    // Without a token nothing is told apart, not even whether there is such a route.
    let asked = |head: &str| {
        let mut caller = Caller::connect(office.gateway.ops());
        caller.send(format!("{head}\r\nHost: ops\r\n\r\n").as_bytes());
        let reply = caller.reply();
        let code = serde_json::from_slice::<Value>(&reply.body).unwrap()["error"]["code"].clone();
        (reply.status, code)
    };
    let with_token = format!("\r\nAuthorization: Bearer {TOKEN}");
    for (head, answer) in [
        (
            "GET /admin/payments HTTP/1.1".into(),
            (401, "token_missing"),
        ),
        ("GET /admin/nothing HTTP/1.1".into(), (401, "token_missing")),
        (
            format!("GET /admin/nothing HTTP/1.1{with_token}"),
            (404, "unknown_route"),
        ),
        (
            format!("DELETE /admin/payments HTTP/1.1{with_token}"),
            (405, "wrong_method"),
        ),
        (
            format!("GET /admin/payments?delivery=lost HTTP/1.1{with_token}"),
            (400, "bad_request"),
        ),
        (
            format!("GET /admin/payments?x=1 HTTP/1.1{with_token}"),
            (400, "bad_request"),
        ),
        (
            format!("POST /admin/bills/show HTTP/1.1{with_token}\r\nContent-Length: 16385"),
            (413, "body_too_large"),
        ),
    ] {
        assert_eq!(asked(&head), (answer.0, json!(answer.1)), "{head}");
    }
    let log = serde_json::to_string(&office.gateway.log()).unwrap();
    assert!(!log.contains(TOKEN) && !log.contains("another"));
}

#[test]
fn without_a_digest_the_admin_api_is_off() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let said = run(&gateway, Some(TOKEN), "payments list");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the admin API is off"), "{said:?}");
}

/// Command, exit code, and what is told. The one pay-result that came has the number 1.
const COMMANDS: &[(&str, i32, &str)] = &[
    ("bill", 2, "Usage"),
    ("bill show --biller B0001", 2, "--user-key"),
    ("bill show --biller B/1 --user-key u", 2, "A-Za-z0-9_-"),
    (
        "bill show --biller B0001 --user-key u --month 2026-1",
        2,
        "YYYYMM",
    ),
    (
        "bill show --biller B0001 --user-key u --param seq",
        2,
        "NAME=VALUE",
    ),
    (
        "bill show --biller B0001 --user-key u --param seq=1",
        1,
        "identity_parameters: none",
    ),
    (
        "bill show --biller B9999 --user-key u",
        1,
        "no biller with this code",
    ),
    ("bill show --biller B0001 --user-key nobody", 1, ""),
    ("bill clear --biller B0001 --user-key u", 1, "no error bill"),
    (
        "payments list --delivery lost",
        2,
        "accepted, refused, unknown, pending",
    ),
    (
        "payments list --biller B9999",
        1,
        "no biller with this code",
    ),
    ("payments redeliver --biller B0001", 2, "--pay-id"),
    (
        "payments redeliver --biller B0001 --pay-id 1 --all",
        2,
        "cannot be used with",
    ),
    (
        "payments redeliver --biller B0001 --pay-id one",
        2,
        "must be a number",
    ),
    (
        "payments redeliver --biller B0001 --all --per-second 0",
        2,
        "--per-second",
    ),
    (
        "payments redeliver --biller B0001 --pay-id 1",
        1,
        "has accepted it",
    ),
    (
        "payments redeliver --biller B0001 --pay-id 2",
        1,
        "no payment of this number",
    ),
    (
        "payments redeliver --biller B9999 --pay-id 1",
        1,
        "no biller with this code",
    ),
    ("ledger", 2, "Usage"),
    ("ledger rebuild", 1, "no [ledger.redis]"),
];

#[test]
fn a_wrong_command_line_ends_with_two_and_a_refusal_with_one() {
    let office = Office::open();
    office.post(PAY_RESULT, &paid("u", 1));
    for (command, code, told) in COMMANDS.iter().copied() {
        let said = office.run(command);
        assert_eq!(said.code, code, "{command}: {said:?}");
        assert!(said.err.contains(told), "{command}: {said:?}");
    }
    assert_eq!(office.biller.count(), 1);
    // A refusal is JSON where JSON was asked for.
    let (code, refused) = office.ask("payments redeliver --biller B0001 --pay-id 1");
    assert_eq!(
        (code, &refused["error"]["code"]),
        (1, &json!("already_accepted"))
    );
}

#[test]
fn a_bills_story_tells_everything_in_its_order() {
    let office = Office::with("name = \"관리비\"\nidentity_parameters = [\"seq\"]\n");
    let named = |body: Value| {
        let body = with(body, "billed_year_month", json!("202611"));
        with(body, "parameters", json!({"seq": "7"})).to_string()
    };
    office.post(CREATE, &named(link("u")));
    office.biller.now(|_| refusal());
    office.post(PAY_RESULT, &named(pay_result("u", "P", 31, 20000)));
    office.biller.now(|_| Action::ok());
    let cancel = with(
        pay_result("u", "C", 31, 5000),
        "paid_at",
        json!("20261124130000"),
    );
    office.post(PAY_RESULT, &named(cancel));

    let bill = "--biller B0001 --user-key u --month 202611 --param seq=7";
    let (code, shown) = office.ask(&format!("bill show {bill}"));
    assert_eq!(code, 0);
    let story = shown["story"].as_array().unwrap();
    let kinds: Vec<&str> = story
        .iter()
        .map(|fact| fact["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "reserved", "linked", "payment", "delivery", "payment", "delivery"
        ]
    );
    assert_eq!(story[1]["expire_at"], "20991231235959");
    assert_eq!(story[1]["attempt"], story[0]["stamp"]);
    assert_eq!(story[3]["delivery"], "refused");
    let state = &shown["state"];
    assert_eq!(
        (&state["link"], &state["paid"]),
        (&json!("linked"), &json!(true))
    );
    assert_eq!(state["error_bill"], false);
    let group = &state["payments"][0];
    assert_eq!(
        (&group["pay_id"], &group["sum"]),
        (&json!("31"), &json!("15000"))
    );
    assert_eq!(group["cancelled"], "in_part");
    assert_eq!(group["events"][0]["delivery"], "refused");
    assert_eq!(group["events"][1]["delivery"], "accepted");

    let text = office.run(&format!("bill show {bill}")).out;
    for line in [
        "Bill of B0001 관리비",
        "  seq       7",
        "  link        linked, until 2099-12-31 23:59:59",
        "  paid        yes",
        "      31  P     20,000  2026-11-24 12:00:00  refused",
        "      31  C     -5,000  2026-11-24 13:00:00  accepted",
        "      31  sum   15,000",
        "P 20,000 won, pay_id 31, paid at 2026-11-24 12:00:00",
        "P of pay_id 31: refused",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }

    // Whoever leaves a part out is told which bills there are.
    let (code, others) = office.ask("bill show --biller B0001 --user-key u");
    assert_eq!(code, 1);
    let other = &others["bills_of_this_user_key"][0];
    assert_eq!(
        (&other["month"], &other["parameters"]["seq"]),
        (&json!("202611"), &json!("7"))
    );
}

#[test]
fn an_error_bill_is_answered_e817_until_it_is_cleared() {
    let office = Office::open();
    let bill = "--biller B0001 --user-key u";
    let classified = office.run(&format!(
        "bill classify {bill} --reason 이중_청구 --operator lee"
    ));
    assert_eq!(classified.code, 0, "{classified:?}");
    assert!(classified.out.contains("Nothing was known of it before"));
    assert!(classified.out.contains("yes, says lee since"));
    assert_own(&office.post(PREPAY, &prepay("u").to_string()), 200, E817);
    assert_own(&office.post(CREATE, &link("u").to_string()), 200, E817);
    assert_eq!(office.biller.count() + office.kakao.count(), 0);

    let cleared = office.run(&format!("bill clear {bill} --reason checked"));
    assert_eq!(cleared.code, 0, "{cleared:?}");
    assert_eq!(
        office.post(PREPAY, &prepay("u").to_string()).res_code(),
        "OK"
    );

    let (_, shown) = office.ask(&format!("bill show {bill}"));
    let said = |fact: &Value| {
        (
            fact["kind"].clone(),
            fact["operator"].clone(),
            fact["reason"].clone(),
        )
    };
    let story: Vec<_> = shown["story"]
        .as_array()
        .unwrap()
        .iter()
        .map(said)
        .collect();
    assert_eq!(
        story,
        [
            (json!("classified"), json!("lee"), json!("이중_청구")),
            // Who runs the command, where nobody is named.
            (json!("cleared"), json!("kim"), json!("checked")),
        ]
    );
    let log = serde_json::to_string(&office.gateway.log()).unwrap();
    assert!(log.contains("an operator classified a bill"));
    assert!(
        !log.contains("\"user\":\"u\""),
        "user keys stay out of the log"
    );
}

#[test]
fn a_pay_result_that_was_not_accepted_is_listed_with_its_age() {
    let office = Office::open();
    office.biller.now(|_| refusal());
    let body = format!(" {{ \"x\" : 1e0,{}", &paid("u", 31)[1..]);
    assert_eq!(office.post(PAY_RESULT, &body).res_code(), "E902");
    office.post(PAY_RESULT, &body);
    office.biller.now(|_| Action::Reset);
    office.post(PAY_RESULT, &paid("v", 32));
    assert_eq!(office.undelivered(), 2);

    let (code, listed) = office.ask("payments list");
    assert_eq!((code, listed["payments"].as_array().unwrap().len()), (0, 2));
    let first = &listed["payments"][0];
    assert_eq!(
        (&first["pay_id"], &first["delivery"]),
        (&json!("31"), &json!("refused"))
    );
    assert_eq!(
        (&first["attempts"], &first["biller"]),
        (&json!(2), &json!("B0001"))
    );
    let of_state = |state: &str| {
        let (_, listed) = office.ask(&format!("payments list --biller B0001 --delivery {state}"));
        let payments = listed["payments"].as_array().unwrap().iter();
        payments
            .map(|one| one["pay_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_state("refused"), ["31"]);
    assert_eq!(of_state("unknown"), ["32"]);
    assert_eq!(of_state("pending").len() + of_state("accepted").len(), 0);
    let text = office.run("payments list").out;
    assert!(
        text.contains("B0001       31  P     20,000  2026-11-24 12:00:00  refused          2"),
        "{text}"
    );
}

#[test]
fn a_pay_result_is_delivered_again_with_the_same_bytes_until_it_is_accepted() {
    let office = Office::open();
    office.biller.now(|_| refusal());
    let body = format!(" {{ \"x\" : 1e0,{}", &paid("u", 31)[1..]);
    office.post(PAY_RESULT, &body);

    let again = "payments redeliver --biller B0001 --pay-id 31";
    let (code, told) = office.ask(again);
    assert_eq!(
        (code, &told["outcomes"][0]["outcome"]),
        (1, &json!("refused"))
    );
    assert_eq!(told["outcomes"][0]["res_code"], "E902");
    office.biller.now(|_| Action::Reset);
    let (code, told) = office.ask(again);
    assert_eq!(
        (code, &told["outcomes"][0]["outcome"]),
        (1, &json!("unknown"))
    );
    office.biller.now(|_| Action::ok());
    let said = office.run(again);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out
            .contains("31  P  20,000  accepted: the biller answered 200 OK"),
        "{said:?}"
    );
    let calls = office.biller.calls();
    let last = calls.last().unwrap();
    assert_eq!(String::from_utf8_lossy(&last.body), body);
    assert_eq!(last.line, "POST /kakao/pay-result HTTP/1.1");
    assert_eq!(last.header("authorization"), None);
    assert_eq!(office.undelivered(), 0);
    let (_, listed) = office.ask("payments list --delivery accepted");
    assert_eq!(listed["payments"][0]["pay_id"], "31");

    // Accepted is never told again: neither by an operator nor to a copy from Kakao Pay.
    let count = office.biller.count();
    assert_eq!(office.run(again).code, 1);
    let copy = office.post(PAY_RESULT, &body);
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(office.biller.count(), count);
    let (_, shown) = office.ask("bill show --biller B0001 --user-key u");
    let story = shown["story"].as_array().unwrap();
    let deliveries = story.iter().filter(|fact| fact["kind"] == "delivery");
    let states: Vec<&str> = deliveries
        .map(|fact| fact["delivery"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["refused", "refused", "unknown", "accepted"]);
}

#[test]
fn an_attempt_that_never_reaches_the_biller_changes_nothing() {
    let office = Office::open();
    office.biller.now(|_| refusal());
    office.post(PAY_RESULT, &paid("u", 31));
    let nobody = "http://127.0.0.1:1";
    let file = office.gateway.path().join("billers/B0001.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&office.biller.url(), nobody)).unwrap();
    office.gateway.signal("HUP");
    office
        .gateway
        .await_log(|line| line["message"] == "billers read anew");
    let (code, told) = office.ask("payments redeliver --biller B0001 --pay-id 31");
    let outcome = &told["outcomes"][0];
    assert_eq!((code, &outcome["outcome"]), (1, &json!("not_sent")));
    assert_eq!(outcome["delivery"], "refused");
    let (_, listed) = office.ask("payments list --delivery refused");
    assert_eq!(listed["payments"][0]["attempts"], 2);
}

#[test]
fn nothing_is_delivered_again_while_a_copy_is_under_way() {
    let office = Office::open();
    office.biller.now(|_| refusal());
    office.post(PAY_RESULT, &paid("u", 31));
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    office
        .biller
        .now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut kakao = office.gateway.caller();
    kakao.send(&request("POST", PAY_RESULT, &[], paid("u", 31).as_bytes()));
    office.biller.await_calls(2);
    let (code, told) = office.ask("payments redeliver --biller B0001 --pay-id 31");
    assert_eq!(
        (code, &told["outcomes"][0]["outcome"]),
        (1, &json!("under_way"))
    );
    gate.open();
    assert_eq!(kakao.reply().res_code(), "OK");
    assert_eq!(office.biller.count(), 2);
    assert_eq!(office.undelivered(), 0);
}

#[test]
fn all_of_a_biller_are_delivered_but_not_what_was_cancelled_since() {
    let office = Office::open();
    office.biller.now(|_| refusal());
    for pay_id in 1..=4 {
        office.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let cancel = with(
        pay_result("3", "C", 3, 20000),
        "paid_at",
        json!("20261124130000"),
    );
    office.post(PAY_RESULT, &cancel.to_string());
    assert_eq!(office.undelivered(), 5);

    let count = office.biller.count();
    let refused = office.run("payments redeliver --biller B0001 --all --per-second 1000");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.out.contains("0 of 5 accepted, 4 refused"),
        "{refused:?}"
    );
    assert_eq!(office.biller.count(), count + 4);

    office.biller.now(|_| Action::ok());
    let (code, told) = office.ask("payments redeliver --biller B0001 --all --per-second 1000");
    let outcomes = told["outcomes"].as_array().unwrap();
    let of = |outcome: &str| {
        outcomes
            .iter()
            .filter(|one| one["outcome"] == outcome)
            .count()
    };
    assert_eq!((code, of("accepted"), of("cancelled")), (0, 4, 1));
    let told_types: Vec<Value> = office.biller.calls()[count + 4..]
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap())
        .map(|body| json!([body["data"]["pay_id"], body["data"]["pay_type"]]))
        .collect();
    // The cancel of a payment that the biller may have heard of is told.
    assert_eq!(
        told_types,
        [
            json!([1, "P"]),
            json!([2, "P"]),
            json!([3, "C"]),
            json!([4, "P"])
        ]
    );
    let listed = office.run("payments list").out;
    assert!(listed.contains("cancelled since"), "{listed}");

    // Named, it is delivered all the same.
    assert_eq!(
        office
            .run("payments redeliver --biller B0001 --pay-id 3")
            .code,
        0
    );
    assert_eq!(office.undelivered(), 0);
    let nothing = office.run("payments redeliver --biller B0001 --all");
    assert_eq!(nothing.code, 0);
    assert!(nothing.out.contains("nothing to deliver"), "{nothing:?}");
}

#[test]
fn a_biller_that_does_not_answer_is_left_alone_after_some_attempts() {
    let office = Office::open();
    office.biller.now(|_| Action::Reset);
    for pay_id in 1..=8 {
        office.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let said = office.run("payments redeliver --biller B0001 --all --per-second 1000");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("0 of 5 accepted"), "{said:?}");
    assert!(said.out.contains("Stopped"), "{said:?}");
    assert_eq!(office.biller.count(), 8 + 5);
}

#[test]
fn the_gateway_delivers_again_by_itself_where_the_biller_wants_it() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let setup = Setup::new(&kakao.url(), &biller.url())
        .with(&admin())
        .biller("B0001", &biller.url(), "redeliver = \"backoff\"");
    let left_alone = with(
        pay_result("v", "C", 8, 100),
        "paid_at",
        json!("20261124130000"),
    );
    refused_before(
        &setup,
        &[&paid("u", 7), &paid("v", 8), &left_alone.to_string()],
    );
    let gateway = setup.start();
    biller.await_calls(1);
    gateway.await_log(|line| line["message"] == "a pay-result was delivered again");
    assert_eq!(biller.calls()[0].body, paid("u", 7).into_bytes());
    assert_eq!(biller.count(), 1);
    let copy = gateway.post(PAY_RESULT, paid("u", 7));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(gateway.metric("relay_payments_undelivered"), 2);
}

/// A journal in which these pay-results were refused ten minutes ago.
fn refused_before(setup: &Setup, bodies: &[&str]) {
    let options = Options::embedded(setup.path().join("data/ledger"));
    let before = Timestamp::now().minus(Duration::from_mins(10));
    let ledger = Ledger::open(&options, before).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };
    for body in bodies {
        let biller = BillerCode::parse("B0001").unwrap();
        let told = PayResult::parse(body.as_bytes(), biller, &rules).unwrap();
        let message = MessageDigest::of(body.as_bytes());
        let bytes = body.to_string().into();
        runtime.block_on(ledger.record_payment(&told.bill, &told.event, &bytes, message, before));
        let refused =
            ledger.record_delivery(&told.bill, &told.event, message, Delivered::Refused, before);
        runtime.block_on(refused).unwrap();
    }
}

#[test]
fn verify_says_that_a_sound_ledger_is_sound() {
    let office = Office::open();
    for pay_id in 1..=20 {
        let user = (pay_id % 7).to_string();
        office.post(CREATE, &link(&user).to_string());
        office.post(PAY_RESULT, &paid(&user, pay_id));
    }
    let (code, verified) = office.ask("ledger verify");
    assert_eq!((code, &verified["sound"]), (0, &json!(true)), "{verified}");
    let journal = &verified["journal"];
    assert_eq!(
        (&journal["bills"], &journal["payments"]),
        (&json!(7), &json!(20))
    );
    let text = office.run("ledger verify").out;
    assert!(text.contains("is the fold of the journal"), "{text}");
    assert!(text.contains("The ledger is sound."), "{text}");

    // Where no gateway runs, the journal is read by itself.
    let mut gateway = office.gateway;
    gateway.terminate();
    let offline = run(&gateway, None, "ledger verify");
    assert_eq!(offline.code, 0, "{offline:?}");
    assert!(offline.out.contains("No gateway answers"), "{offline:?}");
    assert!(offline.out.contains("not compared: no gateway holds one"));
    assert_eq!(run(&gateway, Some(TOKEN), "payments list").code, 1);
}

#[test]
fn verify_finds_what_was_tampered_with() {
    let office = Office::open();
    for pay_id in 1..=4 {
        office.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let journal = office.gateway.path().join("data/ledger/journal.sqlite3");
    let tampered = rusqlite::Connection::open(&journal).unwrap();
    tampered.busy_timeout(Duration::from_secs(5)).unwrap();
    let payment = |pay_id: u64| format!("kind = 'payment' AND pay_id = '{pay_id}'");
    let row = |pay_id: u64| {
        let query = format!("SELECT seq FROM fact WHERE {}", payment(pay_id));
        tampered
            .query_row(&query, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let rows: Vec<i64> = (1..=4).map(row).collect();
    for change in [
        format!("UPDATE fact SET pay_amount = '99999' WHERE {}", payment(1)),
        format!("UPDATE fact SET paid_at = 'soon' WHERE {}", payment(2)),
        format!(
            "DELETE FROM message WHERE message = (SELECT message FROM fact WHERE {})",
            payment(3)
        ),
        format!(
            "UPDATE message SET body = x'00' WHERE message = (SELECT message FROM fact WHERE {})",
            payment(4)
        ),
        format!(
            "UPDATE fact SET stamp = (SELECT stamp FROM fact WHERE seq = {}), node = node WHERE kind = 'delivery' AND pay_id = '4'",
            rows[3]
        ),
    ] {
        assert_eq!(tampered.execute(&change, []).unwrap(), 1, "{change}");
    }
    let (code, verified) = office.ask("ledger verify");
    assert_eq!((code, &verified["sound"]), (1, &json!(false)));
    let findings = verified["journal"]["findings"].as_array().unwrap();
    let found = |kind: &str| -> Vec<i64> {
        let of_kind = findings.iter().filter(|finding| finding["kind"] == kind);
        of_kind
            .map(|finding| finding["row"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(found("unreadable_row"), [rows[1]]);
    assert_eq!(found("message_missing"), [rows[2]]);
    assert_eq!(found("message_altered"), [rows[3]]);
    assert_eq!(found("stamp_twice").len(), 1);
    // The bill of the first: its last fact is the delivery behind the payment.
    assert!(
        found("state_differs").contains(&(rows[0] + 1)),
        "{findings:?}"
    );
    let said = office.run("ledger verify");
    assert!(
        said.out.contains("is NOT the fold of the journal"),
        "{said:?}"
    );
    assert!(said.out.contains("NOT sound"), "{said:?}");
    // What the gateway holds in memory is as it was.
    assert_own(&office.post(PREPAY, &prepay("1").to_string()), 200, E403);
}
