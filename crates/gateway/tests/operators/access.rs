//! Which operator commands are permitted, and how the others end.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use test_support::{Caller, PAY_RESULT, Setup, Upstream};

use crate::fixture::{Fixture, Printed, TOKEN, command, paid, run};

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
        caller.send(format!("{head}\r\nHost: localhost\r\n\r\n").as_bytes());
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
    (
        "bill clear --biller B0001 --user-key u --reason x",
        1,
        "no error bill",
    ),
    ("bill classify --biller B0001 --user-key u", 2, "--reason"),
    ("bill clear --biller B0001 --user-key u", 2, "--reason"),
    (
        "bill clear --biller B0001 --user-key u --reason",
        2,
        "--reason",
    ),
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

#[test]
fn the_help_of_serve_says_what_each_signal_does_in_80_columns() {
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let printed: Printed = gateway.args(["serve", "--help"]).output().unwrap().into();
    let paragraphs: Vec<&str> = printed.out.split("\n\n").collect();
    for (signal, effect) in [
        ("SIGTERM and SIGINT", "drain"),
        ("SIGHUP", "never ends the gateway"),
        ("SIGHUP", "A change\nof its files does the same"),
    ] {
        let says = |text: &&str| text.starts_with(signal) && text.contains(effect);
        assert!(paragraphs.iter().any(says), "{}", printed.out);
    }
    assert!(
        printed.out.lines().all(|line| line.len() <= 80),
        "{}",
        printed.out
    );
}

/// Runs a command as a user without a name.
fn run_without_a_name(fixture: &Fixture, line: &str) -> Printed {
    let named = command(&fixture.gateway, Some(TOKEN), line);
    let hidden = "mount --bind /dev/null /etc/passwd && exec \"$@\"";
    let mut nameless = Command::new("unshare");
    nameless.args(["-rm", "sh", "-c", hidden, "sh"]);
    nameless.arg(named.get_program()).args(named.get_args());
    nameless.env("GATEWAY_ADMIN_TOKEN", TOKEN);
    nameless.env_remove("USER").env("LOGNAME", " ");
    nameless.output().unwrap().into()
}

#[test]
fn an_act_has_a_reason_and_the_name_of_an_operator() {
    let fixture = Fixture::start();
    let classify = "bill classify --biller B0001 --user-key u --reason checked";
    let printed = run_without_a_name(&fixture, classify);
    assert_eq!(printed.code, 2, "{printed:?}");
    assert!(printed.err.contains("--operator"), "{printed:?}");
    let named = run_without_a_name(&fixture, &format!("{classify} --operator lee"));
    assert_eq!(named.code, 0, "{named:?}");
    assert!(named.out.contains("by lee since"), "{named:?}");

    // The variables come first, an empty one is none, and the local users have the name of the tests' user.
    let by = |user: Option<&str>, log_name: Option<&str>| {
        let mut command = command(&fixture.gateway, Some(TOKEN), classify);
        for (name, value) in [("USER", user), ("LOGNAME", log_name)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let printed: Printed = command.output().unwrap().into();
        assert_eq!(printed.code, 0, "{printed:?}");
        let (_, rest) = printed.out.split_once("yes, by ").unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(by(Some("kim"), Some("park")), "kim");
    assert_eq!(by(Some(""), Some("park")), "park");
    let own = Command::new("id").arg("-un").output().unwrap().stdout;
    assert_eq!(by(None, None), String::from_utf8(own).unwrap().trim());

    for (reason, name) in [(" ", "lee"), ("checked", "")] {
        let mut command = command(&fixture.gateway, Some(TOKEN), "bill clear");
        command.args(["--biller", "B0001", "--user-key", "u"]);
        command.args(["--reason", reason, "--operator", name]);
        let printed: Printed = command.output().unwrap().into();
        assert_eq!(printed.code, 2, "{printed:?}");
        assert!(printed.err.contains("must not be blank"), "{printed:?}");
    }
    // The API behind the command requires both, too.
    for body in [
        json!({"biller": "B0001", "user_key": "u", "operator": "lee"}),
        json!({"biller": "B0001", "user_key": "u", "reason": "checked"}),
    ] {
        let reply = Fixture::post_admin(&fixture.gateway, "/admin/bills/clear", &body.to_string());
        assert_eq!(reply.status, 400, "{body}");
    }
}

#[test]
fn a_value_may_begin_with_a_hyphen() {
    let fixture = Fixture::with("identity_parameters = [\"seq\"]\n");
    let mut payment = test_support::pay_result("-0001", "P", 1, 20000);
    payment["data"]["ordinal"] = "-2".into();
    payment["data"]["biller_notice_key"] = "--json".into();
    payment["data"]["parameters"] = json!({"seq": "-7"});
    assert_eq!(
        fixture.post(PAY_RESULT, &payment.to_string()).res_code(),
        "OK"
    );
    let bill = "--biller B0001 --user-key -0001 --ordinal -2 --notice-key --json --param seq=-7";
    let (code, shown) = fixture.json(&format!("bill show {bill}"));
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown["bill"]["user_key"], "-0001");
    let act = format!("bill classify {bill} --reason -1 --operator -kim");
    let (code, shown) = fixture.json(&act);
    assert_eq!(code, 0, "{shown}");
    let word = &shown["state"]["classification"];
    assert_eq!(
        (&word["reason"], &word["operator"]),
        (&json!("-1"), &json!("-kim"))
    );
    // What follows an option that takes a value is its value, also where a pay_id or a code is wrong.
    for (wrong, message) in [
        (
            "payments redeliver --biller B0001 --pay-id -1",
            "no payment with this pay_id",
        ),
        ("payments list --biller -B", "no biller with this code"),
        ("payments list --delivery -x", "accepted, refused"),
    ] {
        let printed = fixture.run(wrong);
        assert!(printed.err.contains(message), "{wrong}: {printed:?}");
    }
}
