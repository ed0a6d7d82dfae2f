//! A copy of an accepted pay-result in another spelling is the same pay-result: the biller hears it once.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::{Value, json};
use test_support::{
    Action, Gate, Gateway, OK, PAY_RESULT, Reply, Setup, Upstream, answer, pay_result, request,
    until, with,
};

/// A pay-result with every kind of member.
fn first() -> Value {
    let body = pay_result("u-가", "P", 31, 20000);
    with(body, "parameters", json!({"seq": "KT00000001", "n": 7}))
}

/// The same in other spellings: what differs, and the body.
fn spellings() -> Vec<(&'static str, String)> {
    let first = first();
    let plain = first.to_string();
    let members: Vec<String> = first["data"]
        .as_object()
        .unwrap()
        .iter()
        .rev()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    vec![
        ("white space", format!(" {plain}\r\n")),
        ("indented", serde_json::to_string_pretty(&first).unwrap()),
        ("order", format!("{{\"data\":{{{}}}}}", members.join(","))),
        (
            "numbers",
            plain.replace(":20000", ":2.00e4").replace(":31", ":31.0"),
        ),
        (
            "escapes",
            plain
                .replace("가", "\\uac00")
                .replace("MONEY", "\\u004dONEY"),
        ),
        (
            "order of parameters",
            plain.replace(
                r#"{"n":7,"seq":"KT00000001"}"#,
                r#"{"seq":"KT00000001","n":7e0}"#,
            ),
        ),
        (
            "a missing member",
            plain.replace("\"data\":{", "\"data\":{\"ordinal\":null,"),
        ),
        (
            "beyond the guide",
            with(first.clone(), "note", json!("again")).to_string(),
        ),
        (
            "beyond the guide in root",
            plain.replacen('{', r#"{"sent":[{"try":2}],"#, 1),
        ),
    ]
}

/// The same with another value of one member.
fn other_messages() -> Vec<(&'static str, String)> {
    let other = |member: &str, value: Value| with(first(), member, value).to_string();
    vec![
        ("pay_amount", other("pay_amount", json!(20001))),
        ("pay_fee", other("pay_fee", json!(151))),
        ("pay_by", other("pay_by", json!("CARD"))),
        ("pay_detail2", other("pay_detail2", json!("x"))),
        (
            "parameters",
            other("parameters", json!({"seq": "KT00000001", "n": "7"})),
        ),
        ("parameters absent", other("parameters", Value::Null)),
        ("paid_at", other("paid_at", json!("20261124120001"))),
        ("pay_type", other("pay_type", json!("C"))),
    ]
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("x-relay-replayed") == Some("true")
}

fn start(biller: &Upstream) -> Gateway {
    Setup::new("http://127.0.0.1:1", &biller.url()).start()
}

#[test]
fn a_copy_in_another_spelling_gets_the_kept_answer_also_after_a_restart() {
    let biller = Upstream::ok();
    let mut gateway = start(&biller);
    let accepted = r#"{ "res_code":"OK", "message":"수납 완료" }"#;
    biller.now(move |_| Action::Send(answer(201, "application/json; v=1", accepted.as_bytes())));
    assert!(!is_replayed(&gateway.post(PAY_RESULT, first().to_string())));
    for restart in ["", "stop", "kill"] {
        gateway = match restart {
            "stop" => gateway.stop_and_restart(),
            "kill" => gateway.kill_and_restart(),
            _ => gateway,
        };
        for (what, copy) in spellings() {
            let reply = gateway.post(PAY_RESULT, &copy);
            assert!(is_replayed(&reply), "{what} {restart}: {copy}");
            assert_eq!((reply.status, reply.text().as_str()), (201, accepted));
            assert_eq!(reply.header("content-type"), Some("application/json; v=1"));
        }
        assert_eq!(biller.count(), 1);
        // Each is logged; a copy byte for byte is not.
        let differs = |line: &Value| {
            let message = line["message"].as_str().unwrap_or_default();
            message.contains("differs in spelling or in members beyond the guide")
        };
        gateway.await_log_times(spellings().len(), differs);
        assert!(is_replayed(&gateway.post(PAY_RESULT, first().to_string())));
        assert_eq!(
            gateway.log().iter().filter(|line| differs(line)).count(),
            spellings().len()
        );
    }
}

#[test]
fn another_value_of_a_member_of_the_guide_is_another_message() {
    let biller = Upstream::ok();
    let gateway = start(&biller);
    gateway.post(PAY_RESULT, first().to_string());
    for (told, (what, body)) in other_messages().into_iter().enumerate() {
        let reply = gateway.post(PAY_RESULT, &body);
        assert!(!is_replayed(&reply), "{what}");
        assert_eq!(biller.count(), told + 2, "{what}");
        assert_eq!(biller.calls().last().unwrap().body, body.as_bytes());
        assert!(
            is_replayed(&gateway.post(PAY_RESULT, format!("{body} "))),
            "{what}"
        );
    }
}

#[test]
fn a_body_with_a_member_twice_is_compared_by_its_bytes_only() {
    let biller = Upstream::ok();
    let gateway = start(&biller);
    for twice in [
        first()
            .to_string()
            .replacen('{', r#"{"x":[{"a":1,"a":1}],"#, 1),
        first().to_string().replace(r#""n":7"#, r#""n":7,"n":7"#),
    ] {
        let told = biller.count();
        assert!(!is_replayed(&gateway.post(PAY_RESULT, &twice)));
        assert!(is_replayed(&gateway.post(PAY_RESULT, &twice)));
        assert!(!is_replayed(&gateway.post(PAY_RESULT, format!("{twice} "))));
        assert_eq!(biller.count(), told + 2);
    }
}

#[test]
fn a_copy_in_another_spelling_waits_for_the_first() {
    let biller = Upstream::ok();
    let gateway = start(&biller);
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    biller.now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let copies = spellings();
    let mut callers: Vec<_> = copies.iter().map(|_| gateway.caller()).collect();
    let mut caller = gateway.caller();
    caller.send(&request(
        "POST",
        PAY_RESULT,
        &[],
        first().to_string().as_bytes(),
    ));
    biller.await_calls(1);
    for (caller, (_, copy)) in callers.iter_mut().zip(&copies) {
        caller.send(&request("POST", PAY_RESULT, &[], copy.as_bytes()));
    }
    // Another value does not wait.
    let (_, other) = other_messages().remove(0);
    let mut another = gateway.caller();
    another.send(&request("POST", PAY_RESULT, &[], other.as_bytes()));
    biller.await_calls(2);
    gate.open();
    assert!(!is_replayed(&caller.reply()) && !is_replayed(&another.reply()));
    for (caller, (what, _)) in callers.iter_mut().zip(&copies) {
        let reply = caller.reply();
        assert!(is_replayed(&reply) && reply.text() == OK, "{what}");
    }
    assert_eq!(biller.count(), 2);
}

#[test]
fn a_copy_in_another_spelling_is_relayed_until_the_biller_has_accepted_one() {
    let biller = Upstream::ok();
    let gateway = start(&biller);
    let refusal = Action::json(200, r#"{"res_code":"E902"}"#);
    biller.now(move |_| refusal.clone());
    let copies = spellings();
    for (told, (what, copy)) in copies.iter().enumerate() {
        assert_eq!(gateway.post(PAY_RESULT, copy).res_code(), "E902", "{what}");
        assert_eq!(biller.count(), told + 1);
    }
    biller.now(|_| Action::ok());
    assert!(!is_replayed(&gateway.post(PAY_RESULT, first().to_string())));
    for (what, copy) in &copies {
        assert!(is_replayed(&gateway.post(PAY_RESULT, copy)), "{what}");
    }
    assert_eq!(biller.count(), copies.len() + 1);
    until(|| gateway.metric("relay_payments_undelivered") == 0);
}

#[test]
fn an_answer_above_64_kib_is_kept_without_its_body() {
    let biller = Upstream::ok();
    let mut gateway = start(&biller);
    let own = r#"{"res_code":"OK","message":"성공","data":null}"#;
    // bytes of the answer | whether it is kept whole
    for (pay_id, (bytes, is_whole)) in [(64 << 10, true), ((64 << 10) + 1, false), (3 << 20, false)]
        .into_iter()
        .enumerate()
    {
        let head = r#"{"res_code":"OK","data":""#;
        let sent = format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2));
        let script = answer(201, "application/json; v=1", sent.as_bytes());
        biller.now(move |_| Action::Send(script.clone()));
        let body = pay_result("u", "P", pay_id as u64, 20000).to_string();
        let told = biller.count();
        let relayed = gateway.post(PAY_RESULT, &body);
        assert_eq!((relayed.status, relayed.text()), (201, sent.clone()));
        let (kept, content_type) = if is_whole {
            (sent.as_str(), "application/json; v=1")
        } else {
            (own, "application/json;charset=utf-8")
        };
        for restart in [false, true] {
            if restart {
                gateway = gateway.kill_and_restart();
            }
            let copy = gateway.post(PAY_RESULT, &body);
            assert!(is_replayed(&copy));
            assert_eq!((copy.status, copy.text().as_str()), (201, kept));
            assert_eq!(copy.header("content-type"), Some(content_type));
        }
        assert_eq!(biller.count(), told + 1);
    }
}
