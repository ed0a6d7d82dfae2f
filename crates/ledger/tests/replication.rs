//! Every node keeps every fact: nodes whose journals have the facts of all, with real Redis servers.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ledger::journal::Reader;
use ledger::{
    Author, Claim, DeliveryOutcome, Fact, FactKind, FactRecord, KeptAnswer, MessageDigest,
};
use protocol::Bill;
use support::payments::{bill_of, pay_all};
use support::{Node, Store, bill, cancel, eventually, pay};
use test_support::RedisServer;

/// Three nodes on one Redis.
async fn three() -> (Arc<RedisServer>, Store, [Node; 3]) {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let nodes = [
        Node::on(&store).await,
        Node::on(&store).await,
        Node::on(&store).await,
    ];
    (server, store, nodes)
}

fn reader(node: &Node) -> Reader {
    Reader::read_only(node.directory()).unwrap()
}

/// The facts of a node's journal that one author made, `None`: itself.
fn records(node: &Node, of: Option<Author>) -> Vec<(i64, FactRecord)> {
    let records = reader(node).records_after(of, 0, (usize::MAX, usize::MAX));
    records.unwrap().records
}

async fn author(node: &Node) -> Author {
    let number = node.ledger().node();
    let nodes = node.ledger().nodes().await.unwrap().unwrap();
    let own = nodes.iter().find(|known| known.node == number).unwrap();
    own.replica.as_ref().unwrap().author
}

/// Every fact of a journal, whoever made it.
fn facts(node: &Node) -> Vec<Fact> {
    let facts = reader(node).facts_after(0, usize::MAX).unwrap();
    let mut facts: Vec<Fact> = facts.into_iter().map(|(_, fact)| fact).collect();
    facts.sort_by_key(|fact| (fact.stamp, format!("{fact:?}")));
    facts
}

/// Waits until all journals have the same facts, at least `least`.
async fn until_equal(nodes: &[&Node], least: usize) {
    eventually(async || {
        let first = facts(nodes[0]);
        first.len() >= least && nodes[1..].iter().all(|node| facts(node) == first)
    })
    .await;
}

async fn assert_sound(node: &Node) {
    let verified = node.ledger().verify().await.unwrap();
    assert!(verified.audit.findings.kept.is_empty(), "{verified:?}");
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"text/json"),
        body: Bytes::from_static(br#"{"res_code":"OK","message":"kept"}"#),
    }
}

/// Pays a bill through a node, and has it accepted.
async fn accept(node: &Node, bill: &Bill, pay_id: &str) -> (Bytes, MessageDigest) {
    let (event, body) = (
        pay(pay_id, "20000"),
        Bytes::from(format!("bytes of {pay_id}")),
    );
    let message = MessageDigest::of(&body);
    node.record(bill, &event, &body, message).await;
    let delivered = DeliveryOutcome::Accepted(answer());
    let recorded = node
        .ledger()
        .record_delivery(bill, &event, message.into(), delivered, node.now);
    recorded.await.unwrap();
    (body, message)
}

#[tokio::test]
async fn each_journal_has_the_facts_of_all_nodes_with_all_that_belongs_to_them() {
    let (_server, _store, nodes) = three().await;
    let [one, two, three] = &nodes;
    one.link(&bill("202611", "N1"), "20261130235959")
        .await
        .unwrap();
    two.link(&bill("202612", "N2"), "20261231235959")
        .await
        .unwrap();
    accept(one, &bill("202611", "N1"), "1").await;
    accept(three, &bill("202612", "N2"), "2").await;
    three
        .report(&bill("202612", "N2"), &cancel("2", "20000"))
        .await;
    until_equal(&[one, two, three], 9).await;
    for made_by in [one, two, three] {
        let made = records(made_by, None);
        assert!(!made.is_empty());
        let author = author(made_by).await;
        for other in [one, two, three] {
            if other.ledger().node() != author.node {
                assert_eq!(records(other, Some(author)), made);
            }
        }
    }
    let numbers: Vec<i64> = records(one, None)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(
        numbers,
        (1..=4).collect::<Vec<i64>>(),
        "without gaps, whatever lies between"
    );
    for node in [one, two, three] {
        assert_sound(node).await;
    }
}

