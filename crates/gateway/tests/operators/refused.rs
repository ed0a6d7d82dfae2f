//! Pay-results that a check refused: kept, listed, delivered and closed; their bills are error bills meanwhile.

use std::fs;

use protocol::ResCode::{E003, E006, E007, E403, E801, E807, E817};
use serde_json::{Value, json};
use test_support::{
    Action, CREATE, Gateway, NOTICE, PAY_RESULT, PREPAY, RECREATE, Setup, Upstream, assert_own,
    link, notice, pay_result, prepay, request, until, with,
};

use crate::fixture::{Fixture, admin, paid, refusal};

/// A pay-result with the eight digits of today's card prefixes.
pub fn with_wide_prefix(user_key: &str, pay_type: &str, pay_id: u64) -> String {
    let body = pay_result(user_key, pay_type, pay_id, 20000);
    with(body, "pay_detail1", json!("12345678")).to_string()
}

pub const OPEN: &str = "relay_pay_results_refused_open";

pub fn refused(gateway: &Gateway, state: &str) -> Vec<Value> {
    let path = format!("/admin/payments/refused?state={state}");
    let listed: Value = serde_json::from_slice(&Fixture::get(gateway, &path).body).unwrap();
    listed["refused"].as_array().unwrap().clone()
}

fn posted(gateway: &Gateway, act: &str, body: &str) -> Value {
    let path = format!("/admin/payments/refused/{act}");
    serde_json::from_slice(&Fixture::post_admin(gateway, &path, body).body).unwrap()
}

/// Returns the id of the only open entry.
#[track_caller]
fn only(gateway: &Gateway) -> String {
    let open = refused(gateway, "open");
    assert_eq!(open.len(), 1, "{open:#?}");
    open[0]["id"].as_str().unwrap().to_owned()
}

fn is_error_bill(gateway: &Gateway, user_key: &str) -> bool {
    let reply = gateway.post(PREPAY, prepay(user_key).to_string());
    reply.res_code() == "E817"
}

fn close(gateway: &Gateway, id: &str) {
    let closed = Fixture::on(
        gateway,
        &format!("payments refused close {id} --reason settled"),
    );
    assert_eq!(closed.code, 0, "{closed:?}");
}

