//! A payment that Kakao Pay reported is never lost, and never delivered again to a biller that accepted
//! it.
#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use protocol::ResCode::{E403, E806, E818};
use serde_json::json;
use test_support::{
    Action, CREATE, Gate, PAY_RESULT, PREPAY, Setup, Upstream, answer, assert_own, link,
    pay_result, prepay, request, with,
};

fn paid(pay_id: u64) -> String {
    pay_result("u", "P", pay_id, 20000).to_string()
}

#[test]
fn a_copy_of_an_accepted_pay_result_gets_the_kept_answer_also_after_a_restart() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let mut gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let accepted = r#"{ "res_code":"OK", "message":"수납 완료" }"#;
    biller.now(move |_| Action::Send(answer(201, "application/json; v=1", accepted.as_bytes())));
    let first = gateway.post(PAY_RESULT, paid(1));
    assert_eq!((first.status, first.text().as_str()), (201, accepted));
    assert_eq!(first.header("x-relay-replayed"), None);
    for restart in ["", "stop", "kill"] {
        gateway = match restart {
            "stop" => gateway.stop_and_restart(),
            "kill" => gateway.kill_and_restart(),
            _ => gateway,
        };
        let copy = gateway.post(PAY_RESULT, paid(1));
        assert_eq!((copy.status, copy.text().as_str()), (201, accepted));
        assert_eq!(copy.header("content-type"), Some("application/json; v=1"));
        assert_eq!(copy.header("x-relay-replayed"), Some("true"));
        assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
    }
    assert_eq!(biller.count(), 1);
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
}

#[test]
fn a_pay_result_that_was_not_accepted_is_delivered_again() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let refusals = [
        Action::json(200, r#"{"res_code":"E902","message":"저장 실패"}"#),
        Action::json(500, r#"{"res_code":"OK"}"#),
        Action::json(200, r#"{"message":"no code"}"#),
        Action::json(200, r#"{"res_code":"OK","res_code":"E902"}"#),
        Action::json(200, ""),
        Action::Reset,
    ];
    for (delivered, refusal) in refusals.into_iter().enumerate() {
        biller.now(move |_| refusal.clone());
        let reply = gateway.post(PAY_RESULT, paid(1));
        assert_eq!(reply.header("x-relay-replayed"), None);
        assert_eq!(biller.count(), delivered + 1);
        assert_eq!(gateway.metric("relay_payments_undelivered"), 1);
        // The biller's refusal does not change that the bill is paid.
        assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
    }
    biller.now(|_| Action::ok());
    assert_eq!(gateway.post(PAY_RESULT, paid(1)).res_code(), "OK");
    assert_eq!(gateway.metric("relay_payments_undelivered"), 0);
}

#[test]
fn cancels_of_the_whole_amount_open_a_bill_again() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let cancel = |second: u8, amount: i64| {
        let paid_at = format!("202611241300{second:02}");
        with(pay_result("u", "C", 7, amount), "paid_at", json!(paid_at)).to_string()
    };
    let is_paid = || gateway.post(PREPAY, prepay("u").to_string()).res_code() == "E403";
    // what Kakao Pay reports | paid afterwards
    let table = [
        (paid(7), true),
        (cancel(0, -5_000), true),
        // Two partial cancels within one second are two events.
        (cancel(1, -5_000), true),
        (cancel(1, -4_000), true),
        (cancel(1, -4_000), true),
        (cancel(2, 6_000), false),
    ];
    for (report, paid) in table {
        assert_eq!(gateway.post(PAY_RESULT, &report).res_code(), "OK");
        assert_eq!(is_paid(), paid, "{report}");
    }
}

#[test]
fn a_copy_that_comes_meanwhile_waits_for_the_first() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[budget]\ntotal = \"2s\"")
        .start();
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    biller.now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut callers: Vec<_> = (0..8).map(|_| gateway.caller()).collect();
    for caller in &mut callers {
        caller.send(&request("POST", PAY_RESULT, &[], paid(1).as_bytes()));
    }
    biller.await_calls(1);
    gate.open();
    let replayed: Vec<_> = callers
        .iter_mut()
        .map(|caller| {
            let reply = caller.reply();
            assert_eq!(reply.res_code(), "OK");
            reply.header("x-relay-replayed").is_some()
        })
        .collect();
    assert_eq!(replayed.iter().filter(|replayed| !**replayed).count(), 1);
    assert_eq!(biller.count(), 1);

    // The biller hangs, and the copy's own budget ends, too.
    biller.now(|_| Action::SendAndHang(Vec::new()));
    for caller in &mut callers {
        caller.send(&request("POST", PAY_RESULT, &[], paid(2).as_bytes()));
    }
    for caller in &mut callers {
        let reply = caller.reply();
        assert_own(&reply, 504, E806);
        assert!(
            reply.elapsed < Duration::from_millis(2_100),
            "{:?}",
            reply.elapsed
        );
    }
}

#[test]
fn a_caller_that_disconnects_does_not_undo_its_pay_result() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    biller.now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut caller = gateway.caller();
    caller.send(&request(
        "POST",
        PAY_RESULT,
        &[("X-Request-Id", "gone")],
        paid(1).as_bytes(),
    ));
    biller.await_calls(1);
    drop(caller);
    gate.open();
    // The copy waits for the one under way and gets its kept answer.
    let copy = gateway.post(PAY_RESULT, paid(1));
    assert_eq!(
        (copy.res_code().as_str(), copy.header("x-relay-replayed")),
        ("OK", Some("true"))
    );
    assert_eq!(biller.count(), 1);
}