#[tokio::test]
async fn what_a_destroyed_node_took_is_known_to_the_others_without_redis_too() {
    let (server, _store, nodes) = three().await;
    let [one, mut two, three] = nodes;
    let paid = bill("202611", "N1");
    let (body, message) = accept(&one, &paid, "1").await;
    until_equal(&[&one, &two, &three], 2).await;
    drop(one);
    server.kill();
    two.restart_on(&Store::Embedded).await;
    assert!(two.is_paid(&paid).await);
    let event = pay("1", "20000");
    let claim = two.ledger().claim(&paid, &event, message);
    let Claim::Accepted { answer: kept, .. } = claim.await else {
        panic!("a copy would be relayed again");
    };
    assert_eq!(*kept, answer());
    let kept = reader(&two)
        .message(paid.biller_code(), &pay("1", "20000"), &message)
        .unwrap();
    assert_eq!(kept.unwrap().body, body);
}

#[tokio::test]
async fn a_newcomer_gets_what_no_stream_has_from_whoever_has_it() {
    let (server, store, nodes) = three().await;
    let [one, two, three] = nodes;
    pay_all(&one, 0..700, 300).await;
    pay_all(&two, 700..1_400, 300).await;
    until_equal(&[&one, &two, &three], 1_400).await;
    // The author is gone for ever, and so are all streams.
    drop(one);
    server.tell(&["FLUSHALL"]);
    let newcomer = Node::on(&store).await;
    until_equal(&[&two, &three, &newcomer], 1_400).await;
    for number in [0, 699, 700, 1_399] {
        assert!(newcomer.is_paid(&bill_of(number)).await);
    }
    assert_sound(&newcomer).await;
}

#[tokio::test]
async fn a_newcomer_takes_no_payments_for_double_whose_cancel_is_still_on_its_way() {
    let (server, store, nodes) = three().await;
    let [mut one, mut two, three] = nodes;
    // Nothing leaves a stream that a listed node lacks.
    eventually(async || one.ledger().replication_lag().len() == 2).await;
    drop(three);
    let again = bill("202611", "N1");
    one.report(&again, &pay("1", "20000")).await;
    two.report(&again, &cancel("1", "20000")).await;
    one.report(&again, &pay("2", "20000")).await;
    until_equal(&[&one, &two], 3).await;
    // The payments are in a stream, the cancel is on disks of nodes that do not run.
    let of_two = format!("*:stream:{}", author(&two).await);
    let of_two = server.words(&["KEYS", &of_two]).remove(0);
    let (author_of_one, made) = (author(&one).await, records(&one, None));
    one.stop();
    two.stop();
    server.tell(&["DEL", &of_two]);
    let newcomer = Node::on(&store).await;
    let has_all_of_one = async || records(&newcomer, Some(author_of_one)) == made;
    eventually(has_all_of_one).await;
    // Longer than a conflict waits for a cancel that is on its way.
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    let is_classified = |node: &Node| {
        let mut facts = facts(node).into_iter();
        facts.any(|fact| matches!(fact.kind, FactKind::Classified { .. }))
    };
    assert!(!is_classified(&newcomer));
    one.restart().await;
    until_equal(&[&one, &newcomer], 3).await;
    assert!(!is_classified(&newcomer));
}

