//! `Authorization` with two valid values at once, so that a biller can rotate its own.

use protocol::ResCode::{E001, E003};
use sha2::{Digest, Sha256};
use test_support::{AUTHORIZATION, Setup, Upstream, assert_own, hex, link};

#[test]
fn an_old_and_a_new_credential_are_both_accepted_and_no_third() {
    let upstream = Upstream::ok();
    let (old, new) = ("KakaoAK old", "KakaoAK new");
    let digests = [old, new].map(|value| hex(&Sha256::digest(value)));
    let keys = format!(
        "authorization_sha256 = [\"{}\", \"{}\"]\n",
        digests[0], digests[1]
    );
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .biller("B0002", &upstream.url(), &keys)
        .start();
    let header = |value| vec![("Authorization", value)];
    // headers | refused with
    let table = [
        (header(old), None),
        (header(new), None),
        (header(AUTHORIZATION), Some((401, E003))), // that of another biller
        (header("KakaoAK old "), None),             // blanks around a value are no part of it
        (header("kakaoak old"), Some((401, E003))),
        (header("KakaoAK"), Some((401, E003))),
        (header(&digests[0]), Some((401, E003))),
        (
            vec![("Authorization", old), ("Authorization", new)],
            Some((401, E003)),
        ),
        (vec![("X-Authorization", old)], Some((401, E001))),
    ];
    for (row, (headers, refused)) in table.into_iter().enumerate() {
        let calls = upstream.count();
        let path = "/external/inquiry-payment/one-time/url/B0002";
        let body = link(&format!("u{row}")).to_string();
        let reply = gateway.caller().post_with(path, &headers, body);
        match refused {
            None => {
                assert_eq!(reply.status, 200, "row {row}: {}", reply.text());
                let relayed = upstream.calls().pop().unwrap();
                assert_eq!(relayed.header("authorization"), Some(headers[0].1.trim()));
            }
            Some((status, code)) => assert_own(&reply, status, code),
        }
        assert_eq!(
            upstream.count(),
            calls + usize::from(refused.is_none()),
            "row {row}"
        );
    }
}
