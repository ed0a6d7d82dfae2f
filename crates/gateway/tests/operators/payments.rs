//! Pay-results that were not accepted: listed, and delivered again.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ::ledger::{DeliveryOutcome, Ledger, MessageDigest, Options, Timestamp};
use protocol::{BillerCode, PayResult, Rules};
use serde_json::{Value, json};
use test_support::{Action, Gate, PAY_RESULT, Setup, Upstream, pay_result, request, with};

use crate::fixture::{Fixture, admin, paid, refusal};

#[test]
fn a_pay_result_that_was_not_accepted_is_listed_with_its_age() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    let body = format!(" {{ \"x\" : 1e0,{}", &paid("u", 31)[1..]);
    assert_eq!(fixture.post(PAY_RESULT, &body).res_code(), "E902");
    fixture.post(PAY_RESULT, &body);
    fixture.biller.now(|_| Action::Reset);
    fixture.post(PAY_RESULT, &paid("v", 32));
    assert_eq!(fixture.undelivered(), 2);

    let (code, listed) = fixture.json("payments list");
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
        let (_, listed) = fixture.json(&format!("payments list --biller B0001 --delivery {state}"));
        let payments = listed["payments"].as_array().unwrap().iter();
        payments
            .map(|one| one["pay_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_state("refused"), ["31"]);
    assert_eq!(of_state("unknown"), ["32"]);
    assert_eq!(of_state("pending").len() + of_state("accepted").len(), 0);
    let text = fixture.run("payments list").out;
    assert!(
        text.contains("B0001       31  P     20,000  2026-11-24 12:00:00  refused          2"),
        "{text}"
    );
}

#[test]
fn a_pay_result_is_delivered_again_with_the_same_bytes_until_it_is_accepted() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    let body = format!(" {{ \"x\" : 1e0,{}", &paid("u", 31)[1..]);
    fixture.post(PAY_RESULT, &body);

    let again = "payments redeliver --biller B0001 --pay-id 31";
    let (code, result) = fixture.json(again);
    assert_eq!(
        (code, &result["outcomes"][0]["outcome"]),
        (1, &json!("refused"))
    );
    assert_eq!(result["outcomes"][0]["res_code"], "E902");
    fixture.biller.now(|_| Action::Reset);
    let (code, result) = fixture.json(again);
    assert_eq!(
        (code, &result["outcomes"][0]["outcome"]),
        (1, &json!("unknown"))
    );
    fixture.biller.now(|_| Action::ok());
    let printed = fixture.run(again);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(
        printed
            .out
            .contains("31  P  20,000  accepted: the biller answered 200 OK"),
        "{printed:?}"
    );
    let calls = fixture.biller.calls();
    let last = calls.last().unwrap();
    assert_eq!(String::from_utf8_lossy(&last.body), body);
    assert_eq!(last.line, "POST /kakao/pay-result HTTP/1.1");
    assert_eq!(last.header("authorization"), None);
    assert_eq!(fixture.undelivered(), 0);
    let (_, listed) = fixture.json("payments list --delivery accepted");
    assert_eq!(listed["payments"][0]["pay_id"], "31");

    // An accepted pay-result is never delivered again, by an operator or for a copy from Kakao Pay.
    let count = fixture.biller.count();
    assert_eq!(fixture.run(again).code, 1);
    let copy = fixture.post(PAY_RESULT, &body);
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(fixture.biller.count(), count);
    let (_, shown) = fixture.json("bill show --biller B0001 --user-key u");
    let story = shown["story"].as_array().unwrap();
    let deliveries = story.iter().filter(|fact| fact["kind"] == "delivery");
    let states: Vec<&str> = deliveries
        .map(|fact| fact["delivery"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["refused", "refused", "unknown", "accepted"]);
}

#[test]
fn an_attempt_that_never_reaches_the_biller_changes_nothing() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &paid("u", 31));
    let nobody = "http://127.0.0.1:1";
    let file = fixture.gateway.path().join("billers/B0001.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&fixture.biller.url(), nobody)).unwrap();
    fixture.gateway.signal("HUP");
    fixture
        .gateway
        .await_log(|line| line["message"] == "configuration reloaded");
    let (code, result) = fixture.json("payments redeliver --biller B0001 --pay-id 31");
    let outcome = &result["outcomes"][0];
    assert_eq!((code, &outcome["outcome"]), (1, &json!("not_sent")));
    assert_eq!(outcome["delivery"], "refused");
    let (_, listed) = fixture.json("payments list --delivery refused");
    assert_eq!(listed["payments"][0]["attempts"], 2);
}

#[test]
fn nothing_is_delivered_again_while_a_copy_is_under_way() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &paid("u", 31));
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    fixture
        .biller
        .now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut kakao = fixture.gateway.caller();
    kakao.send(&request("POST", PAY_RESULT, &[], paid("u", 31).as_bytes()));
    fixture.biller.await_calls(2);
    let (code, result) = fixture.json("payments redeliver --biller B0001 --pay-id 31");
    assert_eq!(
        (code, &result["outcomes"][0]["outcome"]),
        (1, &json!("under_way"))
    );
    gate.open();
    assert_eq!(kakao.reply().res_code(), "OK");
    assert_eq!(fixture.biller.count(), 2);
    assert_eq!(fixture.undelivered(), 0);
}

