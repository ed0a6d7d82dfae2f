//! A pay-result that arrived at the end of its budget: it is not delivered, and still not lost.
#![allow(missing_docs, clippy::unwrap_used)]

use std::thread;
use std::time::{Duration, Instant};

use protocol::ResCode::{E403, E806};
use test_support::{
    CREATE, Gateway, PAY_RESULT, PREPAY, RedisServer, Reply, Setup, Upstream, assert_own, link,
    pay_result, prepay, request, until,
};

/// How often the timing may fail on a loaded machine.
const ATTEMPTS: usize = 20;

/// Sends a pay-result whose body arrives slowly until a tenth of the budget is left; then Redis hangs.
fn send_slowly(gateway: &Gateway, redis: &RedisServer, body: &str) -> Reply {
    let whole = request("POST", PAY_RESULT, &[], body.as_bytes());
    let (early, late) = whole.split_at(whole.len() - 10);
    let mut kakao = gateway.caller();
    kakao.send(early);
    let began = Instant::now();
    for (drop, byte) in (1..).zip(late) {
        let due = began + Duration::from_millis(90 * drop);
        thread::park_timeout(due.saturating_duration_since(Instant::now()));
        if drop == 10 {
            redis.signal("STOP");
        }
        kakao.send(&[*byte]);
    }
    let reply = kakao.reply();
    redis.signal("CONT");
    reply
}

/// Returns the payments of a customer in the journal and the bytes of their pay-results.
fn journalled(gateway: &Gateway, user: &str) -> Vec<Vec<u8>> {
    let file = gateway.path().join("data/ledger/journal.sqlite3");
    let journal = rusqlite::Connection::open(file).unwrap();
    let mut query = journal
        .prepare(
            "SELECT body, unpacked FROM facts JOIN messages USING (biller_code, message)
             WHERE kind = 'payment' AND biller_user_key = ?1",
        )
        .unwrap();
    let body = |row: &rusqlite::Row<'_>| Ok(test_support::unpacked(row.get(0)?, row.get(1)?));
    let bodies = query.query_map([user], body).unwrap();
    bodies.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_pay_result_that_came_too_late_to_be_relayed_is_journalled_although_redis_hangs() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[budget]\ntotal = \"1s\"")
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .start();
    for attempt in 0..ATTEMPTS {
        until(|| gateway.post(CREATE, link("probe").to_string()).status == 200);
        let user = format!("late{attempt}");
        let body = pay_result(&user, "P", 1, 20000).to_string();
        let reply = send_slowly(&gateway, &redis, &body);
        // The body was too late (408) or all of it in time (200): try again.
        if reply.status != 504 {
            continue;
        }
        assert_own(&reply, 504, E806);
        until(|| journalled(&gateway, &user) == [body.as_bytes()]);
        let delivered = biller
            .calls()
            .iter()
            .any(|call| call.body == body.as_bytes());
        assert!(!delivered, "delivered without a budget");
        assert_own(&gateway.post(PREPAY, prepay(&user).to_string()), 200, E403);
        // The copy that Kakao Pay sends is delivered.
        assert_eq!(gateway.post(PAY_RESULT, &body).res_code(), "OK");
        return;
    }
    panic!("{ATTEMPTS} attempts, and Redis hung in none of them with the budget nearly over");
}