#[tokio::test]
async fn what_no_other_node_has_stays_in_the_stream_and_outlives_its_author() {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let one = Node::on(&store).await;
    for at in 0..5 {
        pay_all(&one, at * 10..at * 10 + 10, 300).await;
        // Longer than a stream waits before what is known to all leaves it.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    }
    drop(one);
    let two = Node::on(&store).await;
    eventually(async || facts(&two).len() >= 50).await;
}

#[tokio::test]
async fn a_node_that_was_away_catches_up_and_numbers_go_on() {
    let (server, _store, nodes) = three().await;
    let [one, mut two, three] = nodes;
    pay_all(&one, 0..50, 300).await;
    until_equal(&[&one, &two, &three], 50).await;
    two.stop();
    pay_all(&one, 50..100, 300).await;
    server.tell(&["FLUSHALL"]);
    pay_all(&three, 100..150, 300).await;
    two.restart().await;
    pay_all(&two, 150..200, 300).await;
    until_equal(&[&one, &two, &three], 200).await;
    let numbers = |node: &Node| -> BTreeSet<i64> {
        records(node, None)
            .into_iter()
            .map(|(number, _)| number)
            .collect()
    };
    for (node, made) in [(&one, 100), (&two, 50), (&three, 50)] {
        assert_eq!(numbers(node), (1..=made).collect());
    }
}

#[tokio::test]
async fn a_payment_has_two_copies_before_it_is_relayed_and_what_has_one_is_counted() {
    let (server, _store, nodes) = three().await;
    let [one, two, _] = &nodes;
    pay_all(one, 0..100, 300).await;
    assert_eq!(one.conflicts.on_one_disk(), 0);
    // What has been said to be recorded is in Redis, whatever becomes of this disk.
    let stream = format!("*:stream:{}", author(one).await);
    let streams = server.words(&["KEYS", &stream]);
    let entries = server.number(&["XLEN", &streams[0]]);
    assert!(entries > 0);
    server.signal("STOP");
    one.report(&bill_of(100), &pay("100", "20000")).await;
    assert_eq!(one.conflicts.on_one_disk(), 1);
    server.signal("CONT");
    server.kill();
    eventually(async || two.find(&bill_of(1)).await.is_err()).await;
    let began = std::time::Instant::now();
    for number in 101..121 {
        one.report(&bill_of(number), &pay(&number.to_string(), "20000"))
            .await;
    }
    assert!(
        began.elapsed() < std::time::Duration::from_secs(3),
        "nobody waits for a Redis that is known to be away"
    );
    assert_eq!(one.conflicts.on_one_disk(), 21);
    server.start_again();
    until_equal(&[one, two], 121).await;
}

#[tokio::test]
async fn entries_that_no_node_wrote_are_counted_and_make_nothing_paid() {
    let (server, _store, nodes) = three().await;
    let [one, two, _] = &nodes;
    pay_all(one, 0..10, 300).await;
    until_equal(&[one, two], 10).await;
    let stream = format!("*:stream:{}", author(one).await);
    let stream = server.words(&["KEYS", &stream]).remove(0);
    // A copy of an entry under a later number, cut ones, and any text.
    let copy = "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][2][2]; \
                redis.call('XADD', KEYS[1], '500-0', 'e', last); \
                redis.call('XADD', KEYS[1], '501-0', 'e', string.sub(last, 1, -2))";
    server.tell(&["EVAL", copy, "1", &stream]);
    for (id, value) in [("502-0", ""), ("503-7", "forged")] {
        server.tell(&["XADD", &stream, id, "e", value]);
    }
    server.tell(&["XADD", &stream, "504-0", "f", "forged"]);
    eventually(async || two.conflicts.refused_entries() >= 4).await;
    // The author finds its stream spoilt, begins it anew, and is followed.
    pay_all(one, 10..20, 300).await;
    pay_all(two, 20..30, 300).await;
    until_equal(&[one, two], 30).await;
    assert!(one.conflicts.refused_entries() > 0);
    for node in [one, two] {
        assert!(!node.is_paid(&bill_of(500)).await);
        assert_sound(node).await;
    }
}

/// Puts a folder's files back as they were, in place: as a virtual machine whose disk is rolled back.
fn roll_back(directory: &std::path::Path, former: &[(String, Vec<u8>)]) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match former.iter().find(|(known, _)| *known == name) {
            Some((_, bytes)) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
}

fn files(directory: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap();
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(&path).unwrap())
    };
    entries.map(file).collect()
}

#[tokio::test]
async fn a_disk_that_was_rolled_back_is_another_journal_and_gets_back_what_it_lost() {
    let (_server, _store, nodes) = three().await;
    let [mut one, two, three] = nodes;
    pay_all(&one, 0..20, 300).await;
    until_equal(&[&one, &two, &three], 20).await;
    let before = author(&one).await;
    one.stop();
    let former = files(one.directory());
    one.restart().await;
    pay_all(&one, 20..40, 300).await;
    until_equal(&[&one, &two, &three], 40).await;
    one.stop();
    roll_back(one.directory(), &former);
    one.restart().await;
    pay_all(&one, 40..60, 300).await;
    assert_ne!(author(&one).await, before);
    eventually(async || {
        let known = |node: &Node| -> BTreeSet<String> {
            let facts = facts(node);
            let payments = facts.iter().filter(|fact| fact.kind.name() == "payment");
            payments.map(|fact| format!("{fact:?}")).collect()
        };
        let all = known(&two);
        all.len() == 60 && known(&one) == all && known(&three) == all
    })
    .await;
    for number in [0, 19, 20, 39, 40, 59] {
        for node in [&one, &two, &three] {
            assert!(node.is_paid(&bill_of(number)).await, "{number}");
        }
    }
    for node in [&one, &two, &three] {
        assert_sound(node).await;
    }
}

