//! A biller begins to hang under traffic: who is woken, and by what?

use std::fmt::Debug;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{Biller, BillerOptions, Kakao, KakaoOptions, Rule};
use test_support::Setup;

use crate::prometheus::Prometheus;
use crate::traffic::{LINK_CREATE, NOTICE, PAY_RESULT, PREPAY, Traffic};
use crate::{HOSTILE_NAME, named, rules};

/// Longer than any alert may take to fire, in scaled time.
const PATIENCE: Duration = Duration::from_secs(40);

fn biller(code: &str) -> Biller {
    Biller::start(BillerOptions {
        code: code.to_owned(),
        ..BillerOptions::default()
    })
    .unwrap()
}

#[test]
fn a_biller_that_begins_to_hang_is_named_with_its_api_and_nobody_else_is() {
    let kakao = Kakao::start(KakaoOptions::default()).unwrap();
    let (hanging, well) = (biller("B0001"), biller("B0002"));
    let gateway = Setup::new(&kakao.base_url(), &hanging.base_url())
        .biller("B0001", &hanging.base_url(), &named(HOSTILE_NAME))
        .biller("B0002", &well.base_url(), "")
        .with("[budget]\ntotal = \"500ms\"")
        .start();
    let prometheus = Prometheus::watching(gateway.ops());
    let traffic = ["B0001", "B0002"]
        .into_iter()
        .fold(Traffic::default(), |traffic, biller| {
            traffic
                .with(gateway.public(), biller, &[NOTICE, PAY_RESULT])
                .with(gateway.public(), biller, &[NOTICE, LINK_CREATE])
                .with(gateway.public(), biller, &[PREPAY])
                .with(gateway.public(), biller, &[PREPAY])
        });
    let calls = r#"sum(increase(relay_requests_total{res_code="OK"}[5s])) > 20"#;
    until(|| prometheus.query(calls).pop().ok_or("calls are counted"));
    let alerts_before = prometheus.alerts();
    let named_before = naming(&alerts_before, |_| true);
    assert!(named_before.is_empty(), "{named_before:#?}");

    hanging.inject(Rule::parse("/kakao/prepay hang-head").unwrap());
    let alert = until(|| {
        let alerts = prometheus.alerts();
        let wakes = |alert: &&Value| {
            alert["labels"]["alertname"] == "RelayBillerTimeouts" && alert["state"] == "firing"
        };
        let woken = alerts.iter().find(wakes).cloned();
        woken.ok_or_else(|| format!("{alerts:#?}"))
    });
    assert_eq!(alert["labels"]["biller"], "B0001");
    assert_eq!(alert["labels"]["api"], "prepay");
    assert_eq!(alert["annotations"]["biller_name"], HOSTILE_NAME);
    let alerts = prometheus.alerts();
    let others = naming(&alerts, |biller| biller != "B0001");
    assert!(others.is_empty(), "{others:#?}");
    for alert in &alerts {
        assert_has_a_section(alert);
    }
    drop(traffic);
}

/// The alerts that name a biller, where `wanted` says so.
fn naming(alerts: &[Value], wanted: impl Fn(&str) -> bool) -> Vec<&Value> {
    let names = |alert: &&Value| alert["labels"]["biller"].as_str().is_some_and(&wanted);
    alerts.iter().filter(names).collect()
}

/// The runbook's section that the alert links to is there.
fn assert_has_a_section(alert: &Value) {
    let url = alert["annotations"]["runbook_url"].as_str().unwrap();
    let (_, anchor) = url.split_once("docs/runbook.md#").unwrap();
    let runbook = fs::read_to_string(rules::project().join("docs/runbook.md")).unwrap();
    let mut headings = runbook.lines().filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.trim().to_lowercase().replace(' ', "-"))
    });
    assert!(headings.any(|heading| heading == anchor), "no {anchor}");
}

/// What `look` finds at last, or else what it said last. Prometheus cannot be awaited otherwise
/// than by asking.
#[track_caller]
pub fn until<T, E: Debug>(mut look: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(missing) => assert!(Instant::now() < deadline, "{missing:?}"),
        }
        thread::park_timeout(Duration::from_millis(100));
    }
}
