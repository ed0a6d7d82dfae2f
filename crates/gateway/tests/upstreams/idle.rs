//! Pay-results and connections that their biller closes: none is lost, and a busy biller's go out on warm ones.

use std::thread;
use std::time::{Duration, Instant};

use test_support::{
    CREATE, DistantServer, Gateway, IdleEnd, PAY_RESULT, RECREATE, Setup, Upstream, link,
    pay_result, within,
};

/// The time to a biller and back.
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// How far around the end of an idle connection the calls lie.
const AROUND_MS: u64 = 60;

/// Billers of one kind, each with a caller of its own that pays one bill after the other.
#[derive(Clone, Copy, Debug)]
struct Kind {
    billers: usize,
    calls_each: u64,
    idle_end: IdleEnd,
}

const fn kind(billers: usize, calls_each: u64, after_ms: u64, announced: Option<u32>) -> Kind {
    Kind {
        billers,
        calls_each,
        idle_end: IdleEnd {
            after: Duration::from_millis(after_ms),
            // What servers with a timer of seconds were seen to do.
            deaf_for: Duration::from_millis(if after_ms < 1_000 { 0 } else { 33 }),
            announced,
        },
    }
}

/// Returns the pause before a biller's call of this number: two of three lie closely around the end of the connection
/// that was used last, the third anywhere before and behind it.
fn pause(idle_end: IdleEnd, number: u64) -> Duration {
    let after_ms = u64::try_from(idle_end.after.as_millis()).unwrap();
    // Steps by a prime, so that every place is visited.
    let ms = match number % 3 {
        0 => number * 7_919 % (after_ms + after_ms / 2),
        _ => (after_ms + number * 7_919 % (2 * AROUND_MS)).saturating_sub(AROUND_MS),
    };
    Duration::from_millis(ms)
}

/// Pays bills of all billers at once. Every pay-result must be answered by its biller, and none may come to a connection
/// that the biller had ended. Returns the number of calls.
fn pay(kinds: &[Kind]) -> u64 {
    let billers: Vec<(Kind, DistantServer)> = kinds
        .iter()
        .flat_map(|kind| (0..kind.billers).map(|_| *kind))
        .map(|kind| (kind, DistantServer::start(kind.idle_end, ROUND_TRIP)))
        .collect();
    let kakao = Upstream::ok();
    let code = |number: usize| format!("B{number:04}");
    let setup = Setup::new(&kakao.url(), "http://127.0.0.1:1");
    let gateway = (1..)
        .zip(&billers)
        .fold(setup, |setup, (number, (_, server))| {
            setup.biller(&code(number), &server.url(), "")
        })
        .start();
    thread::scope(|scope| {
        for (number, (kind, _)) in (1..).zip(&billers) {
            let (gateway, path) = (&gateway, format!("/kakao/pay-result/{}", code(number)));
            scope.spawn(move || pay_one_by_one(gateway, &path, *kind));
        }
    });
    for (kind, server) in &billers {
        let (lost, answered) = (server.lost(), server.answered());
        assert_eq!((lost, answered as u64), (0, kind.calls_each), "{kind:?}");
    }
    assert_eq!(gateway.metric("relay_payments_undelivered"), 0);
    billers.iter().map(|(kind, _)| kind.calls_each).sum()
}

fn pay_one_by_one(gateway: &Gateway, path: &str, kind: Kind) {
    let mut caller = gateway.caller();
    for number in 0..kind.calls_each {
        thread::sleep(pause(kind.idle_end, number));
        let paid = pay_result("u", "P", number + 1, 20_000);
        let paid = test_support::with(paid, "biller_notice_key", number.to_string().into());
        let reply = caller.post(path, paid.to_string());
        assert_eq!(
            (reply.status, reply.res_code().as_str()),
            (200, "OK"),
            "call {number} of {kind:?}"
        );
    }
}

#[test]
fn no_pay_result_is_lost_to_a_biller_that_closes_idle_connections() {
    let calls = pay(&[
        kind(2, 80, 20, None),
        kind(1, 80, 20, Some(1)),
        kind(2, 30, 300, None),
        kind(20, 6, 1_000, None),
        kind(10, 6, 1_000, Some(1)),
        // It announces more than it keeps.
        kind(10, 6, 1_000, Some(5)),
    ]);
    assert_eq!(calls, 540);
}