#[tokio::test]
async fn a_new_node_is_ready_once_it_has_what_the_others_had() {
    let (_server, store, nodes) = three().await;
    let [one, two, three] = nodes;
    for node in [&one, &two, &three] {
        eventually(async || !node.ledger().is_catching_up()).await;
    }
    pay_all(&one, 0..300, 300).await;
    until_equal(&[&one, &two, &three], 300).await;
    // The others say every second what they have.
    let said = async || {
        let nodes = two.ledger().nodes().await.unwrap().unwrap();
        nodes
            .iter()
            .filter_map(|known| known.replica.as_ref())
            .map(|replica| replica.last)
            .sum::<i64>()
            >= 300
    };
    eventually(said).await;
    let new = Node::on(&store).await;
    eventually(async || !new.ledger().is_catching_up()).await;
    assert_eq!(facts(&new), facts(&one));
}

/// The keys of a biller's values.
fn values(server: &RedisServer, kind: &str) -> Vec<String> {
    server.words(&["KEYS", &format!("*:{{B0001}}:{kind}:*")])
}

#[tokio::test]
async fn a_value_that_was_evicted_is_answered_from_the_journal_at_once_and_put_back() {
    let (server, _store, nodes) = three().await;
    let [one, two, three] = &nodes;
    for number in 0..30 {
        let (bill, pay_id) = (bill_of(number), number.to_string());
        one.report(&bill, &pay(&pay_id, "20000")).await;
        for key in values(&server, "b") {
            server.tell(&["UNLINK", &key]);
        }
        // Nothing was waited for: the streams are read before the answer.
        assert!(
            two.is_paid(&bill).await && three.is_paid(&bill).await,
            "{number}"
        );
    }
    eventually(async || values(&server, "b").len() == 30).await;
    for node in [one, two] {
        let verified = node.ledger().verify().await.unwrap();
        assert!(matches!(verified.redis, Some(Ok(difference)) if difference.is_none()));
    }
}

#[tokio::test]
async fn a_copy_of_what_another_node_had_accepted_is_not_relayed_though_redis_forgot_it() {
    let (server, _store, nodes) = three().await;
    let [one, two, _] = &nodes;
    for number in 0..10 {
        let (bill, pay_id) = (bill_of(number), number.to_string());
        let (body, message) = accept(one, &bill, &pay_id).await;
        for key in server.words(&["KEYS", "*:{B0001}:*"]) {
            server.tell(&["UNLINK", &key]);
        }
        let event = pay(&pay_id, "20000");
        match two.begin(&bill, &event, &body, message).await {
            ledger::RecordOutcome::AcceptedElsewhere { answer: kept, .. } => {
                assert_eq!(kept, answer());
            }
            recorded @ ledger::RecordOutcome::Recorded(_) => panic!("{recorded:?}"),
        }
    }
}

#[tokio::test]
async fn only_what_is_under_way_never_expires() {
    const KEPT: i64 = 45 * 24 * 60 * 60;
    let (server, _store, nodes) = three().await;
    let [one, _, _] = &nodes;
    let bill = bill("202611", "N1");
    let seconds_left = |kind: &str| -> Vec<i64> {
        let keys = values(&server, kind);
        keys.iter()
            .map(|key| server.ask_text(&["TTL", key]).parse().unwrap())
            .collect()
    };
    let reservation = one.reserve(&bill).await.unwrap();
    for kind in ["b", "g", "k"] {
        assert_eq!(seconds_left(kind), [-1], "{kind}");
    }
    let expire_at = protocol::KoreanTime::parse("20261130235959").unwrap();
    let outcome = ledger::LinkOutcome::Linked { expire_at };
    one.ledger()
        .settle(&reservation, &outcome, one.now)
        .await
        .unwrap();
    for kind in ["b", "g", "k"] {
        let left = seconds_left(kind);
        assert!(
            left.iter().all(|left| (KEPT - 60..=KEPT).contains(left)),
            "{kind}: {left:?}"
        );
    }
    for key in server.words(&["KEYS", "*:stream:*"]) {
        assert_eq!(server.ask_text(&["TTL", &key]), "-1");
    }
}

