//! Undelivered pay-results that an operator closes by hand, what a removed biller leaves behind, and times far away.

use std::fs;

use serde_json::{Value, json};
use test_support::{
    Action, CREATE, Gateway, PAY_RESULT, PREPAY, RedisServer, Upstream, link, pay_result, prepay,
    until, with,
};

use crate::fixture::{Fixture, paid, refusal};

fn listed(gateway: &Gateway, query: &str) -> Vec<Value> {
    let reply = Fixture::get(gateway, &format!("/admin/payments?{query}"));
    let listed: Value = serde_json::from_slice(&reply.body).unwrap();
    listed["payments"].as_array().unwrap().clone()
}

#[test]
fn a_closed_pay_result_leaves_the_list_and_the_gauge_and_its_copies_are_relayed() {
    let mut fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &paid("u", 31));
    fixture.post(PAY_RESULT, &paid("v", 32));
    let close = "payments close --biller B0001 --pay-id 31";
    assert_eq!(fixture.run(close).code, 2, "closed without a reason");
    let printed = fixture.run(&format!("{close} --reason booked-by-hand"));
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(
        printed
            .out
            .contains("31  P  20,000  closed; it was refused"),
        "{printed:?}"
    );
    fixture.gateway = fixture.gateway.kill_and_restart();
    assert_eq!(fixture.undelivered(), 1);
    assert_eq!(listed(&fixture.gateway, "")[0]["pay_id"], "32");
    let closed = listed(&fixture.gateway, "delivery=closed");
    assert_eq!((closed.len(), &closed[0]["pay_id"]), (1, &json!("31")));
    let (_, history) = fixture.json("bill show --biller B0001 --user-key u");
    let last = history["story"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (
            &last["kind"],
            &last["delivery"],
            &last["reason"],
            &last["operator"]
        ),
        (
            &json!("delivery"),
            &json!("closed"),
            &json!("booked-by-hand"),
            &json!("kim")
        )
    );
    for command in [
        close.to_owned() + " --reason x",
        "payments redeliver --biller B0001 --pay-id 31".into(),
    ] {
        let (code, refusal) = fixture.json(&command);
        assert_eq!(
            (code, &refusal["error"]["code"]),
            (1, &json!("closed")),
            "{command}"
        );
    }

    // A copy is relayed; that the biller refuses it again opens nothing, that it accepts it counts.
    let before = fixture.biller.count();
    assert_eq!(fixture.post(PAY_RESULT, &paid("u", 31)).res_code(), "E902");
    assert_eq!(
        (fixture.biller.count(), fixture.undelivered()),
        (before + 1, 1)
    );
    fixture.biller.now(|_| Action::ok());
    assert_eq!(fixture.post(PAY_RESULT, &paid("u", 31)).res_code(), "OK");
    assert_eq!(
        (fixture.biller.count(), fixture.undelivered()),
        (before + 2, 1)
    );
    let copy = fixture.post(PAY_RESULT, &paid("u", 31));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(
        fixture.post(PREPAY, &prepay("u").to_string()).res_code(),
        "E403"
    );
}

#[test]
fn a_closing_travels_to_the_nodes_that_have_the_payment_too() {
    let (redis, biller) = (RedisServer::start(), Upstream::start(|_| refusal()));
    let one = crate::shared::node(&redis, &biller);
    let other = crate::shared::node(&redis, &biller);
    one.post(PAY_RESULT, paid("u", 31));
    other.post(PAY_RESULT, paid("u", 31));
    let close = "payments close --biller B0001 --pay-id 31 --reason done";
    assert_eq!(Fixture::on(&one, close).code, 0);
    let count = biller.count();
    let again = Fixture::on(&other, "payments redeliver --biller B0001 --pay-id 31");
    // Whether or not the closing is in this journal yet.
    let said = [again.out.as_str(), &again.err].concat();
    assert!(said.contains("an operator has closed it"), "{said}");
    assert_eq!(biller.count(), count);
    until(|| listed(&other, "").is_empty());
    assert_eq!(other.metric("relay_payments_undelivered"), 0);
    let shown = Fixture::on(&other, "bill show --biller B0001 --user-key u --json");
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    let of = |gateway: &Gateway| {
        let reply = Fixture::on(gateway, "bill show --biller B0001 --user-key u --json");
        let history: Value = serde_json::from_str(&reply.out).unwrap();
        let closed = history["story"].as_array().unwrap().iter();
        let mut closed = closed.filter(|fact| fact["delivery"] == "closed");
        closed.next().unwrap()["stamp"].clone()
    };
    assert_eq!(of(&one), of(&other), "{shown:#?}");
}

