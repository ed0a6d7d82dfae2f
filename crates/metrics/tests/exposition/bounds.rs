//! Nobody makes more series than the configuration asks for.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use metrics::{
    AnsweredCall, BillerStatus, CertificateExpiry, CertificateUse, GatewayStatus, Metrics,
    RedisStatus, ResCodeLabel, StageTimes,
};
use protocol::{AnswerCode, Api, BillerCode, LabelCode, ResCode};

use crate::page::Page;

fn answered(res_code: ResCodeLabel, status: u16) -> AnsweredCall {
    AnsweredCall {
        api: Some(Api::PayResult),
        res_code,
        status,
        total: Duration::from_millis(1),
        upstream: None,
        stages: StageTimes::default(),
    }
}

#[test]
fn ten_thousand_unknown_billers_make_no_series() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let refused = answered(ResCodeLabel::from(ResCode::E003), 404);
    metrics.answered(&metrics.unknown_biller(), &refused);
    let before = Page::read(&metrics.encode(&GatewayStatus::default()));
    for stranger in 0..10_000 {
        metrics.set_circuit_state(&format!("stranger-{stranger}"), 2);
        metrics.answered(&metrics.unknown_biller(), &refused);
    }
    let after = Page::read(&metrics.encode(&GatewayStatus::default()));
    assert!(after.samples.keys().eq(before.samples.keys()));
    let series =
        r#"relay_requests_total{api="pay_result",biller="unknown",res_code="E003",status="404"}"#;
    assert_eq!(after.value(series), 10_001.0);
}

#[test]
fn a_thousand_billers_that_call_everything_make_a_bounded_number_of_series() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let without_billers = Page::read(&metrics.encode(&GatewayStatus::default()))
        .samples
        .len();
    let mut name = String::new();
    let mut codes = Vec::new();
    for number in 0..1_000 {
        name.clear();
        write!(name, "B{number:04}").unwrap();
        let code = BillerCode::parse(&name).unwrap();
        let biller = metrics.biller(code);
        for api in Api::ALL {
            biller.upstream_answered(api, Duration::from_millis(1));
            for (res_code, status) in [(ResCode::Ok, 200), (ResCode::E806, 504)] {
                let answered = AnsweredCall {
                    api: Some(api),
                    ..answered(ResCodeLabel::from(res_code), status)
                };
                metrics.answered(&biller, &answered);
            }
        }
        codes.push(code);
    }
    let billers = codes.iter().map(|code| BillerStatus {
        code: *code,
        name: code.as_str(),
        is_suspended: false,
        answer_bytes: 0,
    });
    let status = GatewayStatus {
        billers: billers.collect(),
        ..GatewayStatus::default()
    };
    let began = Instant::now();
    let text = metrics.encode(&status);
    let took = began.elapsed();
    let series = Page::read(&text).samples.len();
    // 23 per API: two answers, the budget, and a histogram of 17 edges; and eleven of the biller.
    assert!(
        series <= without_billers + 1_000 * (23 * 5 + 11),
        "{series}"
    );
    // Seen by whoever runs this with `--nocapture`.
    let report = format!("{series} series, {} bytes, made in {took:?}\n", text.len());
    std::io::stderr().write_all(report.as_bytes()).unwrap();
}

#[test]
fn conflicts_of_other_nodes_make_no_series_of_a_biller_that_is_not_registered() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let [here, elsewhere] = ["B0001", "B0002"].map(|code| BillerCode::parse(code).unwrap());
    metrics.biller(here);
    metrics.double_payment_of(here);
    metrics.double_payment_of(elsewhere);
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    for biller in ["B0001", "unknown"] {
        let series = format!(r#"relay_double_payments_total{{biller="{biller}"}}"#);
        assert_eq!(page.value(&series), 1.0, "{biller}");
    }
    assert!(!page.samples.keys().any(|series| series.contains("B0002")));
}

