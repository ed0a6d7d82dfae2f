//! A bill's history, and error bills.

use protocol::ResCode::E817;
use serde_json::{Value, json};
use test_support::{
    AUTHORIZATION, Action, CREATE, PAY_RESULT, PREPAY, assert_own, link, pay_result, prepay, with,
};

use crate::fixture::{Fixture, refusal};

#[test]
fn the_history_of_a_bill_has_every_fact_in_order() {
    let fixture = Fixture::with("name = \"관리비\"\nidentity_parameters = [\"seq\"]\n");
    let named = |body: Value| {
        let body = with(body, "billed_year_month", json!("202611"));
        with(body, "parameters", json!({"seq": "7"})).to_string()
    };
    fixture.post(CREATE, &named(link("u")));
    fixture.biller.now(|_| refusal());
    fixture.post(PAY_RESULT, &named(pay_result("u", "P", 31, 20000)));
    fixture.biller.now(|_| Action::ok());
    let cancel = with(
        pay_result("u", "C", 31, 5000),
        "paid_at",
        json!("20261124130000"),
    );
    fixture.post(PAY_RESULT, &named(cancel));

    let bill = "--biller B0001 --user-key u --month 202611 --param seq=7";
    let (code, shown) = fixture.json(&format!("bill show {bill}"));
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

    let text = fixture.run(&format!("bill show {bill}")).out;
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

    // A command with fewer members lists the bills that match.
    let (code, others) = fixture.json("bill show --biller B0001 --user-key u");
    assert_eq!(code, 1);
    let other = &others["bills_of_this_user_key"][0];
    assert_eq!(
        (&other["month"], &other["parameters"]["seq"]),
        (&json!("202611"), &json!("7"))
    );
}

#[test]
fn the_history_of_a_bill_has_request_ids_and_what_the_biller_answered() {
    let fixture = Fixture::start();
    let mut caller = fixture.gateway.caller();
    let authorization = ("Authorization", AUTHORIZATION);
    let create = |request_id| [authorization, ("X-Request-Id", request_id)];
    caller.post_with(CREATE, &create("r-link"), link("u").to_string());
    let recreate = "/external/inquiry-payment/one-time/url/re/B0001";
    caller.post_with(recreate, &create("r-again"), link("u").to_string());
    let long = "가".repeat(1_000);
    let answers = [
        (
            "r-refused",
            Action::json(
                200,
                r#"{"res_code":"E902","message":"저장 실패\u001b[31m"}"#,
            ),
        ),
        ("r-broken", Action::json(500, "<html>")),
        ("r-lost", Action::Reset),
        (
            "r-long",
            Action::json(200, &format!(r#"{{"message":"{long}","res_code":7}}"#)),
        ),
        ("r-ok", Action::ok()),
    ];
    for (request_id, action) in answers {
        fixture.biller.now(move |_| action.clone());
        let body = pay_result("u", "P", 31, 20000).to_string();
        caller.post_with(PAY_RESULT, &[("X-Request-Id", request_id)], body);
    }
    let bill = "--biller B0001 --user-key u";
    let (_, shown) = fixture.json(&format!("bill show {bill}"));
    let facts: Vec<_> = shown["story"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| (&fact["kind"], &fact["request_id"], &fact["answer"]))
        .map(|(kind, request_id, answer)| json!([kind, request_id, answer]))
        .collect();
    let refused = json!({"status": 200, "res_code": "E902", "message": "저장 실패\u{1b}[31m"});
    let broken = json!({"status": 500, "res_code": null, "message": null});
    let lengthy = json!({"status": 200, "res_code": "7", "message": "가".repeat(200)});
    let ok = json!({"status": 200, "res_code": "OK", "message": "성공"});
    let expected = [
        json!(["reserved", "r-link", null]),
        json!(["linked", "r-link", null]),
        json!(["relinked", "r-again", null]),
        json!(["payment", "r-refused", null]),
        json!(["delivery", "r-refused", refused]),
        json!(["payment", "r-broken", null]),
        json!(["delivery", "r-broken", broken]),
        json!(["payment", "r-lost", null]),
        json!(["delivery", "r-lost", null]),
        json!(["payment", "r-long", null]),
        json!(["delivery", "r-long", lengthy]),
        json!(["payment", "r-ok", null]),
        json!(["delivery", "r-ok", ok]),
    ];
    assert_eq!(facts, expected);

    let text = fixture.run(&format!("bill show {bill}")).out;
    for line in [
        "link creation under way",
        "request r-link",
        "request r-again",
        "P of pay_id 31: refused",
        "answered 200 E902 \"저장 실패",
        "answered 500\n",
        "request r-ok",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_redelivery_has_a_request_id_and_an_answer_of_its_own() {
    let fixture = Fixture::start();
    fixture.biller.now(|_| refusal());
    let body = pay_result("u", "P", 31, 20000).to_string();
    let mut caller = fixture.gateway.caller();
    caller.post_with(PAY_RESULT, &[("X-Request-Id", "r-first")], body);
    fixture.run("payments redeliver --biller B0001 --pay-id 31");
    let (_, shown) = fixture.json("bill show --biller B0001 --user-key u");
    let last = shown["story"].as_array().unwrap().last().unwrap();
    assert_eq!(last["answer"]["message"], "저장 실패");
    assert!(last["request_id"].is_string() && last["request_id"] != "r-first");

    // The biller's text stays out of the log.
    let log = serde_json::to_string(&fixture.gateway.log()).unwrap();
    assert!(!log.contains("저장"), "{log}");
}

#[test]
fn an_error_bill_is_answered_e817_until_it_is_cleared() {
    let fixture = Fixture::start();
    let bill = "--biller B0001 --user-key u";
    let classified = fixture.run(&format!(
        "bill classify {bill} --reason 이중_청구 --operator lee"
    ));
    assert_eq!(classified.code, 0, "{classified:?}");
    assert!(classified.out.contains("The bill was unknown before"));
    assert!(classified.out.contains("yes, by lee since"));
    assert_own(&fixture.post(PREPAY, &prepay("u").to_string()), 200, E817);
    assert_own(&fixture.post(CREATE, &link("u").to_string()), 200, E817);
    assert_eq!(fixture.biller.count() + fixture.kakao.count(), 0);

    let cleared = fixture.run(&format!("bill clear {bill} --reason checked"));
    assert_eq!(cleared.code, 0, "{cleared:?}");
    assert_eq!(
        fixture.post(PREPAY, &prepay("u").to_string()).res_code(),
        "OK"
    );

    let (_, shown) = fixture.json(&format!("bill show {bill}"));
    let printed = |fact: &Value| {
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
        .map(printed)
        .collect();
    assert_eq!(
        story,
        [
            (json!("classified"), json!("lee"), json!("이중_청구")),
            // Without a name, the user that runs the command.
            (json!("cleared"), json!("kim"), json!("checked")),
        ]
    );
    let log = serde_json::to_string(&fixture.gateway.log()).unwrap();
    for what in [
        "an operator made a bill an error bill",
        "an operator cleared an error bill",
    ] {
        assert!(log.contains(what), "{what}");
    }
    assert!(
        !log.contains("\"user\":\"u\""),
        "user keys stay out of the log"
    );
}
