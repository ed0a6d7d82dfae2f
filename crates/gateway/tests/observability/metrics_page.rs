//! Section 7 of `docs/contract.md` describes exactly the series that a running gateway exposes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use test_support::{Gateway, RedisServer, Setup, Upstream};

use crate::rules::project;
use crate::traffic::{PAY_RESULT, PREPAY, body};

/// A series per other node, which a gateway that is alone on its Redis does not have. Its type and labels are checked in
/// `metrics/tests/exposition/contract.rs`.
const OF_OTHER_NODES: &str = "relay_replication_lag_seconds";

/// The type and the label names of a metric.
type Shape = (String, BTreeSet<String>);

/// Returns the metrics of the page: its rows that begin with a series' name.
fn documented(page: &str) -> BTreeMap<String, Shape> {
    let mut shapes = BTreeMap::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, kind, labels, unit, meaning, _] = cells[..] else {
            continue;
        };
        let (Some(name), "counter" | "gauge" | "histogram") = (code(name), kind) else {
            continue;
        };
        assert!(!unit.is_empty() && !meaning.is_empty(), "{row}");
        let labels = labels.split(',').filter_map(|label| code(label.trim()));
        let shape = (kind.to_owned(), labels.map(str::to_owned).collect());
        assert_eq!(shapes.insert(name.to_owned(), shape), None, "{name} twice");
    }
    shapes
}

/// Returns the texts between backticks.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// Returns the metrics that a gateway exposes.
fn exposed(text: &str) -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            name.clone_into(&mut family);
            shapes.insert(family.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            let (kind, labels) = shapes.get_mut(&family).unwrap();
            let of_buckets = |label: &&str| *label == "le" && kind == "histogram";
            let names = label_names(line).into_iter();
            labels.extend(names.filter(|name| !of_buckets(name)).map(str::to_owned));
        }
    }
    shapes
}

/// Returns the names before `="`, which no label value of this test has in it.
fn label_names(sample: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = sample.split("=\"").collect();
    parts.pop();
    let name = |part: &'_ str| part.rfind(['{', ',']).map_or(0, |at| at + 1);
    parts.iter().map(|part| &part[name(part)..]).collect()
}

/// Starts a gateway that exposes every metric but those of other nodes: with Redis, a certificate, a relayed call, and a payment
/// that its biller did not accept.
fn gateway_with(redis: &RedisServer, upstream: &Upstream) -> Gateway {
    let redis = format!(
        "[ledger.redis]\nurl = \"redis://127.0.0.1:{}/0\"",
        redis.port()
    );
    let setup = Setup::new("https://127.0.0.1:1", &upstream.url())
        .with(&redis)
        .kakao("[kakao.tls]\nca = \"kakao-ca.pem\"\n")
        .biller("B0002", "http://127.0.0.1:1", "");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(setup.path().join("kakao-ca.pem"), made.cert.pem()).unwrap();
    let gateway = setup.start();
    gateway.post(&format!("{PREPAY}/B0001"), body(PREPAY).to_string());
    gateway.post(&format!("{PAY_RESULT}/B0002"), body(PAY_RESULT).to_string());
    gateway
}

#[test]
fn the_page_of_all_series_and_a_running_gateway_agree_in_names_types_and_labels() {
    let page = fs::read_to_string(project().join("docs/contract.md")).unwrap();
    let mut documented = documented(&page);
    assert!(documented.remove(OF_OTHER_NODES).is_some());
    let (redis, upstream) = (RedisServer::start(), Upstream::ok());
    let gateway = gateway_with(&redis, &upstream);
    let exposed = exposed(&gateway.get_ops("/metrics").text());

    let differences = |shapes: &BTreeMap<String, Shape>, beside: &BTreeMap<String, Shape>| {
        let differs = |(name, shape): &(&String, &Shape)| beside.get(*name) != Some(shape);
        let lines = shapes.iter().filter(differs);
        lines
            .map(|(name, shape)| format!("{name} {shape:?}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        differences(&documented, &exposed),
        differences(&exposed, &documented),
        "documented, and exposed"
    );
    assert!(documented.len() > 40, "{}", documented.len());
}

#[test]
fn a_table_of_another_shape_is_not_taken_for_series_and_buckets_are_no_label() {
    let page = "| series | type |\n| `a` | b |\n| `x_total` | counter | `b`, `a` | calls | said |";
    let labels = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let shape = ("counter".to_owned(), labels.clone());
    assert_eq!(
        documented(page),
        BTreeMap::from([("x_total".into(), shape)])
    );

    let text = "# HELP x Said.\n# TYPE x histogram\n\
                x_bucket{a=\"1\",b=\"2\",le=\"0.5\"} 1\nx_sum{a=\"1\",b=\"2\"} 0.25\n";
    let shape = ("histogram".to_owned(), labels);
    assert_eq!(exposed(text), BTreeMap::from([("x".into(), shape)]));
}
