//! Any node lists, shows and delivers any payment, and a biller hears of an accepted one once.

use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use test_support::{Action, Gate, Gateway, PAY_RESULT, RedisServer, Upstream, until};

use crate::fixture::{Fixture, Printed, paid, refusal};
use crate::refused::{refused, with_wide_prefix};
use crate::shared::node;

const REDELIVER: &str = "payments redeliver --biller B0001 --pay-id 1 --json";

fn json_of(printed: &Printed) -> Value {
    serde_json::from_str(&printed.out).unwrap_or_else(|_| panic!("{printed:?}"))
}

fn listed(gateway: &Gateway) -> Vec<Value> {
    let reply = Fixture::get(gateway, "/admin/payments");
    let listed: Value = serde_json::from_slice(&reply.body).unwrap();
    listed["payments"].as_array().unwrap().clone()
}

fn is_reached(gateway: &Gateway) -> bool {
    let reply = Fixture::get(gateway, "/admin/ledger");
    let status: Value = serde_json::from_slice(&reply.body).unwrap();
    status["shared_state"] == "reached"
}

#[test]
fn what_a_destroyed_node_took_is_delivered_by_another_and_accepted_once() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let (one, other) = (node(&redis, &biller), node(&redis, &biller));
    one.post(PAY_RESULT, paid("u", 1));
    until(|| other.metric("relay_payments_undelivered") == 1);
    let shown = &listed(&other)[0];
    assert_eq!(
        (&shown["pay_id"], &shown["delivery"], &shown["attempts"]),
        (&json!("1"), &json!("refused"), &json!(1))
    );
    let story = Fixture::on(&other, "bill show --biller B0001 --user-key u --json");
    assert_eq!(json_of(&story)["story"].as_array().unwrap().len(), 2);
    // Its process is killed, and its journal deleted.
    let files = one.kill();
    let journal = files.path().join("data/ledger");
    assert!(journal.exists());
    drop(files);
    assert!(!journal.exists());
    biller.now(|_| Action::ok());
    let delivered = json_of(&Fixture::on(&other, REDELIVER));
    assert_eq!(
        delivered["outcomes"][0]["outcome"], "accepted",
        "{delivered}"
    );
    assert_eq!(biller.calls()[1].body, paid("u", 1).into_bytes());
    let again = json_of(&Fixture::on(&other, REDELIVER));
    assert_eq!(again["error"]["code"], "already_accepted", "{again}");
    let copy = other.post(PAY_RESULT, paid("u", 1));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(biller.count(), 2);
    assert_eq!(other.metric("relay_payments_undelivered"), 0);
}

#[test]
fn of_two_nodes_that_are_told_at_once_to_deliver_one_does() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let (one, other) = (node(&redis, &biller), node(&redis, &biller));
    one.post(PAY_RESULT, paid("u", 1));
    until(|| other.metric("relay_payments_undelivered") == 1);
    let gate = Arc::new(Gate::default());
    biller.now({
        let gate = Arc::clone(&gate);
        move |_| Action::Wait(Arc::clone(&gate), Box::new(Action::ok()))
    });
    let outcomes: Vec<Value> = thread::scope(|scope| {
        let told = [&one, &other].map(|gateway| {
            scope.spawn(move || {
                let outcome = json_of(&Fixture::on(gateway, REDELIVER));
                outcome["outcomes"][0]["outcome"].clone()
            })
        });
        biller.await_calls(2);
        // The other one has its answer while the biller still thinks.
        until(|| told.iter().any(thread::ScopedJoinHandle::is_finished));
        gate.open();
        told.map(|told| told.join().unwrap()).to_vec()
    });
    assert!(
        outcomes.contains(&json!("accepted")) && outcomes.contains(&json!("under_way")),
        "{outcomes:?}"
    );
    assert_eq!(biller.count(), 2);
    until(|| [&one, &other].map(listed).iter().all(Vec::is_empty));
}

#[test]
fn without_redis_an_operator_delivers_only_by_saying_so() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let one = node(&redis, &biller);
    one.post(PAY_RESULT, paid("u", 1));
    one.post(PAY_RESULT, with_wide_prefix("w", "P", 2));
    let id = refused(&one, "open")[0]["id"].as_str().unwrap().to_owned();
    let deliver_refused = format!("payments refused deliver {id}");
    let before = biller.count();
    redis.kill();
    until(|| !is_reached(&one));
    biller.now(|_| Action::ok());
    let all = "payments redeliver --biller B0001 --all --json";
    for command in [REDELIVER, all] {
        let waits = Fixture::on(&one, command);
        assert_eq!(waits.code, 1, "{waits:?}");
        let outcome = &json_of(&waits)["outcomes"][0];
        assert_eq!(outcome["outcome"], "out_of_reach", "{outcome}");
        assert!(outcome["hint"].as_str().unwrap().contains("--alone"));
    }
    for command in [
        &deliver_refused,
        "payments redeliver --biller B0001 --pay-id 1",
    ] {
        let waits = Fixture::on(&one, command);
        assert_eq!(waits.code, 1, "{waits:?}");
        assert!(
            waits.out.contains("not sent: Redis is out of reach"),
            "{waits:?}"
        );
        assert!(waits.out.contains("repeat with --alone"), "{waits:?}");
    }
    assert_eq!(biller.count(), before);
    for command in [
        &deliver_refused,
        "payments redeliver --biller B0001 --pay-id 1",
    ] {
        let delivered = Fixture::on(&one, &format!("{command} --alone"));
        assert_eq!(delivered.code, 0, "{delivered:?}");
        assert!(delivered.out.contains("accepted"), "{delivered:?}");
    }
    assert_eq!(biller.count(), before + 2);
}
