//! A journal that fails at run time: payments still reach their biller, and no fact counts as journalled
//! that is not.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use protocol::ResCode::{E403, E801};
use test_support::{
    CREATE, Gateway, PAY_RESULT, PREPAY, RECREATE, Setup, Upstream, assert_own, link, pay_result,
    prepay, until,
};

/// Changes the journal from outside, as someone with `sqlite3` could.
fn saboteur(gateway: &Gateway) -> rusqlite::Connection {
    let file = gateway.path().join("data/ledger/journal.sqlite3");
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

fn paid(user: &str) -> String {
    pay_result(user, "P", 1, 20000).to_string()
}

#[test]
fn payments_are_relayed_links_are_e801_and_readiness_is_off_until_it_can_be_written() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    assert_eq!(
        gateway.post(CREATE, link("linked").to_string()).res_code(),
        "OK"
    );
    let saboteur = saboteur(&gateway);
    saboteur
        .execute_batch("ALTER TABLE fact RENAME TO away")
        .unwrap();

    assert_eq!(gateway.post(PAY_RESULT, paid("u")).res_code(), "OK");
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
    assert_eq!(gateway.get_ops("/health/ready").status, 503);
    assert_eq!(gateway.get_ops("/health/live").status, 200);
    for user in ["linked", "free"] {
        assert_own(&gateway.post(CREATE, link(user).to_string()), 503, E801);
        assert_own(&gateway.post(RECREATE, link(user).to_string()), 503, E801);
    }
    gateway.await_log(|line| line["level"] == "error" && line.to_string().contains("NOT durable"));
    assert!(gateway.metric(r#"relay_ledger_unavailable_total{operation="payment"}"#) > 0);

    saboteur
        .execute_batch("ALTER TABLE away RENAME TO fact")
        .unwrap();
    until(|| gateway.get_ops("/health/ready").status == 200);
    let gateway = gateway.kill_and_restart();
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
    let copy = gateway.post(PAY_RESULT, paid("u"));
    assert_eq!(copy.header("x-relay-replayed"), Some("true"));
}

#[test]
fn a_stop_with_unjournalled_facts_is_unclean() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let mut gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[limits]\ndrain = \"1s\"")
        .start();
    saboteur(&gateway)
        .execute_batch("ALTER TABLE fact RENAME TO away")
        .unwrap();
    assert_eq!(gateway.post(PAY_RESULT, paid("u")).res_code(), "OK");
    assert_eq!(gateway.terminate(), Some(1));
    gateway.await_log(|line| line.to_string().contains("facts that are in no journal"));
}

#[test]
fn a_stop_waits_for_a_journal_that_recovers() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let operator = saboteur(&gateway);
    operator.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(gateway.post(PAY_RESULT, paid("u")).res_code(), "OK");
    gateway.signal("TERM");
    gateway.await_log(|line| line["message"] == "draining");
    operator.execute_batch("ROLLBACK").unwrap();
    let gateway = gateway.stop_and_restart();
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 200, E403);
}

#[test]
fn a_stop_leaves_everything_in_the_file_itself() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let mut gateway = Setup::new(&kakao.url(), &biller.url()).start();
    for user in ["a", "b", "c"] {
        assert_eq!(gateway.post(PAY_RESULT, paid(user)).res_code(), "OK");
    }
    assert_eq!(gateway.terminate(), Some(0));
    let elsewhere = tempfile::TempDir::new().unwrap();
    let copy = elsewhere.path().join("copy.sqlite3");
    let file = gateway.path().join("data/ledger/journal.sqlite3");
    std::fs::copy(file, &copy).unwrap();
    let copied = rusqlite::Connection::open(copy).unwrap();
    let payments = "SELECT count(*) FROM facts WHERE kind = 'payment'";
    let payments: i64 = copied.query_row(payments, [], |row| row.get(0)).unwrap();
    assert_eq!(payments, 3);
}