#[test]
fn no_name_of_a_biller_ends_its_label_or_its_line() {
    let metrics = Metrics::new(Duration::from_secs(3));
    // name | as it is to be written
    for (name, written) in [
        (r#"a "b" c"#, r#"a \"b\" c"#),
        (r"a\b\", r"a\\b\\"),
        ("a\nrelay_ready 0\n", r"a\nrelay_ready 0\n"),
        (r#"",biller="B0002"} 1"#, r#"\",biller=\"B0002\"} 1"#),
        ("<script>&amp;", "<script>&amp;"),
        ("관리비 🧾", "관리비 🧾"),
    ] {
        let status = GatewayStatus {
            billers: vec![BillerStatus {
                code: BillerCode::parse("B0001").unwrap(),
                name,
                is_suspended: false,
                answer_bytes: 0,
            }],
            ..GatewayStatus::default()
        };
        let text = metrics.encode(&status);
        let line = format!(r#"relay_biller_info{{biller="B0001",name="{written}"}} 1"#);
        let of_the_biller: Vec<_> = text.lines().filter(|line| line.contains("B000")).collect();
        assert!(of_the_biller.contains(&line.as_str()), "{of_the_biller:#?}");
        assert_eq!(of_the_biller.len(), 3, "{of_the_biller:#?}");
    }
}

#[test]
fn an_upstream_that_answers_every_code_and_status_makes_a_bounded_number_of_series() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let biller = metrics.biller(BillerCode::parse("B0001").unwrap());
    let mut answers = 0.0;
    for code in 0..1_000 {
        for status in [200, 201, 299, 404, 418, 503, 599, 600, 999] {
            let label = AnswerCode::Other(LabelCode::new(&format!("E{code:03}")));
            metrics.answered(&biller, &answered(ResCodeLabel::from(label), status));
            answers += 1.0;
        }
    }
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    let of_the_biller = r#"relay_requests_total{api="pay_result",biller="B0001""#;
    assert_eq!(
        page.sum(of_the_biller),
        answers,
        "every answer is counted somewhere"
    );
    // 64 pairs, what the guide's 21 codes make of 200, 404 and 503, OK/200, and other/other.
    assert!(
        page.count(of_the_biller) <= 64 + 21 * 3 + 2,
        "{}",
        page.count(of_the_biller)
    );
    assert!(
        page.value(&format!(
            r#"{of_the_biller},res_code="other",status="other"}}"#
        )) > 8_000.0
    );
}

#[test]
fn what_the_gateway_itself_answers_is_never_crowded_out() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let biller = metrics.biller(BillerCode::parse("B0001").unwrap());
    for status in 100..600 {
        metrics.answered(&biller, &answered(ResCodeLabel::OTHER, status));
    }
    metrics.answered(&biller, &answered(ResCodeLabel::from(ResCode::E806), 504));
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    let series =
        r#"relay_requests_total{api="pay_result",biller="B0001",res_code="E806",status="504"}"#;
    assert_eq!(page.value(series), 1.0);
}

#[test]
fn the_series_of_a_biller_go_with_it_and_late_calls_do_not_bring_them_back() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let code = BillerCode::parse("B0001").unwrap();
    let series = metrics.biller(code);
    let in_flight = series.enter();
    series.upstream_answered(Api::PayResult, Duration::from_millis(1));
    metrics.remove_biller(code);
    metrics.answered(&series, &answered(ResCodeLabel::from(ResCode::E809), 502));
    metrics.set_circuit_state("B0001", 2);
    drop(in_flight);
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    assert!(!page.samples.keys().any(|series| series.contains("B0001")));
}

#[test]
fn a_biller_that_is_registered_again_continues_its_counts() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let code = BillerCode::parse("B0001").unwrap();
    metrics.biller(code).double_payment();
    metrics.biller(code).double_payment();
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    assert_eq!(
        page.value(r#"relay_double_payments_total{biller="B0001"}"#),
        2.0
    );
}

#[test]
fn of_many_nodes_the_64_with_the_greatest_lag_have_one_series_each_and_one_that_is_gone_has_none() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let page = |lag: Vec<(u32, Duration)>| {
        let status = GatewayStatus {
            redis: RedisStatus {
                replication_lag: lag,
                ..RedisStatus::default()
            },
            ..GatewayStatus::default()
        };
        Page::read(&metrics.encode(&status))
    };
    let many = page(
        (1..=1_000)
            .map(|node| (node, Duration::from_secs(node.into())))
            .collect(),
    );
    assert_eq!(many.count("relay_replication_lag_seconds"), 64);
    for node in [937, 1_000] {
        let series = format!(r#"relay_replication_lag_seconds{{node="{node}"}}"#);
        assert_eq!(many.value(&series), f64::from(node));
    }
    let two = page(vec![
        (1, Duration::from_secs(9)),
        (2, Duration::ZERO),
        (1, Duration::ZERO),
    ]);
    assert_eq!(two.count("relay_replication_lag_seconds"), 2);
    assert_eq!(two.value(r#"relay_replication_lag_seconds{node="1"}"#), 9.0);
    assert_eq!(page(Vec::new()).count("relay_replication_lag_seconds"), 0);
}

#[test]
fn a_biller_with_one_of_our_words_for_a_code_makes_no_certificates_series_twice() {
    let metrics = Metrics::new(Duration::from_secs(3));
    let ends = |not_after| CertificateExpiry {
        party: "public",
        usage: CertificateUse::Server,
        not_after,
    };
    let status = GatewayStatus {
        certificates: vec![ends(2_000_000_000), ends(1_900_000_000)],
        ..GatewayStatus::default()
    };
    let page = Page::read(&metrics.encode(&status));
    assert_eq!(
        page.value(r#"relay_certificate_expiry_timestamp_seconds{party="public",use="server"}"#),
        1_900_000_000.0
    );
}

#[test]
fn billers_whose_codes_are_labels_of_ours_make_no_series_twice() {
    let metrics = Metrics::new(Duration::from_secs(3));
    for code in ["kakao", "unknown"] {
        metrics
            .biller(BillerCode::parse(code).unwrap())
            .double_payment();
        metrics.set_circuit_state(code, 1);
    }
    // Reading refuses a series that is there twice.
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    assert_eq!(
        page.value(r#"relay_double_payments_total{biller="unknown"}"#),
        1.0
    );
    assert_eq!(page.count("relay_circuit_state"), 1);
}