#[test]
fn a_bill_with_a_refused_payment_is_an_error_bill_until_its_entry_is_closed_also_after_a_crash() {
    let mut fixture = Fixture::start();
    let body = with_wide_prefix("u", "P", 31);
    assert_own(&fixture.post(PAY_RESULT, &body), 200, E006);
    assert_eq!(fixture.biller.count(), 0);
    fixture.gateway = fixture.gateway.kill_and_restart();
    assert_eq!(fixture.gateway.metric(OPEN), 1);
    let calls = [
        (CREATE, link("u")),
        (RECREATE, link("u")),
        (NOTICE, notice("u")),
        (PREPAY, prepay("u")),
    ];
    for (path, call) in calls {
        assert_own(&fixture.post(path, &call.to_string()), 200, E817);
    }
    assert_eq!(fixture.biller.count() + fixture.kakao.count(), 0);
    assert!(!is_error_bill(&fixture.gateway, "v"));

    // An operator who clears the bill by mistake is told what stands in the way.
    let (code, refusal) = fixture.json("bill clear --biller B0001 --user-key u --reason x");
    assert_eq!(
        (code, &refusal["error"]["code"]),
        (1, &json!("refused_pay_result"))
    );
    let id = only(&fixture.gateway);
    assert_eq!(refusal["refused_pay_results"][0]["id"], json!(id));
    assert!(is_error_bill(&fixture.gateway, "u"));

    let (_, shown) = fixture.json(&format!("payments refused show {}", &id[..8]));
    assert_eq!(shown["body"], json!(body));
    assert_eq!(shown["reason"], "member-width; pay_detail1: too long");
    assert_eq!(shown["res_code"], "E006");
    assert_eq!(shown["source"], "127.0.0.1");
    assert_eq!(shown["bill"]["user_key"], "u");
    assert_eq!(shown["event"]["pay_id"], "31");

    assert_eq!(
        fixture.run(&format!("payments refused close {id}")).code,
        2,
        "closed without a reason"
    );
    close(&fixture.gateway, &id);
    assert_eq!(fixture.gateway.metric(OPEN), 0);
    for restarted in [false, true] {
        if restarted {
            fixture.gateway = fixture.gateway.kill_and_restart();
        }
        assert!(!is_error_bill(&fixture.gateway, "u"), "{restarted}");
        let ended = refused(&fixture.gateway, "closed");
        assert_eq!(ended[0]["state"], "closed");
        assert_eq!(ended[0]["closed"]["reason"], "settled");
        assert_eq!(ended[0]["closed"]["operator"], "kim");
    }
    let (_, history) = fixture.json("bill show --biller B0001 --user-key u");
    let story = history["story"].as_array().unwrap().iter();
    let kinds: Vec<&str> = story.map(|fact| fact["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["pay_result_refused", "refusal_closed"]);
    let text = fixture.run("bill show --biller B0001 --user-key u").out;
    assert!(text.contains("by kim: settled"), "{text}");
    let log = serde_json::to_string(&fixture.gateway.log()).unwrap();
    assert!(!log.contains("12345678"), "a value is in the log");
}

#[test]
fn copies_make_one_entry_that_counts_and_a_closed_one_stays_closed() {
    let fixture = Fixture::start();
    let body = with_wide_prefix("u", "P", 31);
    for _ in 0..3 {
        fixture.post(PAY_RESULT, &body);
    }
    fixture.post(PAY_RESULT, &with_wide_prefix("u", "P", 32));
    let open = refused(&fixture.gateway, "open");
    let counts: Vec<u64> = open
        .iter()
        .map(|one| one["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [3, 1]);
    let none_listed = fixture.run("payments refused list --limit 0").out;
    let left_off = "2 more are left off; see --limit and --biller.\n";
    assert_eq!(none_listed, left_off, "it does not say that none is open");
    assert!(open[0]["first_at"].as_str() <= open[0]["last_at"].as_str());
    for one in &open {
        assert!(is_error_bill(&fixture.gateway, "u"));
        close(&fixture.gateway, one["id"].as_str().unwrap());
    }
    assert!(!is_error_bill(&fixture.gateway, "u"));
    fixture.post(PAY_RESULT, &body);
    assert_eq!(fixture.gateway.metric(OPEN), 0);
    assert_eq!(refused(&fixture.gateway, "closed")[0]["count"], 4);
    assert!(!is_error_bill(&fixture.gateway, "u"));
    // A cancel is kept, too, but it makes no error bill.
    fixture.post(PAY_RESULT, &with_wide_prefix("v", "C", 33));
    assert_eq!(fixture.gateway.metric(OPEN), 1);
    assert!(!is_error_bill(&fixture.gateway, "v"));
}

#[test]
fn the_same_bytes_for_another_biller_are_an_entry_of_its_own() {
    let (kakao, biller, other) = (Upstream::ok(), Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with(&admin())
        .biller("B0002", &other.url(), "")
        .start();
    let body = with_wide_prefix("u", "P", 51);
    for code in ["B0001", "B0002", "B0002"] {
        gateway.post(&format!("/kakao/pay-result/{code}"), &body);
    }
    let open = refused(&gateway, "open");
    let entries: Vec<_> = open
        .iter()
        .map(|one| {
            (
                one["biller"].as_str().unwrap(),
                one["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(entries, [("B0001", 1), ("B0002", 2)], "{open:#?}");
    close(&gateway, open[1]["id"].as_str().unwrap());
    assert!(is_error_bill(&gateway, "u"), "B0001's entry is open");
    let gateway = gateway.kill_and_restart();
    gateway.post("/kakao/pay-result/B0002", &body);
    assert_eq!(refused(&gateway, "closed")[0]["count"], 3);
    let id = only(&gateway);
    let delivered = json!({"id": id, "operator": "kim"}).to_string();
    assert_eq!(
        posted(&gateway, "deliver", &delivered)["outcome"],
        "accepted"
    );
    assert_eq!((biller.count(), other.count()), (1, 0));
}

#[test]
fn a_refused_pay_result_is_delivered_as_it_is_and_its_bill_is_paid() {
    let fixture = Fixture::start();
    let body = format!(" {{ \"x\" : 1e0,{}", &with_wide_prefix("u", "P", 31)[1..]);
    fixture.post(PAY_RESULT, &body);
    let id = only(&fixture.gateway);
    let deliver = format!("payments refused deliver {id}");

    // A biller that refuses it has it among its undelivered pay-results; the entry stays open.
    fixture.biller.now(|_| refusal());
    let (code, outcome) = fixture.json(&deliver);
    assert_eq!((code, &outcome["outcome"]), (1, &json!("refused")));
    assert_eq!(
        (&outcome["res_code"], &outcome["recorded"]),
        (&json!("E902"), &json!(true))
    );
    assert_eq!(
        (fixture.gateway.metric(OPEN), fixture.undelivered()),
        (1, 1)
    );
    assert!(is_error_bill(&fixture.gateway, "u"));

    fixture.biller.now(|_| Action::ok());
    let printed = fixture.run(&deliver);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(
        printed.out.contains("the biller answered 200 OK"),
        "{printed:?}"
    );
    let calls = fixture.biller.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(String::from_utf8_lossy(&calls[1].body), body);
    assert_eq!(calls[1].line, "POST /kakao/pay-result HTTP/1.1");
    assert_eq!(
        (fixture.gateway.metric(OPEN), fixture.undelivered()),
        (0, 0)
    );
    assert_own(&fixture.post(PREPAY, &prepay("u").to_string()), 200, E403);
    let ended = &refused(&fixture.gateway, "closed")[0];
    assert_eq!(
        (&ended["state"], &ended["closed"]["operator"]),
        (&json!("delivered"), &json!("kim"))
    );

    let (code, refusal) = fixture.json(&deliver);
    assert_eq!(
        (code, &refusal["error"]["code"]),
        (1, &json!("already_closed"))
    );
    assert_eq!(fixture.biller.count(), 2);
}

#[test]
fn what_the_biller_accepted_in_another_way_is_not_delivered_again() {
    let fixture = Fixture::start();
    // The same event, without the fault.
    fixture.post(PAY_RESULT, &with_wide_prefix("u", "P", 31));
    fixture.post(PAY_RESULT, &paid("u", 31));
    assert_eq!(fixture.biller.count(), 1);
    assert!(is_error_bill(&fixture.gateway, "u"));
    let (code, outcome) = fixture.json(&format!(
        "payments refused deliver {}",
        only(&fixture.gateway)
    ));
    assert_eq!((code, &outcome["outcome"]), (0, &json!("already_accepted")));
    assert_eq!(
        (fixture.biller.count(), fixture.gateway.metric(OPEN)),
        (1, 0)
    );
    assert_own(&fixture.post(PREPAY, &prepay("u").to_string()), 200, E403);

    // Delivered first, redelivered afterwards: the acceptance closes the entry as well.
    fixture.post(PAY_RESULT, &with_wide_prefix("v", "P", 32));
    fixture.biller.now(|_| refusal());
    fixture.run(&format!(
        "payments refused deliver {}",
        only(&fixture.gateway)
    ));
    fixture.biller.now(|_| Action::ok());
    let again = fixture.run("payments redeliver --biller B0001 --pay-id 32");
    assert_eq!(
        (again.code, fixture.gateway.metric(OPEN)),
        (0, 0),
        "{again:?}"
    );
}

#[test]
fn a_pay_result_of_which_no_event_can_be_read_is_delivered_without_one() {
    let fixture = Fixture::start();
    let body = with(pay_result("u", "P", 1, 20000), "pay_type", json!("X")).to_string();
    assert_own(&fixture.post(PAY_RESULT, &body), 200, E007);
    assert!(is_error_bill(&fixture.gateway, "u"));
    let id = only(&fixture.gateway);
    let (code, outcome) = fixture.json(&format!("payments refused deliver {id}"));
    assert_eq!((code, &outcome["outcome"]), (0, &json!("accepted")));
    assert_eq!(outcome["recorded"], false);
    assert_eq!(fixture.biller.calls()[0].body, body.as_bytes());
    assert!(!is_error_bill(&fixture.gateway, "u"));
    assert_eq!(fixture.gateway.metric(OPEN), 0);
}

#[test]
fn another_reason_keeps_the_bill_an_error_bill_when_the_entry_is_closed() {
    let fixture = Fixture::start();
    fixture.post(PAY_RESULT, &with_wide_prefix("u", "P", 31));
    fixture.run("bill classify --biller B0001 --user-key u --reason other");
    let cleared = fixture.run("bill clear --biller B0001 --user-key u --reason x");
    assert!(
        cleared.out.contains("keeps it an error bill"),
        "{cleared:?}"
    );
    assert!(is_error_bill(&fixture.gateway, "u"));
    fixture.run("bill classify --biller B0001 --user-key u --reason other");
    close(&fixture.gateway, &only(&fixture.gateway));
    assert!(is_error_bill(&fixture.gateway, "u"));
    let cleared = fixture.run("bill clear --biller B0001 --user-key u --reason x");
    assert!(
        cleared.out.contains("no error bill any more"),
        "{cleared:?}"
    );
    assert!(!is_error_bill(&fixture.gateway, "u"));

    // The way out where the node that kept the entry is lost.
    fixture.post(PAY_RESULT, &with_wide_prefix("v", "P", 32));
    let clear = "bill clear --biller B0001 --user-key v --reason x --even-refused";
    assert_eq!(fixture.run(clear).code, 0);
    assert!(!is_error_bill(&fixture.gateway, "v"));
    assert_eq!(fixture.gateway.metric(OPEN), 0);
}

#[test]
fn the_same_message_that_passes_later_closes_its_entry() {
    let mut fixture = Fixture::start();
    let path = "/kakao/pay-result/B0002";
    let body = paid("u", 31);
    assert_own(&fixture.post(path, &body), 404, E003);
    let unknown = r#"relay_pay_results_refused_total{biller="unknown",res_code="E003"}"#;
    assert_eq!(fixture.gateway.metric(unknown), 1);
    let entry = &refused(&fixture.gateway, "open")[0];
    assert_eq!(
        (&entry["biller"], &entry["bytes"]),
        (&json!("B0002"), &json!(body.len()))
    );
    let (code, refusal) = fixture.json(&format!(
        "payments refused deliver {}",
        entry["id"].as_str().unwrap()
    ));
    assert_eq!(
        (code, &refusal["error"]["code"]),
        (1, &json!("unknown_biller"))
    );

    let billers = fixture.gateway.path().join("billers");
    let file = fs::read_to_string(billers.join("B0001.toml")).unwrap();
    fs::write(billers.join("B0002.toml"), file.replace("B0001", "B0002")).unwrap();
    fixture.gateway.signal("HUP");
    fixture
        .gateway
        .await_log(|line| line["message"] == "configuration reloaded");
    let prepay_of_other = |gateway: &Gateway| {
        gateway
            .post("/kakao/prepay/B0002", prepay("u").to_string())
            .res_code()
    };
    assert_eq!(prepay_of_other(&fixture.gateway), "E817");
    assert_eq!(fixture.post(path, &body).res_code(), "OK");
    for restarted in [false, true] {
        if restarted {
            fixture.gateway = fixture.gateway.stop_and_restart();
        }
        assert_eq!(fixture.gateway.metric(OPEN), 0, "{restarted}");
        assert_eq!(refused(&fixture.gateway, "closed")[0]["state"], "passed");
        assert_eq!(prepay_of_other(&fixture.gateway), "E403");
    }
}

#[test]
fn a_bill_of_a_biller_whose_file_was_gone_is_an_error_bill_as_soon_as_the_file_is_back() {
    let mut fixture = Fixture::with("identity_parameters = [\"seq\"]\n");
    let file = fixture.gateway.path().join("billers/B0001.toml");
    let away = file.with_extension("away");
    let reload = |gateway: &Gateway, times| {
        gateway.signal("HUP");
        gateway.await_log_times(times, |line| line["message"] == "configuration reloaded");
    };
    fs::rename(&file, &away).unwrap();
    reload(&fixture.gateway, 1);
    let named = |body: Value| with(body, "parameters", json!({"seq": 7})).to_string();
    let paid = named(pay_result("u", "P", 31, 20000));
    assert_own(&fixture.post(PAY_RESULT, &paid), 404, E003);
    fs::rename(&away, &file).unwrap();
    reload(&fixture.gateway, 2);
    let is_blocked =
        |gateway: &Gateway| gateway.post(PREPAY, named(prepay("u"))).res_code() == "E817";
    assert!(is_blocked(&fixture.gateway));
    fixture.gateway = fixture.gateway.kill_and_restart();
    assert!(is_blocked(&fixture.gateway));
    let deliver = format!("payments refused deliver {}", only(&fixture.gateway));
    assert_eq!(fixture.run(&deliver).code, 0);
    assert_own(&fixture.post(PREPAY, &named(prepay("u"))), 200, E403);
}

#[test]
fn every_check_that_refuses_keeps_what_it_has_of_the_bytes() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with(&admin())
        .with("[limits]\nrequest_body = \"1KiB\"\n[budget]\ntotal = \"300ms\"")
        .start();
    let large = with(pay_result("u", "P", 1, 1), "x", json!("x".repeat(2_000))).to_string();
    let larger = large.replace("\"pay_id\":1", "\"pay_id\":11");
    assert_ne!(larger, large);
    let twice = paid("u", 2).replace("\"pay_id\":2", "\"pay_id\":2,\"pay_id\":3");
    let whole = paid("u", 4);
    let half = &whole[..whole.len() / 2];
    let other_half = &whole[..whole.len() / 3];
    let chunk = |bytes: &str| format!("{:x}\r\n{bytes}\r\n", bytes.len());
    let chunked = "Host: g\r\nTransfer-Encoding: chunked\r\n\r\n";
    let post = format!("POST {PAY_RESULT} HTTP/1.1\r\n");
    let cut = format!(
        "{post}Host: g\r\nContent-Length: {}\r\n\r\n{half}",
        whole.len()
    );
    let missing = r#"{"data":{"biller_user_key":"u"}}"#;
    // what | bytes on the wire | status, code | bytes that are kept, whole
    let table = [
        (
            "no biller",
            request("POST", "/kakao/pay-result", &[], paid("u", 5).as_bytes()),
            (404, E003),
            paid("u", 5),
            true,
        ),
        (
            "no JSON",
            request("POST", PAY_RESULT, &[], b"no JSON"),
            (400, E807),
            "no JSON".into(),
            true,
        ),
        (
            "a member twice",
            request("POST", PAY_RESULT, &[], twice.as_bytes()),
            (400, E807),
            twice.clone(),
            true,
        ),
        (
            "members missing",
            request("POST", PAY_RESULT, &[], missing.as_bytes()),
            (200, protocol::ResCode::E001),
            missing.into(),
            true,
        ),
        (
            "late",
            cut.clone().into_bytes(),
            (408, E801),
            half.into(),
            false,
        ),
        (
            "chunks too large",
            [post.as_str(), chunked, &chunk(&large)]
                .concat()
                .into_bytes(),
            (413, E006),
            large.clone(),
            false,
        ),
        (
            "a bad chunk",
            [post.as_str(), chunked, &chunk(other_half), "zz\r\n"]
                .concat()
                .into_bytes(),
            (400, E801),
            other_half.into(),
            false,
        ),
        (
            "announced too large",
            request("POST", PAY_RESULT, &[], larger.as_bytes()),
            (413, E006),
            larger.clone(),
            true,
        ),
    ];
    for (what, bytes, (status, code), kept, is_whole) in table {
        let before = gateway.metric(OPEN);
        let mut caller = gateway.caller();
        caller.send(&bytes);
        assert_own(&caller.reply(), status, code);
        assert_eq!(gateway.metric(OPEN), before + 1, "{what}");
        let open = refused(&gateway, "open");
        let entry = open.last().unwrap();
        assert_eq!(entry["whole"], is_whole, "{what}");
        let body = json!({"id": entry["id"]}).to_string();
        let shown = posted(&gateway, "show", &body);
        assert_eq!(shown["body"], json!(kept), "{what}");
        if !is_whole {
            let act = json!({"id": entry["id"], "operator": "kim"}).to_string();
            let refusal = posted(&gateway, "deliver", &act);
            assert_eq!(refusal["error"]["code"], "not_whole", "{what}");
        }
    }
    // A caller that ends in the middle of a body hears the answer as far as it still reads.
    let before = gateway.metric(OPEN);
    let half_of_other = format!("{}x", &half[..half.len() - 1]);
    let mut caller = gateway.caller();
    caller.send(cut.replace(half, &half_of_other).as_bytes());
    caller.finish_sending();
    assert_own(&caller.reply(), 400, E801);
    assert_eq!(gateway.metric(OPEN), before + 1);
    assert_eq!(biller.count(), 0);
}

#[test]
fn a_pay_result_from_a_foreign_address_is_counted_and_logged_and_nothing_more() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with(&admin())
        .kakao("allow_from = [\"192.0.2.0/24\"]")
        .start();
    for pay_id in 0..200 {
        assert_own(&gateway.post(PAY_RESULT, paid("u", pay_id)), 403, E003);
    }
    let series = r#"relay_pay_results_refused_total{biller="B0001",res_code="E003"}"#;
    assert_eq!(gateway.metric(series), 200);
    assert_eq!(
        (gateway.metric(OPEN), refused(&gateway, "all").len()),
        (0, 0)
    );
    let is_line = |line: &Value| {
        line["message"]
            .as_str()
            .is_some_and(|message| message.contains("not Kakao Pay's"))
    };
    gateway.await_log(is_line);
    let lines = gateway.log().into_iter().filter(is_line).count();
    // At most one in a second, however many come.
    assert!(lines < 100, "{lines} lines");
}

#[test]
fn a_bill_is_an_error_bill_at_every_node_until_the_entry_is_closed_at_its_own() {
    let (redis, biller) = (test_support::RedisServer::start(), Upstream::ok());
    let (one, other) = (
        crate::shared::node(&redis, &biller),
        crate::shared::node(&redis, &biller),
    );
    one.post(PAY_RESULT, with_wide_prefix("u", "P", 31));
    assert!(is_error_bill(&other, "u"));
    assert_eq!((one.metric(OPEN), other.metric(OPEN)), (1, 0));
    close(&one, &only(&one));
    assert!(!is_error_bill(&other, "u") && !is_error_bill(&one, "u"));

    // The same bytes pass at the other node: the entry ends where it is kept.
    let two = |gateway: &Gateway| gateway.path().join("billers/B0001.toml");
    let narrow = fs::read_to_string(two(&one)).unwrap();
    fs::write(
        two(&one),
        format!("{narrow}identity_parameters = [\"seq\"]\n"),
    )
    .unwrap();
    one.signal("HUP");
    one.await_log(|line| line["message"] == "configuration reloaded");
    let body = with(pay_result("w", "P", 32, 20000), "parameters", json!([1])).to_string();
    assert_own(&one.post(PAY_RESULT, &body), 400, E807);
    assert!(is_error_bill(&other, "w"));
    assert_eq!(other.post(PAY_RESULT, &body).res_code(), "OK");
    assert_own(&other.post(PREPAY, prepay("w").to_string()), 200, E403);
    until(|| refused(&one, "open").is_empty());
    assert_eq!(refused(&one, "closed")[1]["state"], "passed");
    assert_own(&one.post(PREPAY, prepay("w").to_string()), 200, E403);
}

#[test]
fn a_refused_pay_result_that_cannot_be_journalled_is_told_loudly_and_its_bill_is_blocked() {
    let fixture = Fixture::start();
    let journal = fixture.gateway.path().join("data/ledger/journal.sqlite3");
    fs::rename(&journal, journal.with_extension("away")).unwrap();
    assert_own(
        &fixture.post(PAY_RESULT, &with_wide_prefix("u", "P", 31)),
        200,
        E006,
    );
    let not_kept = "relay_pay_results_refused_not_kept_total";
    assert_eq!(fixture.gateway.metric(not_kept), 1);
    fixture.gateway.await_log(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "error" && message.contains("NOT on durable storage")
    });
    assert!(is_error_bill(&fixture.gateway, "u"));
    // As soon as the journal is there again, the entry is in it.
    fs::rename(journal.with_extension("away"), &journal).unwrap();
    until(|| refused(&fixture.gateway, "open").len() == 1);
}

#[test]
fn a_refused_pay_result_is_kept_before_its_caller_is_answered() {
    // Killed as soon as each answer is there: nothing that was answered is lost.
    let mut fixture = Fixture::start();
    for pay_id in 0..5 {
        let body = with_wide_prefix("u", "P", pay_id);
        assert_own(&fixture.post(PAY_RESULT, &body), 200, E006);
        fixture.gateway = fixture.gateway.kill_and_restart();
        let kept = i64::try_from(pay_id).unwrap() + 1;
        assert_eq!(fixture.gateway.metric(OPEN), kept);
    }
    assert!(is_error_bill(&fixture.gateway, "u"));
}
