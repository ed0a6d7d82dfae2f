//! `gateway nodes`: the nodes that share a Redis.

use serde_json::{Value, json};
use test_support::{Gateway, PAY_RESULT, RedisServer, Upstream, until};

use crate::fixture::{Fixture, paid};
use crate::shared;

fn nodes(gateway: &Gateway) -> Vec<Value> {
    let printed = Fixture::on(gateway, "nodes --json");
    assert_eq!(printed.code, 0, "{printed:?}");
    let answer: Value = serde_json::from_str(&printed.out).unwrap();
    answer["nodes"].as_array().unwrap().clone()
}

#[test]
fn nodes_are_listed_and_a_silent_one_is_struck_off() {
    let (redis, biller) = (RedisServer::start(), Upstream::ok());
    let (one, other) = (shared::node(&redis, &biller), shared::node(&redis, &biller));
    until(|| nodes(&one).len() == 2);
    let both = nodes(&one);
    assert!(both.iter().all(|node| node["running"] == true), "{both:?}");
    let own: Vec<&Value> = both
        .iter()
        .filter(|node| node["this_node"] == true)
        .collect();
    let [own] = own[..] else {
        panic!("{both:?}");
    };
    let gone = both.iter().find(|node| node["this_node"] == false).unwrap();
    let gone = gone["node"].to_string();
    let forget = |number: &str| Fixture::on(&one, &format!("nodes forget {number} --json"));
    let refused = forget(&gone);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("node_runs"), "{refused:?}");
    assert_eq!(forget("4294967295").code, 1);
    let mut other = other;
    assert_eq!(other.terminate(), Some(0));
    // It said so: nobody has to wait until it is silent.
    let listed = nodes(&one);
    assert!(
        listed.iter().any(|node| node["running"] == false),
        "{listed:?}"
    );
    for node in &listed {
        assert_eq!(
            (&node["missing_facts"], &node["asks_for"]),
            (&json!(0), &json!([])),
            "{node}"
        );
    }
    let text = Fixture::on(&one, "nodes").out;
    assert!(text.contains("facts of others missing"), "{text}");
    assert!(
        text.contains("runs, this node") && text.contains("silent"),
        "{text}"
    );
    assert_eq!(forget(&gone).code, 0);
    let left = nodes(&one);
    assert!(
        left.len() == 1 && left[0]["node"] == own["node"],
        "{left:?}"
    );
}

#[test]
fn what_a_node_lacks_of_the_others_is_shown() {
    let (redis, biller) = (RedisServer::start(), Upstream::ok());
    let (one, mut other) = (shared::node(&redis, &biller), shared::node(&redis, &biller));
    until(|| nodes(&one).len() == 2);
    let number = |node: &Value| node["missing_facts"].as_i64().unwrap();
    assert_eq!(other.terminate(), Some(0));
    one.post(PAY_RESULT, paid("u", 1));
    until(|| {
        let listed = nodes(&one);
        let gone = listed.iter().find(|node| node["this_node"] == false);
        number(gone.unwrap()) == 2
    });
    let own = nodes(&one);
    let own = own.iter().find(|node| node["this_node"] == true).unwrap();
    assert_eq!(number(own), 0);
}

#[test]
fn a_node_without_redis_is_the_only_one_and_one_that_lost_redis_says_so() {
    let (redis, biller) = (RedisServer::start(), Upstream::ok());
    let alone = Fixture::setup(&biller).start();
    assert!(nodes(&alone).is_empty());
    assert!(Fixture::on(&alone, "nodes").out.contains("shares no Redis"));
    assert!(
        Fixture::on(&alone, "nodes forget 1 --json")
            .out
            .contains("no_redis")
    );
    let one = shared::node(&redis, &biller);
    redis.kill();
    until(|| {
        Fixture::on(&one, "nodes --json")
            .out
            .contains("out_of_reach")
    });
}
