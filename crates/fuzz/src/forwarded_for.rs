//! The fuzz target of `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use gateway::admission::address::{contains, source};
use ipnet::IpNet;

/// Checks the source address of a call; each line of the input is one `X-Forwarded-For` header. The headers of an
/// untrusted peer have no effect. In those of a trusted proxy, only the last untrusted address and the
/// addresses after it have an effect, however they are divided into headers.
pub fn forwarded_for(lines: &[u8]) {
    let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
        .map(|net| net.parse().expect("it is a network"))
        .into();
    let client: SocketAddr = "192.0.2.1:5000".parse().expect("it is an address");
    let proxy: SocketAddr = "10.0.0.1:5000".parse().expect("it is an address");
    let lists: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let Some(headers) = headers(&lists) else {
        return;
    };

    assert_eq!(source(client, &headers, &trusted), Ok(client.ip()));
    let found = source(proxy, &headers, &trusted).ok();
    assert_eq!(
        found,
        expected_source(&lists, &trusted, proxy.ip()),
        "gateway | expected"
    );

    let joined = lists.join(&b","[..]);
    let as_one = source(
        proxy,
        &self::headers(&[&joined]).expect("its parts are valid"),
        &trusted,
    )
    .ok();
    assert_eq!(found, as_one, "in many headers | in one");

    let is_untrusted = |address: &IpAddr| !contains(&trusted, *address);
    if let Some(address) = found.filter(is_untrusted) {
        assert_eq!(
            address,
            address.to_canonical(),
            "two spellings of one address"
        );
        for claim in ["198.51.100.7", "10.9.9.9", "\u{e9}", ",,"] {
            let claimed = [claim.as_bytes(), &joined].join(&b","[..]);
            let claimed = self::headers(&[&claimed]).expect("its parts are valid");
            let now = source(proxy, &claimed, &trusted).ok();
            assert_eq!(found, now, "a client changed its address with {claim:?}");
        }
    }
}

fn headers(lists: &[&[u8]]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for list in lists {
        let value = HeaderValue::from_bytes(list).ok()?;
        headers.append(HeaderName::from_static("x-forwarded-for"), value);
    }
    Some(headers)
}

/// Returns the first untrusted address of the last 32, from the right. Returns `None` if an address before it is
/// invalid, and the leftmost of the 32 if all are trusted.
fn expected_source(lists: &[&[u8]], trusted: &[IpNet], peer: IpAddr) -> Option<IpAddr> {
    let joined = lists.join(&b","[..]);
    let mut hops: Vec<&[u8]> = joined.split(|byte| *byte == b',').collect();
    hops.reverse();
    let mut nearest = peer;
    for hop in hops.into_iter().take(32) {
        let hop = std::str::from_utf8(hop.trim_ascii()).ok()?;
        let without_port = hop.parse::<SocketAddr>().map(|address| address.ip());
        let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
        let bare = || hop.parse::<IpAddr>().ok();
        let address: IpAddr = without_port.ok().or_else(bare).or_else(in_brackets)?;
        nearest = address.to_canonical();
        if !contains(trusted, nearest) {
            return Some(nearest);
        }
    }
    Some(nearest)
}
