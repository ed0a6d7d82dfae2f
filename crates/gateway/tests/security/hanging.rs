//! A biller that hangs does not affect the other billers.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use protocol::ResCode::E801;
use test_support::{Action, Gate, Setup, Upstream, assert_own, link, notice, pay_result, prepay};

/// Calls of each kind that hang: the hanging biller's `max_in_flight`.
const HANGING: usize = 64;

#[test]
fn while_128_calls_to_one_biller_hang_the_others_are_answered_as_before() {
    let (kakao, good, bad) = (Upstream::ok(), Upstream::ok(), Upstream::ok());
    let gate = Arc::new(Gate::default());
    bad.now({
        let gate = Arc::clone(&gate);
        move |_| Action::Wait(Arc::clone(&gate), Box::new(Action::ok()))
    });
    let gateway = Setup::new(&kakao.url(), &good.url())
        .with("[budget]\ntotal = \"60s\"\n[limits]\ndrain = \"60s\"")
        .biller("B0002", &bad.url(), "")
        .start();
    let public = gateway.public();
    let hang = |path: &'static str, body: String| {
        thread::spawn(move || {
            test_support::Caller::connect(public)
                .post(path, body)
                .status
        })
    };
    let calls: Vec<_> = (0..HANGING)
        .flat_map(|number| {
            let pay_id = u64::try_from(number).unwrap() + 1;
            let paid = pay_result(&format!("p{number}"), "P", pay_id, 20000);
            [
                hang("/kakao/notice/B0002", notice("u").to_string()),
                hang("/kakao/pay-result/B0002", paid.to_string()),
            ]
        })
        .collect();
    bad.await_calls(2 * HANGING);
    let in_flight = "relay_in_flight_requests{biller=\"B0002\"}";
    assert_eq!(
        gateway.metric(in_flight),
        i64::try_from(2 * HANGING).unwrap()
    );

    // One more call is refused at once, for this biller only.
    let one_more = gateway.post("/kakao/notice/B0002", notice("u").to_string());
    assert_own(&one_more, 503, E801);

    let began = Instant::now();
    for round in 0..50_u64 {
        let user_key = format!("u{round}");
        let all = [
            ("/kakao/notice/B0001", notice(&user_key)),
            ("/kakao/prepay/B0001", prepay(&user_key)),
            (
                "/kakao/pay-result/B0001",
                pay_result(&user_key, "P", 1000 + round, 20000),
            ),
            (
                "/external/inquiry-payment/one-time/url/B0001",
                link(&format!("l{round}")),
            ),
        ];
        for (path, body) in all {
            let reply = gateway.post(path, body.to_string());
            assert_eq!(
                (reply.status, reply.res_code().as_str()),
                (200, "OK"),
                "{path}"
            );
        }
    }
    // This is no measurement: it only shows that no call waited for the hanging biller.
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        (good.count(), kakao.count(), bad.count()),
        (150, 50, 2 * HANGING)
    );

    gate.open();
    assert!(calls.into_iter().all(|call| call.join().unwrap() == 200));
    assert_eq!(gateway.metric(in_flight), 0);
}
