//! Two gateways on one Redis: both answer from the facts of either; without Redis no call waits.
#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used
)]

use std::fs;
use std::time::Duration;

use protocol::ResCode::{E403, E801, E817, E818};
use test_support::{
    CREATE, Gateway, NOTICE, OK, PAY_RESULT, PREPAY, RedisServer, Setup, Upstream, assert_own,
    link, notice, pay_result, prepay, until,
};

fn node(redis: &RedisServer, kakao: &Upstream, biller: &Upstream) -> Gateway {
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .start();
    until(|| gateway.post(CREATE, link("probe").to_string()).status == 200);
    gateway
}

#[test]
fn both_gateways_answer_from_the_facts_of_either() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let (one, other) = (node(&redis, &kakao, &biller), node(&redis, &kakao, &biller));
    assert_eq!(one.post(CREATE, link("u").to_string()).res_code(), "OK");
    assert_own(&other.post(CREATE, link("u").to_string()), 200, E818);
    let paid = |pay_id| pay_result("u", "P", pay_id, 20000).to_string();
    assert_eq!(one.post(PAY_RESULT, paid(1)).res_code(), "OK");
    assert_own(&other.post(PREPAY, prepay("u").to_string()), 200, E403);
    let delivered = biller.count();
    let copy = other.post(PAY_RESULT, paid(1));
    assert_eq!(
        (copy.text().as_str(), copy.header("x-relay-replayed")),
        (OK, Some("true"))
    );
    assert_eq!(biller.count(), delivered, "delivered twice");
    let spelled = paid(1).replace(":20000", ": 2e4");
    let copy = other.post(PAY_RESULT, &spelled);
    assert_eq!(
        (copy.text().as_str(), copy.header("x-relay-replayed")),
        (OK, Some("true"))
    );
    // The other way round: the first spelling of this one was accepted by the other node.
    assert_eq!(other.post(PAY_RESULT, paid(11)).res_code(), "OK");
    let copy = one.post(PAY_RESULT, format!(" {}", paid(11)));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
    assert_eq!(biller.count(), delivered + 1, "delivered twice");
    assert_eq!(other.post(PAY_RESULT, paid(2)).res_code(), "OK");
    assert_own(&one.post(PREPAY, prepay("u").to_string()), 200, E817);
    // Each has what the other published, and says so.
    for gateway in [&one, &other] {
        until(|| {
            let page = gateway.get_ops("/metrics").text();
            let lags = page
                .lines()
                .filter(|line| line.starts_with("relay_replication_lag_seconds{"));
            let lags: Vec<f64> = lags
                .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
                .collect();
            matches!(lags[..], [lag] if lag < 1.0)
        });
    }
}

