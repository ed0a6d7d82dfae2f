//! Every panel of every dashboard has data after calls to a gateway.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls_pki_types::PrivateKeyDer;
use serde_json::Value;
use simulator::{Biller, BillerOptions, Kakao, KakaoOptions, Rule};
use test_support::{RedisServer, Setup};

use crate::alerts::until;
use crate::prometheus::Prometheus;
use crate::rules::project;
use crate::traffic::{LINK_CREATE, NOTICE, PAY_RESULT, PREPAY, Traffic};

/// Returns the queries of all panels, as they are sent to Prometheus.
fn queries() -> Vec<Value> {
    let printed = Command::new(project().join("deploy/grafana/queries"))
        .args(["--biller", "B0001", "--interval", "5s"])
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Starts a Kakao Pay with a certificate; the second value is the certificate as PEM.
fn kakao_behind_tls() -> (Kakao, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let options = KakaoOptions {
        tls: Some(Arc::new(tls)),
        ..KakaoOptions::default()
    };
    (Kakao::start(options).unwrap(), made.cert.pem())
}

#[test]
fn every_query_of_every_panel_returns_data() {
    let redis = RedisServer::start();
    let (kakao, certificate) = kakao_behind_tls();
    let biller = Biller::start(BillerOptions::default()).unwrap();
    // Some calls fail, so that the panels of failures have data.
    biller.inject(Rule::parse("/kakao/notice every=3 res_code:E901").unwrap());
    biller.inject(Rule::parse("/kakao/pay-result every=5 res_code:E902").unwrap());
    let setup = Setup::new(&kakao.base_url(), &biller.base_url())
        .with(&format!(
            "[ledger.redis]\nurl = \"redis://127.0.0.1:{}/0\"",
            redis.port()
        ))
        .kakao("[kakao.tls]\nca = \"kakao-ca.pem\"\n");
    fs::write(setup.path().join("kakao-ca.pem"), certificate).unwrap();
    let gateway = setup.start();
    let prometheus = Prometheus::watching(gateway.ops());
    let traffic = Traffic::default()
        .with(gateway.public(), "B0001", &[NOTICE, PREPAY, PAY_RESULT])
        .with(gateway.public(), "B0001", &[LINK_CREATE, NOTICE]);

    let mut left = queries();
    assert!(left.len() > 50, "{} queries", left.len());
    until(|| {
        left.retain(|query| !shows(&prometheus.query(query["expr"].as_str().unwrap())));
        let names = left.iter().map(|query| &query["panel"]);
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("no data for {:?}", names.collect::<Vec<_>>()))
        }
    });
    drop(traffic);
}

/// Returns whether there is a value; NaN is none.
fn shows(samples: &[Value]) -> bool {
    let is_number = |sample: &Value| sample["value"][1] != "NaN";
    samples.iter().any(is_number)
}
