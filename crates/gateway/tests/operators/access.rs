//! Which operator commands are permitted, and how the others end.

use std::fs;

use serde_json::{Value, json};
use test_support::{Caller, PAY_RESULT, Setup, Upstream};

use crate::fixture::{Fixture, TOKEN, paid, run};

#[test]
fn the_admin_api_requires_the_token() {
    let fixture = Fixture::start();
    let list = "payments list";
    // token | exit code | message
    let table = [
        (Some(TOKEN), 0, "Every pay-result was accepted"),
        (Some("another"), 1, "this is not the admin token"),
        (Some("two words"), 2, "holds no token"),
        (None, 2, "no admin token"),
    ];
    for (token, code, message) in table {
        let printed = run(&fixture.gateway, token, list);
        assert_eq!(printed.code, code, "{token:?}: {printed:?}");
        assert!((printed.out + &printed.err).contains(message), "{token:?}");
    }
    let file = fixture.gateway.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let with_file = format!("{list} --token-file {}", file.display());
    assert_eq!(run(&fixture.gateway, Some("another"), &with_file).code, 0);

    // Without a token all routes give the same answer, also those that do not exist.
    let call = |head: &str| {
        let mut caller = Caller::connect(fixture.gateway.ops());
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
        assert_eq!(call(&head), (answer.0, json!(answer.1)), "{head}");
    }
    let log = serde_json::to_string(&fixture.gateway.log()).unwrap();
    assert!(!log.contains(TOKEN) && !log.contains("another"));
}

#[test]
fn without_a_digest_the_admin_api_is_off() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let printed = run(&gateway, Some(TOKEN), "payments list");
    assert_eq!(printed.code, 1);
    assert!(printed.err.contains("the admin API is off"), "{printed:?}");
}

/// Command, exit code and message. The only pay-result has the number 1.
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
        "no payment with this pay_id",
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
    let fixture = Fixture::start();
    fixture.post(PAY_RESULT, &paid("u", 1));
    for (command, code, message) in COMMANDS.iter().copied() {
        let printed = fixture.run(command);
        assert_eq!(printed.code, code, "{command}: {printed:?}");
        assert!(printed.err.contains(message), "{command}: {printed:?}");
    }
    assert_eq!(fixture.biller.count(), 1);
    // With `--json` a refusal is JSON, too.
    let (code, refused) = fixture.json("payments redeliver --biller B0001 --pay-id 1");
    assert_eq!(
        (code, &refused["error"]["code"]),
        (1, &json!("already_accepted"))
    );
}

#[test]
fn no_text_of_a_customer_controls_the_terminal() {
    let fixture = Fixture::start();
    // Clears the screen, names a title, and writes from right to left.
    let key = "a\u{1b}[2J\u{9b}31m\u{202e}\u{2066}b\u{7f}";
    biller_refuses(&fixture, key);
    for json in ["", " --json"] {
        let printed = fixture.run(&format!("payments list{json}"));
        let harmful = |letter: char| {
            letter != '\n' && (letter.is_control() || ('\u{2028}'..='\u{206f}').contains(&letter))
        };
        assert_eq!(printed.code, 0, "{printed:?}");
        assert!(!printed.out.chars().any(harmful), "{:?}", printed.out);
        assert!(!printed.err.chars().any(harmful), "{:?}", printed.err);
    }
    let (_, list) = fixture.json("payments list");
    assert_eq!(list["payments"][0]["bill"]["user_key"], key);
}

fn biller_refuses(fixture: &Fixture, key: &str) {
    fixture.biller.now(|_| crate::fixture::refusal());
    fixture.post(test_support::PAY_RESULT, &paid(key, 1));
}
