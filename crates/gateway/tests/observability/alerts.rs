//! A biller starts to hang under traffic, and an alert names it.

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
fn a_biller_that_starts_to_hang_is_alerted_with_its_api_and_no_other_is() {
    let kakao = Kakao::start(KakaoOptions::default()).unwrap();
    let (hanging, healthy) = (biller("B0001"), biller("B0002"));
    let gateway = Setup::new(&kakao.base_url(), &hanging.base_url())
        .biller("B0001", &hanging.base_url(), &named(HOSTILE_NAME))
        .biller("B0002", &healthy.base_url(), "")
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
        let is_wanted = |alert: &&Value| {
            alert["labels"]["alertname"] == "RelayBillerTimeouts" && alert["state"] == "firing"
        };
        let firing = alerts.iter().find(is_wanted).cloned();
        firing.ok_or_else(|| format!("{alerts:#?}"))
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

/// Returns the alerts of the billers that `wanted` selects.
fn naming(alerts: &[Value], wanted: impl Fn(&str) -> bool) -> Vec<&Value> {
    let names = |alert: &&Value| alert["labels"]["biller"].as_str().is_some_and(&wanted);
    alerts.iter().filter(names).collect()
}

/// Asserts that the runbook has the section that the alert links to.
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

/// Polls `look` until it succeeds and returns its value; panics with its last error at the deadline.
/// Prometheus has no way to await a change.
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