/// Takes some two and a half minutes.
#[test]
#[ignore = "a long run"]
fn none_of_ten_thousand_pay_results_is_lost_to_billers_that_close_idle_connections() {
    let announced_and_not = |billers, calls_each, after_ms, announced| {
        [None, Some(announced)].map(|announced| kind(billers, calls_each, after_ms, announced))
    };
    let kinds = [
        announced_and_not(2, 625, 20, 1),
        announced_and_not(10, 125, 1_000, 1),
        announced_and_not(20, 65, 2_000, 2),
        announced_and_not(50, 25, 5_000, 5),
    ];
    let calls = pay(kinds.as_flattened());
    assert_eq!(calls, 10_100);
}

#[test]
fn link_calls_are_not_lost_to_a_server_that_closes_after_each_answer() {
    let idle_end = kind(1, 0, 20, None).idle_end;
    let kakao = DistantServer::start(idle_end, ROUND_TRIP);
    let gateway = Setup::new(&kakao.url(), "http://127.0.0.1:1").start();
    let mut caller = gateway.caller();
    for number in 0..40 {
        thread::sleep(Duration::from_millis(number * 7 % 40));
        let body = link(&format!("u{number}")).to_string();
        for path in [CREATE, RECREATE] {
            assert_eq!(caller.post(path, &body).res_code(), "OK", "{number}");
        }
    }
    assert_eq!((kakao.lost(), kakao.answered()), (0, 80));
}

#[test]
fn a_busy_billers_pay_results_go_out_on_warm_connections() {
    let idle_end = kind(1, 0, 2_000, None).idle_end;
    let biller = DistantServer::start(idle_end, ROUND_TRIP);
    let gateway = Setup::new("http://127.0.0.1:1", &biller.url()).start();
    let mut caller = gateway.caller();
    let mut pay_id = 0;
    let mut pay_for = |time: Duration| {
        let (begin, before) = (Instant::now(), pay_id);
        while begin.elapsed() < time {
            pay_id += 1;
            let paid = pay_result("u", "P", pay_id, 20_000).to_string();
            assert_eq!(caller.post(PAY_RESULT, paid).status, 200);
        }
        pay_id - before
    };
    pay_for(Duration::from_millis(500));
    let connections = biller.connections();
    assert!(pay_for(Duration::from_millis(500)) > 5);
    assert_eq!(biller.connections(), connections);
}

/// Returns how many of the gateway's connections to this port the other side has closed and the gateway has not.
fn close_waits(gateway: &Gateway, port: u16) -> usize {
    let tcp = std::fs::read_to_string(format!("/proc/{}/net/tcp", gateway.pid())).unwrap();
    let to_port = format!(":{port:04X}");
    let is_close_wait = |line: &&str| {
        let mut columns = line.split_whitespace().skip(2);
        columns.next().is_some_and(|to| to.ends_with(&to_port)) && columns.next() == Some("08")
    };
    tcp.lines().filter(is_close_wait).count()
}

#[test]
fn what_a_biller_closes_is_closed_by_the_gateway_within_a_second() {
    let idle_end = kind(1, 0, 100, None).idle_end;
    let biller = DistantServer::start(idle_end, Duration::ZERO);
    let port = biller.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let gateway = Setup::new("http://127.0.0.1:1", &biller.url()).start();
    thread::scope(|scope| {
        for number in 1..=20 {
            let gateway = &gateway;
            scope.spawn(move || {
                let paid = pay_result("u", "P", number, 20_000).to_string();
                assert_eq!(gateway.post(PAY_RESULT, paid).status, 200);
            });
        }
    });
    // Nothing calls this biller any more.
    thread::sleep(idle_end.after);
    within(Duration::from_secs(1), "no CLOSE_WAIT", || {
        close_waits(&gateway, port) == 0
    });
    thread::sleep(idle_end.after);
    assert_eq!(close_waits(&gateway, port), 0);
}