#[test]
fn a_link_under_way_is_e818_and_its_end_is_settled_without_its_caller() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    kakao.now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut caller = gateway.caller();
    let authorization = [("Authorization", test_support::AUTHORIZATION)];
    caller.send(&request(
        "POST",
        CREATE,
        &authorization,
        link("u").to_string().as_bytes(),
    ));
    kakao.await_calls(1);
    assert_own(&gateway.post(CREATE, link("u").to_string()), 200, E818);
    drop(caller);
    gate.open();
    gateway.await_log(|line| line["api"] == "link_create" && line["res_code"] == "E818");
    assert_own(&gateway.post(CREATE, link("u").to_string()), 200, E818);
    assert_eq!(kakao.count(), 1);
}

#[test]
fn the_answer_of_kakao_pay_to_a_link_decides_whether_it_is_called_again() {
    // Kakao Pay's answer | the next create is relayed | the next re-create is relayed
    let table = [
        (Action::json(200, r#"{"res_code":"OK"}"#), false, true),
        (Action::json(200, r#"{"res_code":"E101"}"#), true, false),
        (Action::json(500, r#"{"res_code":"E999"}"#), true, false),
        (Action::json(500, r#"{"res_code":"OK"}"#), true, true),
        (Action::json(200, r#"{"message":"no code"}"#), true, true),
        (Action::json(200, "<html>"), true, true),
        (Action::json(200, ""), true, true),
        (Action::Reset, true, true),
        (Action::SendAndHang(Vec::new()), true, true),
    ];
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[budget]\ntotal = \"500ms\"")
        .start();
    let recreate = "/external/inquiry-payment/one-time/url/re/B0001";
    for (number, (action, create_again, recreate_again)) in table.into_iter().enumerate() {
        let script = action.clone();
        let body = link(&number.to_string()).to_string();
        kakao.now(move |_| script.clone());
        gateway.post(CREATE, &body);
        kakao.now(|_| Action::json(200, r#"{"res_code":"E999"}"#));
        let before = kakao.count();
        gateway.post(recreate, &body);
        assert_eq!(
            kakao.count() - before,
            usize::from(recreate_again),
            "{action:?}"
        );
        let before = kakao.count();
        gateway.post(CREATE, &body);
        assert_eq!(
            kakao.count() - before,
            usize::from(create_again),
            "{action:?}"
        );
    }
}

#[test]
fn identity_parameters_distinguish_bills() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .biller("B0001", &biller.url(), "identity_parameters = [\"seq\"]\n")
        .start();
    let of = |body: serde_json::Value, seq: &str| {
        with(body, "parameters", json!({"seq": seq, "x": "y"})).to_string()
    };
    assert_eq!(
        gateway
            .post(PAY_RESULT, of(pay_result("u", "P", 1, 20000), "1"))
            .res_code(),
        "OK"
    );
    assert_own(&gateway.post(PREPAY, of(prepay("u"), "1")), 200, E403);
    assert_eq!(gateway.post(PREPAY, of(prepay("u"), "2")).res_code(), "OK");
    assert_eq!(
        gateway.post(PREPAY, prepay("u").to_string()).res_code(),
        "OK"
    );
}

/// Kills the gateway (`kill -9`) repeatedly under a load of pay-results: a bill whose pay-result reached
/// the biller or was answered is paid afterwards; one that was answered with the biller's acceptance is
/// not delivered again.
#[test]
fn kill_9_under_a_load_of_pay_results_loses_none() {
    const STREAMS: usize = 8;
    const KILLS: usize = 4;
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let mut gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let next = Arc::new(AtomicUsize::new(0));
    let mut answered = BTreeSet::new();
    for kill in 1..=KILLS {
        let public = gateway.public();
        let streams: Vec<_> = (0..STREAMS)
            .map(|_| {
                let next = Arc::clone(&next);
                thread::spawn(move || stream_of_pay_results(public, &next))
            })
            .collect();
        biller.await_calls(biller.count() + 200 * kill);
        gateway = gateway.kill_and_restart();
        for stream in streams {
            answered.extend(stream.join().unwrap());
        }
    }
    let delivered: BTreeSet<usize> = biller.calls().iter().map(user_key).collect();
    assert!(answered.is_subset(&delivered));
    assert!(
        answered.len() > 500,
        "only {} were answered",
        answered.len()
    );
    let mut caller = gateway.caller();
    for user in &delivered {
        let reply = caller.post(PREPAY, prepay(&user.to_string()).to_string());
        assert_own(&reply, 200, E403);
    }
    let calls = biller.count();
    for user in &answered {
        let copy = caller.post(
            PAY_RESULT,
            pay_result(&user.to_string(), "P", 1, 20000).to_string(),
        );
        assert_eq!(
            copy.header("x-relay-replayed"),
            Some("true"),
            "{user} was delivered twice"
        );
    }
    assert_eq!(biller.count(), calls);
}

/// Pays one bill after another until the gateway dies; returns those that were answered `OK`.
fn stream_of_pay_results(public: std::net::SocketAddr, next: &AtomicUsize) -> Vec<usize> {
    let mut caller = test_support::Caller::connect(public);
    let mut answered = Vec::new();
    loop {
        let user = next.fetch_add(1, Ordering::Relaxed);
        let body = pay_result(&user.to_string(), "P", 1, 20000).to_string();
        if caller
            .try_send(&request("POST", PAY_RESULT, &[], body.as_bytes()))
            .is_err()
        {
            return answered;
        }
        match caller.try_reply() {
            Ok(reply) if reply.res_code() == "OK" => answered.push(user),
            Ok(reply) => panic!("{reply:?}"),
            Err(_) => return answered,
        }
    }
}

fn user_key(seen: &test_support::Message) -> usize {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    body["data"]["biller_user_key"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