#[tokio::test]
async fn something_else_under_a_streams_name_keeps_no_facts_from_anybody_for_long() {
    let (server, _store, nodes) = three().await;
    let [one, two, three] = &nodes;
    pay_all(one, 0..10, 300).await;
    until_equal(&[one, two, three], 10).await;
    let stream = format!("*:stream:{}", author(one).await);
    let stream = server.words(&["KEYS", &stream]).remove(0);
    server.tell(&["SET", &stream, "no stream"]);
    pay_all(two, 10..20, 300).await;
    pay_all(one, 20..30, 300).await;
    until_equal(&[one, two, three], 30).await;
    assert_eq!(server.ask_text(&["TYPE", &stream]), "stream");
}

#[tokio::test]
async fn a_new_node_is_ready_though_a_destroyed_one_has_said_that_it_had_more() {
    let (server, store, nodes) = three().await;
    let [one, two, three] = nodes;
    pay_all(&one, 0..20, 300).await;
    until_equal(&[&one, &two, &three], 20).await;
    let said = async |least: i64| {
        let nodes = two.ledger().nodes().await.unwrap().unwrap();
        let lasts = nodes
            .iter()
            .filter_map(|known| known.replica.as_ref())
            .map(|replica| replica.last);
        lasts.max().unwrap_or_default() >= least
    };
    eventually(async || said(20).await).await;
    let author = author(&one).await;
    drop(one);
    // Its line says that it had ten more, which are nowhere.
    let more = format!("{author} 30 ");
    let script = "local nodes = redis.call('GET', KEYS[1]); local lifted = string.gsub(nodes, ARGV[1], ARGV[2]); \
                redis.call('SET', KEYS[1], lifted); return lifted";
    let list = server.words(&["KEYS", "*:nodes"]).remove(0);
    let pattern = format!("{author} %d+ ").replace('-', "%-");
    let lifted = server.ask_text(&["EVAL", script, "1", &list, &pattern, &more]);
    assert!(lifted.contains(&more), "{lifted}");
    let new = Node::on(&store).await;
    eventually(async || !new.ledger().is_catching_up()).await;
    until_equal(&[&two, &three, &new], 20).await;
}

#[tokio::test]
async fn a_disk_that_was_rolled_back_and_has_grown_past_its_old_end_is_another_journal_too() {
    let (server, _store, nodes) = three().await;
    let [mut one, two, three] = nodes;
    pay_all(&one, 0..10, 300).await;
    until_equal(&[&one, &two, &three], 10).await;
    one.stop();
    let former = files(one.directory());
    one.restart().await;
    pay_all(&one, 10..20, 300).await;
    until_equal(&[&one, &two, &three], 20).await;
    one.stop();
    roll_back(one.directory(), &former);
    // Its start asks nobody, and it takes more than it lost.
    server.signal("STOP");
    one.restart_at_once();
    pay_all(&one, 20..60, 300).await;
    server.signal("CONT");
    // Nothing is published under numbers that others know as other facts: that takes a restart.
    eventually(async || two.find(&bill_of(0)).await == Err(ledger::LinkRefusal::NotRegistered))
        .await;
    one.restart().await;
    let paid = |node: &Node| -> BTreeSet<String> {
        let facts = facts(node);
        let payments = facts.iter().filter(|fact| fact.kind.name() == "payment");
        payments
            .map(|fact| fact.bill.biller_user_key().to_owned())
            .collect()
    };
    eventually(async || {
        [&one, &two, &three]
            .iter()
            .all(|node| paid(node).len() == 60)
    })
    .await;
}

