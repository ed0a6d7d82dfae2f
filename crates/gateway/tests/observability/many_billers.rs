//! The series of a thousand billers and the time of their scrape. Unknown billers have no series.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use simulator::{Biller, BillerOptions};
use test_support::{Setup, notice};

use crate::page::Page;

const BILLERS: usize = 1_000;

/// The number of series of a biller of which one API is called.
const SERIES_PER_BILLER: usize = 50;

/// The number of series without any biller.
const SERIES_OF_THE_GATEWAY: usize = 700;

#[test]
fn a_thousand_billers_have_a_bounded_number_of_series_and_unknown_ones_none() {
    // Idle connections are closed soon, so that not a thousand pools stay open.
    let options = BillerOptions {
        idle_timeout: Duration::from_millis(300),
        ..BillerOptions::default()
    };
    let upstream = Biller::start(options).unwrap();
    let codes: Vec<String> = (0..BILLERS).map(|at| format!("B{at:04}")).collect();
    let setup = Setup::new("http://127.0.0.1:1", &upstream.base_url());
    let gateway = codes
        .iter()
        .fold(setup, |setup, code| {
            setup.biller(code, &upstream.base_url(), "")
        })
        .start();
    let mut caller = gateway.caller();
    for code in &codes {
        let reply = caller.post(&format!("/kakao/notice/{code}"), notice("u").to_string());
        assert_eq!(reply.status, 200);
    }

    let began = Instant::now();
    let text = gateway.get_ops("/metrics").text();
    let took = began.elapsed();
    let before = names(&text);
    let per_biller = SERIES_PER_BILLER * BILLERS + SERIES_OF_THE_GATEWAY;
    assert!(before.len() <= per_biller, "{} series", before.len());
    // Printed with `--no-capture`.
    let summary = format!(
        "{BILLERS} billers: {} series, {} bytes, scraped in {took:?}",
        before.len(),
        text.len()
    );
    assert!(took < Duration::from_secs(10), "{summary}");
    std::io::Write::write_all(&mut std::io::stderr(), format!("{summary}\n").as_bytes()).unwrap();

    for stranger in 0..500 {
        caller.post(&format!("/kakao/notice/stranger-{stranger}"), "{}");
        let link = format!("/external/inquiry-payment/one-time/url/stranger-{stranger}");
        caller.post(&link, "{}");
    }
    let after = names(&gateway.get_ops("/metrics").text());
    let new: BTreeSet<_> = after.difference(&before).collect();
    assert!(
        new.iter()
            .all(|series| series.contains(r#"biller="unknown""#))
            && new.len() <= 2,
        "{new:?}"
    );
}

fn names(text: &str) -> BTreeSet<String> {
    Page::read(text).0.into_keys().collect()
}
