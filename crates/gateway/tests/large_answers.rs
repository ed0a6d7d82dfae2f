//! A biller that answers with megabytes costs itself alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::thread;

use test_support::{
    Action, Caller, Gateway, PAY_RESULT, Setup, Upstream, pay_result, request, until,
};

const OF_THE_OTHER: &str = "/kakao/pay-result/B0002";

/// An accepting answer of this size.
fn large(bytes: usize) -> Action {
    let filling = "x".repeat(bytes);
    Action::json(
        200,
        &format!(r#"{{"res_code":"OK","message":"{filling}","data":null}}"#),
    )
}

fn paid(pay_id: u64) -> String {
    pay_result("u", "P", pay_id, 20000).to_string()
}

/// A gateway with a biller whose answers have almost 4 MiB, and another one.
fn gateway(large_biller: &Upstream, other: &Upstream, budget: &str) -> Gateway {
    Setup::new("http://127.0.0.1:1", &large_biller.url())
        .biller("B0002", &other.url(), "")
        .with(&format!(
            "[budget]\ntotal = \"{budget}\"\n[limits]\nconnections_per_address = 1000"
        ))
        .start()
}

fn held(gateway: &Gateway) -> i64 {
    gateway.metric(r#"relay_answer_bytes_in_flight{biller="B0001"}"#)
}

#[test]
fn answers_that_nobody_reads_take_a_bounded_memory_and_other_calls_succeed() {
    let (biller, other) = (Upstream::start(|_| large(4_000_000)), Upstream::ok());
    let gateway = gateway(&biller, &other, "3s");
    let callers: Vec<Caller> = (1..=60)
        .map(|pay_id| {
            let mut caller = gateway.caller();
            caller.send(&request("POST", PAY_RESULT, &[], paid(pay_id).as_bytes()));
            caller
        })
        .collect();
    until(|| held(&gateway) > 24 << 20);
    until(|| biller.count() == 60);
    for pay_id in 100..120 {
        assert!(held(&gateway) <= 32 << 20);
        assert_eq!(gateway.post(OF_THE_OTHER, paid(pay_id)).res_code(), "OK");
        assert_eq!(gateway.get_ops("/health/ready").status, 200);
    }
    assert_eq!(
        gateway.metric(r#"relay_answer_bytes_in_flight{biller="B0002"}"#),
        0
    );
    biller.now(|_| Action::ok());
    assert_eq!(
        gateway.post(PAY_RESULT, paid(200)).res_code(),
        "OK",
        "a small answer waits for none"
    );
    let memory = gateway.metric("process_resident_memory_bytes");
    assert!(memory < 200 << 20, "{memory}");
    drop(callers);
    until(|| held(&gateway) == 0);
}

#[test]
fn many_large_answers_at_once_are_all_relayed_and_readiness_stays() {
    // A budget in which a loaded machine moves 250 MB.
    let (biller, other) = (Upstream::start(|_| large(4_000_000)), Upstream::ok());
    let gateway = gateway(&biller, &other, "30s");
    thread::scope(|scope| {
        let rounds: Vec<_> = (0..16)
            .map(|worker| {
                let gateway = &gateway;
                scope.spawn(move || {
                    for round in 0..4 {
                        let reply = gateway.post(PAY_RESULT, paid(worker * 10 + round + 1));
                        assert_eq!((reply.status, reply.body.len()), (200, 4_000_000 + 42));
                    }
                })
            })
            .collect();
        while !rounds.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_eq!(gateway.get_ops("/health/ready").status, 200);
            assert!(held(&gateway) <= 32 << 20);
        }
    });
    until(|| held(&gateway) == 0);
}
