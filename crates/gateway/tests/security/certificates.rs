//! Pinned client certificates of a biller and of Kakao Pay.

use protocol::ResCode::E003;
use test_support::{AUTHORIZATION, Authority, Setup, Upstream, assert_own, link, notice};

use crate::listener::listen;
use crate::tls_client::TlsClient;

const CREATE: &str = "/external/inquiry-payment/one-time/url";

#[test]
fn a_pinned_party_is_admitted_with_its_own_certificate_only_and_the_others_need_none() {
    let authority = Authority::new();
    let biller = authority.client("biller");
    let next = authority.client("next");
    let other = authority.client("other");
    let kakao_pay = authority.client("kakao-pay");
    let upstream = Upstream::ok();
    let pins = format!(
        "client_certificates = [\"{}\", \"{}\"]\n",
        biller.sha256, next.sha256
    );
    let elsewhere = format!("allow_from = [\"192.0.2.0/24\"]\n{pins}");
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "optional"))
        .kakao(&format!(
            "client_certificates = [\"{}\"]\n",
            kakao_pay.sha256
        ))
        .biller("B0001", &upstream.url(), &pins)
        .biller("B0002", &upstream.url(), "")
        .biller("B0003", &upstream.url(), &elsewhere)
        .start();
    let create = |code: &str| format!("{CREATE}/{code}");
    let notice_path = |code: &str| format!("/kakao/notice/{code}");
    // path | certificate | refused with
    let table = [
        (create("B0001"), Some(&biller), None),
        (create("B0001"), Some(&next), None),
        (create("B0001"), Some(&other), Some(401)),
        (create("B0001"), Some(&kakao_pay), Some(401)),
        (create("B0001"), None, Some(401)),
        (create("B0002"), None, None),
        (create("B0002"), Some(&biller), None),
        (create("B0003"), Some(&biller), Some(403)),
        (create("B0003"), None, Some(403)),
        (notice_path("B0001"), Some(&kakao_pay), None),
        (notice_path("B0001"), Some(&biller), Some(401)),
        (notice_path("B0001"), None, Some(401)),
        (notice_path("B0002"), Some(&other), Some(401)),
        (notice_path("B0002"), Some(&kakao_pay), None),
        (notice_path("B9999"), Some(&biller), Some(401)),
        (notice_path("B9999"), Some(&kakao_pay), Some(404)),
    ];
    for (row, (path, certificate, refused)) in table.into_iter().enumerate() {
        let client = TlsClient::new(&authority, certificate);
        let mut caller = client.connect(gateway.public()).unwrap();
        let user_key = format!("u{row}");
        let is_link = path.starts_with(CREATE);
        let body = if is_link {
            link(&user_key)
        } else {
            notice(&user_key)
        };
        let calls = upstream.count();
        let authorization = [("Authorization", AUTHORIZATION)];
        let headers = if is_link { &authorization[..] } else { &[] };
        let reply = caller.post_with(&path, headers, body.to_string());
        match refused {
            None => assert_eq!(reply.status, 200, "row {row}: {}", reply.text()),
            Some(status) => assert_own(&reply, status, E003),
        }
        assert_eq!(
            upstream.count(),
            calls + usize::from(refused.is_none()),
            "row {row}"
        );
    }
    assert_eq!(
        gateway.metric("relay_rejected_total{reason=\"authorization\"}"),
        7
    );
    assert_eq!(
        gateway.metric("relay_rejected_total{reason=\"address\"}"),
        2
    );
}

#[test]
fn a_self_made_certificate_with_a_pinned_name_is_refused() {
    let (authority, forger) = (Authority::new(), Authority::new());
    let (genuine, counterfeit) = (authority.client("biller"), forger.client("biller"));
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "optional"))
        .biller(
            "B0001",
            &upstream.url(),
            &format!("client_certificates = [\"{}\"]\n", genuine.sha256),
        )
        .start();
    let client = TlsClient::new(&authority, Some(&counterfeit));
    let call = client.connect(gateway.public()).and_then(|mut caller| {
        let body = link("u").to_string();
        let headers = [("Authorization", AUTHORIZATION)];
        let path = format!("{CREATE}/B0001");
        caller.try_send(&test_support::request(
            "POST",
            &path,
            &headers,
            body.as_bytes(),
        ))?;
        caller.try_reply()
    });
    assert!(call.is_err(), "{call:?}");
    assert_eq!(upstream.count(), 0);
}