#[test]
fn all_of_a_biller_are_delivered_but_not_what_was_cancelled_since() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    for pay_id in 1..=4 {
        fixture.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let cancel = with(
        pay_result("3", "C", 3, 20000),
        "paid_at",
        json!("20261124130000"),
    );
    fixture.post(PAY_RESULT, &cancel.to_string());
    assert_eq!(fixture.undelivered(), 5);

    let count = fixture.biller.count();
    let refused = fixture.run("payments redeliver --biller B0001 --all --per-second 1000");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.out.contains("0 of 5 accepted, 4 refused"),
        "{refused:?}"
    );
    assert_eq!(fixture.biller.count(), count + 4);

    fixture.biller.now(|_| Action::ok());
    let (code, result) = fixture.json("payments redeliver --biller B0001 --all --per-second 1000");
    let outcomes = result["outcomes"].as_array().unwrap();
    let of = |outcome: &str| {
        outcomes
            .iter()
            .filter(|one| one["outcome"] == outcome)
            .count()
    };
    assert_eq!((code, of("accepted"), of("cancelled")), (0, 4, 1));
    let delivered_types: Vec<Value> = fixture.biller.calls()[count + 4..]
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap())
        .map(|body| json!([body["data"]["pay_id"], body["data"]["pay_type"]]))
        .collect();
    // A cancel is delivered if its payment may have reached the biller.
    assert_eq!(
        delivered_types,
        [
            json!([1, "P"]),
            json!([2, "P"]),
            json!([3, "C"]),
            json!([4, "P"])
        ]
    );
    let listed = fixture.run("payments list").out;
    assert!(listed.contains("cancelled since"), "{listed}");

    // A command with its `pay_id` delivers it anyway.
    assert_eq!(
        fixture
            .run("payments redeliver --biller B0001 --pay-id 3")
            .code,
        0
    );
    assert_eq!(fixture.undelivered(), 0);
    let nothing = fixture.run("payments redeliver --biller B0001 --all");
    assert_eq!(nothing.code, 0);
    assert!(nothing.out.contains("nothing to deliver"), "{nothing:?}");
}

#[test]
fn redelivery_stops_after_some_attempts_without_an_answer() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| Action::Reset);
    for pay_id in 1..=8 {
        fixture.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let printed = fixture.run("payments redeliver --biller B0001 --all --per-second 1000");
    assert_eq!(printed.code, 1);
    assert!(printed.out.contains("0 of 5 accepted"), "{printed:?}");
    assert!(printed.out.contains("Stopped"), "{printed:?}");
    assert_eq!(fixture.biller.count(), 8 + 5);
}

#[test]
fn the_gateway_redelivers_periodically_if_the_biller_is_so_configured() {
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

/// Writes a journal in which these pay-results were refused ten minutes ago.
pub fn refused_before(setup: &Setup, bodies: &[&str]) {
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
        let result = PayResult::parse(body.as_bytes(), biller, &rules).unwrap();
        let message = MessageDigest::of(body.as_bytes());
        let bytes = body.to_string().into();
        runtime.block_on(ledger.record_payment(
            &result.bill,
            &result.event,
            &bytes,
            message.into(),
            before,
        ));
        let refused = ledger.record_delivery(
            &result.bill,
            &result.event,
            message.into(),
            DeliveryOutcome::Refused,
            before,
        );
        runtime.block_on(refused).unwrap();
    }
}

#[test]
fn what_was_accepted_in_another_spelling_is_not_delivered_again() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &paid("u", 31));
    assert_eq!(fixture.undelivered(), 1);
    fixture.biller.now(|_| Action::ok());
    let spelled = format!(" {}", paid("u", 31));
    assert_eq!(fixture.post(PAY_RESULT, &spelled).res_code(), "OK");
    assert_eq!(fixture.undelivered(), 0);
    let told = fixture.biller.count();
    let again = fixture.run("payments redeliver --biller B0001 --pay-id 31");
    assert_eq!(again.code, 1, "{again:?}");
    let copy = fixture.post(PAY_RESULT, &paid("u", 31));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(fixture.biller.count(), told);
}

#[test]
fn a_redelivery_and_a_copy_in_another_spelling_wait_for_each_other() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &paid("u", 31));
    let told = fixture.biller.count();
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    (fixture.biller).now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let spelled = format!(" {}", paid("u", 31));
    let mut caller = fixture.gateway.caller();
    caller.send(&request("POST", PAY_RESULT, &[], spelled.as_bytes()));
    fixture.biller.await_calls(told + 1);
    let (_, again) = fixture.json("payments redeliver --biller B0001 --pay-id 31");
    assert_eq!(again["outcomes"][0]["outcome"], "under_way", "{again}");
    gate.open();
    assert_eq!(caller.reply().res_code(), "OK");
    assert_eq!(fixture.biller.count(), told + 1);
}