#[tokio::test]
async fn an_answer_alone_that_was_evicted_is_found_in_the_journal() {
    let (server, _store, nodes) = three().await;
    let [one, two, _] = &nodes;
    for number in 0..10 {
        let (bill, pay_id) = (bill_of(number), number.to_string());
        let (body, message) = accept(one, &bill, &pay_id).await;
        for kind in ["m", "c"] {
            for key in values(&server, kind) {
                server.tell(&["UNLINK", &key]);
            }
        }
        let event = pay(&pay_id, "20000");
        let begun = two.begin(&bill, &event, &body, message).await;
        assert!(
            matches!(begun, ledger::RecordOutcome::AcceptedElsewhere { .. }),
            "{begun:?}"
        );
    }
}

/// The key of a node's stream.
async fn stream_of(server: &RedisServer, node: &Node) -> String {
    let pattern = format!("*:stream:{}", author(node).await);
    server.words(&["KEYS", &pattern]).remove(0)
}

#[tokio::test]
async fn facts_of_a_dead_author_behind_a_gap_that_nobody_can_fill_are_taken() {
    let (server, _store, nodes) = three().await;
    let [one, mut two, mut three] = nodes;
    for node in [&mut two, &mut three] {
        node.takes_over_after = std::time::Duration::from_secs(1);
        node.stop();
    }
    pay_all(&one, 0..10, 300).await;
    let stream = stream_of(&server, &one).await;
    server.tell(&["UNLINK", &stream]);
    pay_all(&one, 10..20, 300).await;
    drop(one);
    two.restart().await;
    three.restart().await;
    // What lies behind the gap is in Redis alone.
    until_equal(&[&two, &three], 10).await;
    for node in [&two, &three] {
        assert!(node.is_paid(&bill_of(19)).await);
        assert_sound(node).await;
    }
}

#[tokio::test]
async fn numbers_that_somebody_used_up_in_a_stream_stop_nobody() {
    let (server, _store, nodes) = three().await;
    let [one, two, three] = &nodes;
    pay_all(one, 0..10, 300).await;
    until_equal(&[one, two, three], 10).await;
    let stream = stream_of(&server, one).await;
    for number in ["9000000-0", "9000001-0"] {
        server.tell(&["XADD", &stream, number, "e", "x"]);
        server.tell(&["XDEL", &stream, number]);
    }
    pay_all(one, 10..20, 300).await;
    until_equal(&[one, two, three], 20).await;
    // Those that found it out had one copy for a moment; the next ones have two.
    let on_one_disk = one.conflicts.on_one_disk();
    pay_all(one, 20..30, 300).await;
    assert_eq!(one.conflicts.on_one_disk(), on_one_disk);
}

#[tokio::test]
async fn something_else_under_a_refills_name_or_a_dead_authors_keeps_no_new_node_from_its_facts() {
    let (server, store, nodes) = three().await;
    let [one, two, three] = nodes;
    pay_all(&one, 0..20, 300).await;
    until_equal(&[&one, &two, &three], 20).await;
    let (dead, stream) = (author(&one).await, stream_of(&server, &one).await);
    drop(one);
    server.tell(&["SET", &stream, "no stream"]);
    let mut new = Node::on(&store).await;
    until_equal(&[&two, &three, &new], 20).await;
    new.stop();
    // The same node again, with a journal that lacks them, is another one: its refill's name is not known before.
    let newer = Node::on(&store).await;
    let refill = stream.replace(
        &format!(":stream:{dead}"),
        &format!(":refill:{}:{dead}", newer.ledger().node()),
    );
    server.tell(&["UNLINK", &refill]);
    server.tell(&["SET", &refill, "no stream"]);
    until_equal(&[&two, &three, &newer], 20).await;
}

#[tokio::test]
async fn clocks_that_differ_by_an_hour_make_no_running_node_a_silent_one() {
    const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let one = Node::on(&store).await;
    let behind = ledger::redis::WallClock(|| ledger::Timestamp::now().minus(HOUR));
    let other = Node::by(&store, behind, one.now.minus(HOUR)).await;
    let running = async |node: &Node, now: ledger::Timestamp| {
        let nodes = node.ledger().nodes().await.unwrap().unwrap();
        nodes.iter().filter(|known| known.is_running(now)).count()
    };
    eventually(async || running(&one, ledger::Timestamp::now()).await == 2).await;
    eventually(async || running(&other, (behind.0)()).await == 2).await;
}