#[test]
fn what_a_removed_biller_leaves_behind_is_said_listed_shown_and_closable() {
    let mut fixture = Fixture::with("identity_parameters = [\"seq\"]\n");
    let named = |body: Value| with(body, "parameters", json!({"seq": "7"})).to_string();
    fixture.post(CREATE, &named(link("u")));
    fixture.post(
        CREATE,
        &named(with(link("w"), "expire_at", json!("20200101000000"))),
    );
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &named(pay_result("u", "P", 31, 20000)));
    fs::remove_file(fixture.gateway.path().join("billers/B0001.toml")).unwrap();
    fixture.gateway.signal("HUP");
    let is_warning = |line: &Value| {
        line["level"] == "warn"
            && line["biller"] == "B0001"
            && line["undelivered"] == 1
            && line["links"] == 1
    };
    fixture.gateway.await_log(is_warning);
    for restarted in [false, true] {
        if restarted {
            fixture.gateway = fixture.gateway.stop_and_restart();
            fixture.gateway.await_log(is_warning);
        }
        for query in ["", "biller=B0001"] {
            assert_eq!(
                listed(&fixture.gateway, query)[0]["pay_id"],
                "31",
                "{query}"
            );
        }
        let bill = "bill show --biller B0001 --user-key u --param seq=7";
        let (code, shown) = fixture.json(bill);
        assert_eq!((code, &shown["state"]["paid"]), (0, &json!(true)));
        assert!(fixture.run(bill).out.contains("Bill of B0001"));
    }
    let (code, refusal) = fixture.json("payments redeliver --biller B0001 --pay-id 31");
    assert_eq!(
        (code, &refusal["error"]["code"]),
        (1, &json!("unknown_biller"))
    );
    let closed = fixture.run("payments close --biller B0001 --pay-id 31 --reason gone");
    assert_eq!((closed.code, fixture.undelivered()), (0, 0), "{closed:?}");
}

#[test]
fn a_time_far_away_is_shown_as_it_is() {
    let fixture = Fixture::start();
    let far = with(link("u"), "expire_at", json!("99991231235959"));
    fixture.post(CREATE, &far.to_string());
    // Neither month, ordinal nor notice key: the payment counts until the link's end.
    let strange = with(
        pay_result("u", "P", 31, 20000),
        "paid_at",
        json!("99999999999999"),
    );
    fixture.post(PAY_RESULT, &strange.to_string());
    let (_, shown) = fixture.json("bill show --biller B0001 --user-key u");
    let event = &shown["state"]["payments"][0]["events"][0];
    assert_eq!(event["counts_until"], "9999-12-31T23:59:59.000+09:00");
    let text = fixture.run("bill show --biller B0001 --user-key u").out;
    assert!(text.contains("until 9999-12-31 23:59:59"), "{text}");
    assert!(text.contains("counts until 9999-12-31 23:59:59"), "{text}");
    assert!(
        text.contains("99999999999999") && !text.contains("1970"),
        "{text}"
    );
    assert_eq!(
        fixture.post(PREPAY, &prepay("u").to_string()).res_code(),
        "E403"
    );
}
