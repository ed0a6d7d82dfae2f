//! Operators' commands with nodes that share a Redis.

use serde_json::{Value, json};
use test_support::{
    Action, Gateway, PAY_RESULT, RedisServer, Setup, Upstream, pay_result, until, with,
};

use crate::fixture::{Fixture, paid, refusal, run};
use crate::payments::refused_before;

/// Starts a gateway with these parties on this Redis.
pub fn node(redis: &RedisServer, biller: &Upstream) -> Gateway {
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = Fixture::setup(biller)
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .start();
    until(|| status(&gateway)["shared_state"] == "reached");
    // A new Redis is first written from the journal; the test begins after that.
    gateway.await_log(|line| {
        line["message"]
            .as_str()
            .is_some_and(|m| m.contains("was wiped"))
    });
    gateway
}

fn status(gateway: &Gateway) -> Value {
    let reply = Fixture::get(gateway, "/admin/ledger");
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn what_another_node_delivered_is_not_listed_and_not_delivered_again() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let (one, other) = (node(&redis, &biller), node(&redis, &biller));
    for pay_id in 1..=2 {
        one.post(PAY_RESULT, paid(&pay_id.to_string(), pay_id));
    }
    biller.now(|_| Action::ok());
    for pay_id in 1..=2 {
        let copy = other.post(PAY_RESULT, paid(&pay_id.to_string(), pay_id));
        assert_eq!(copy.res_code(), "OK");
    }
    let delivered = biller.count();
    // Whether or not what the other node did is in this journal yet.
    let again = Fixture::on(&one, "payments redeliver --biller B0001 --pay-id 1 --json");
    assert!(again.out.contains("already_accepted"), "{again:?}");
    let list = Fixture::on(&one, "payments list");
    assert!(
        list.out.contains("Every pay-result was accepted"),
        "{list:?}"
    );
    assert!(!list.out.contains("Note:"), "{list:?}");
    until(|| one.metric("relay_payments_undelivered") == 0);
    assert_eq!(other.metric("relay_payments_undelivered"), 0);
    assert_eq!(biller.count(), delivered);
    let unknown = Fixture::on(
        &other,
        "payments redeliver --biller B0001 --pay-id 9 --json",
    );
    let refused: Value = serde_json::from_str(&unknown.out).unwrap();
    assert_eq!(refused["error"]["code"], "unknown_payment");
    redis.kill();
    until(|| status(&one)["shared_state"] == "out_of_reach");
    let list = Fixture::on(&one, "payments list");
    assert!(list.out.contains("Redis is out of reach"), "{list:?}");
}

fn cancelled(user: &str, pay_id: u64) -> String {
    let cancel = pay_result(user, "C", pay_id, 20000);
    with(cancel, "paid_at", json!("20261124130000")).to_string()
}

#[test]
fn what_was_cancelled_through_another_node_is_delivered_only_by_its_pay_id() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let (one, other) = (node(&redis, &biller), node(&redis, &biller));
    one.post(PAY_RESULT, paid("1", 1));
    other.post(PAY_RESULT, cancelled("1", 1));
    biller.now(|_| Action::ok());
    let delivered = biller.count();
    let json = |command: &str| -> Value {
        let printed = Fixture::on(&one, &format!("{command} --json"));
        serde_json::from_str(&printed.out).unwrap()
    };
    let listed = json("payments list");
    assert_eq!(listed["payments"][0]["cancelled"], "fully", "{listed}");
    let all = json("payments redeliver --biller B0001 --all");
    assert_eq!(all["outcomes"][0]["outcome"], "cancelled", "{all}");
    assert_eq!(biller.count(), delivered);
    let named = json("payments redeliver --biller B0001 --pay-id 1");
    let outcome = &named["outcomes"][0];
    assert_eq!(
        (&outcome["outcome"], &outcome["cancelled"]),
        (&json!("accepted"), &json!("fully"))
    );
}

#[test]
fn what_was_cancelled_through_another_node_is_not_redelivered_periodically() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let other = node(&redis, &biller);
    other.post(PAY_RESULT, cancelled("1", 1));
    let delivered = biller.count();
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let setup = Setup::new(&kakao.url(), &biller.url())
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .biller("B0001", &biller.url(), "redeliver = \"backoff\"");
    // The cancelled one is older, so it would be delivered first.
    refused_before(&setup, &[&paid("1", 1), &paid("2", 2)]);
    let one = setup.start();
    biller.await_calls(delivered + 1);
    one.await_log(|line| line["message"] == "a pay-result was delivered again");
    assert_eq!(biller.calls()[delivered].body, paid("2", 2).into_bytes());
    assert_eq!(one.metric("relay_payments_undelivered"), 1);
    assert_eq!(biller.count(), delivered + 1);
}

#[test]
fn verify_reports_what_redis_lacks_and_rebuild_restores_it() {
    let (redis, biller) = (RedisServer::start(), Upstream::ok());
    let gateway = node(&redis, &biller);
    for pay_id in 1..=5 {
        gateway.post(PAY_RESULT, paid(&pay_id.to_string(), pay_id));
    }
    until(|| status(&gateway)["unshared_facts"] == 0);
    let verified = || -> (i32, Value) {
        let printed = Fixture::on(&gateway, "ledger verify --json");
        (printed.code, serde_json::from_str(&printed.out).unwrap())
    };
    let shared = |[missing, behind, unreadable, answers]: [u64; 4]| {
        json!({
            "reached": true, "missing": missing, "behind": behind, "unreadable": unreadable,
            "answers_missing": answers,
        })
    };
    let (code, sound) = verified();
    assert_eq!((code, &sound["shared"]), (0, &shared([0; 4])));

    let client = redis::Client::open(format!("redis://127.0.0.1:{}/0", redis.port())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut keys = |kind: &str| -> Vec<Vec<u8>> {
        let pattern = format!("relay:{{B0001}}:{kind}:*");
        let keys = redis::cmd("KEYS").arg(pattern).query(&mut connection);
        keys.unwrap()
    };
    let (families, answers) = (keys("b"), keys("m"));
    let (gone, kept) = (&families[..2], &families[2]);
    let deleted: u64 = redis::cmd("DEL")
        .arg(gone)
        .arg(&answers[..3])
        .query(&mut connection)
        .unwrap();
    assert_eq!(deleted, 5);
    let (code, missed) = verified();
    assert_eq!((code, &missed["shared"]), (1, &shared([2, 0, 0, 3])));
    let text = Fixture::on(&gateway, "ledger verify").out;
    assert!(text.contains("misses 2 bills and 3 kept answers"), "{text}");

    let rebuilt = Fixture::on(&gateway, "ledger rebuild");
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    assert!(
        rebuilt.out.contains("Redis has all 10 facts"),
        "{rebuilt:?}"
    );
    let (code, sound) = verified();
    assert_eq!((code, &sound["shared"]), (0, &shared([0; 4])));

    // An unreadable value is neither used nor overwritten.
    let () = redis::cmd("SET")
        .arg(kept)
        .arg("x")
        .query(&mut connection)
        .unwrap();
    let (code, unreadable) = verified();
    assert_eq!((code, &unreadable["shared"]), (1, &shared([0, 0, 1, 0])));

    redis.kill();
    until(|| status(&gateway)["shared_state"] == "out_of_reach");
    let (code, out) = verified();
    assert_eq!((code, &out["shared"]), (1, &json!({"reached": false})));
    let refused = run(&gateway, Some(crate::fixture::TOKEN), "ledger rebuild");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("Redis is out of reach"), "{refused:?}");
}