#[test]
fn without_redis_prepays_and_payments_are_served_and_links_are_e801() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let gateway = node(&redis, &kakao, &biller);
    let paid = |user: &str| pay_result(user, "P", 1, 20000).to_string();
    assert_eq!(gateway.post(PAY_RESULT, paid("before")).res_code(), "OK");
    for trouble in ["hung", "gone"] {
        match trouble {
            "hung" => redis.signal("STOP"),
            _ => redis.kill(),
        }
        let reply = gateway.post(PREPAY, prepay(trouble).to_string());
        assert_eq!(reply.res_code(), "OK");
        assert!(
            reply.elapsed < Duration::from_millis(300),
            "{trouble}: {:?}",
            reply.elapsed
        );
        assert_own(
            &gateway.post(PREPAY, prepay("before").to_string()),
            200,
            E403,
        );
        assert_eq!(gateway.post(PAY_RESULT, paid(trouble)).res_code(), "OK");
        assert_own(
            &gateway.post(PREPAY, prepay(trouble).to_string()),
            200,
            E403,
        );
        assert_own(&gateway.post(CREATE, link(trouble).to_string()), 503, E801);
        assert_eq!(gateway.get_ops("/health/ready").status, 200);
        assert!(gateway.metric("relay_ledger_unshared_facts") > 0);
        assert!(gateway.metric(r#"relay_ledger_unavailable_total{operation="redis"}"#) > 0);
        if trouble == "hung" {
            redis.signal("CONT");
            until(|| gateway.metric("relay_ledger_unshared_facts") == 0);
        }
    }
    redis.start_again();
    until(|| gateway.metric("relay_ledger_unshared_facts") == 0);
    until(|| gateway.post(CREATE, link("after").to_string()).status == 200);
    let other = node(&redis, &kakao, &biller);
    for user in ["before", "hung", "gone"] {
        assert_own(&other.post(PREPAY, prepay(user).to_string()), 200, E403);
    }
}

/// Returns how often Redis executed each command.
fn executed<const N: usize>(redis: &RedisServer, commands: [&str; N]) -> [u64; N] {
    let stats = redis.ask_text(&["INFO", "commandstats"]);
    commands.map(|command| {
        let head = format!("cmdstat_{command}:calls=");
        let calls = stats.lines().find_map(|line| line.strip_prefix(&head));
        let digits = calls.and_then(|calls| calls.split(',').next());
        digits.map_or(0, |digits| digits.parse().unwrap())
    })
}

#[test]
fn a_prepay_and_a_notice_send_redis_one_command_each() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let gateway = node(&redis, &kakao, &biller);
    let paid = pay_result("paid", "P", 1, 20000).to_string();
    assert_eq!(gateway.post(PAY_RESULT, paid).res_code(), "OK");
    until(|| gateway.metric("relay_ledger_unshared_facts") == 0);
    // `GET` and `SET` are the periodic health check's.
    let commands = ["mget", "evalsha", "eval"];
    let before = executed(&redis, commands);
    for _ in 0..10 {
        assert_own(&gateway.post(PREPAY, prepay("paid").to_string()), 200, E403);
        assert_eq!(
            gateway
                .post(PREPAY, prepay("unpaid").to_string())
                .res_code(),
            "OK"
        );
        let notice = notice("unpaid").to_string();
        assert_eq!(gateway.post(NOTICE, notice).res_code(), "OK");
    }
    let [mget, evalsha, eval] = before;
    assert_eq!(executed(&redis, commands), [mget + 30, evalsha, eval]);
}

#[test]
fn a_gateway_starts_without_redis_and_finds_it_later() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    redis.kill();
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with(&format!("[ledger.redis]\nurl = \"{url}\""))
        .start();
    assert_eq!(
        gateway.post(PREPAY, prepay("u").to_string()).res_code(),
        "OK"
    );
    assert_own(&gateway.post(CREATE, link("u").to_string()), 503, E801);
    redis.start_again();
    until(|| gateway.post(CREATE, link("u").to_string()).status == 200);
}

#[test]
fn a_copy_of_a_journal_that_runs_beside_its_original_is_not_ready_and_counts_as_taken() {
    let (redis, kakao, biller) = (RedisServer::start(), Upstream::ok(), Upstream::ok());
    let original = node(&redis, &kakao, &biller);
    let page = |gateway: &Gateway| gateway.get_ops("/metrics").text();
    assert!(page(&original).contains("relay_node_number_taken 0"));
    // Beside a Redis that answers, the copy would be refused at its start.
    redis.kill();
    let url = format!("redis://127.0.0.1:{}/0", redis.port());
    let setup =
        Setup::new(&kakao.url(), &biller.url()).with(&format!("[ledger.redis]\nurl = \"{url}\""));
    let folder = setup.path().join("data/ledger");
    fs::create_dir_all(&folder).unwrap();
    for name in ["journal.sqlite3", "journal.sqlite3-wal"] {
        let file = original.path().join("data/ledger").join(name);
        fs::copy(file, folder.join(name)).unwrap();
    }
    let copy = setup.start();
    redis.start_again();
    until(|| copy.get_ops("/health/ready").status == 503);
    assert!(page(&copy).contains("relay_node_number_taken 1"));
    assert!(page(&original).contains("relay_node_number_taken 0"));
    assert_eq!(original.get_ops("/health/ready").status, 200);
    drop(original);
    until(|| copy.get_ops("/health/ready").status == 200);
    assert!(page(&copy).contains("relay_node_number_taken 0"));
}
