//! What proxies, and callers before them, write into `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use gateway::admission::address::{contains, source};
use ipnet::IpNet;

/// Every line is one `X-Forwarded-For`. A stranger's are not read; of a trusted proxy's, only what stands
/// right of the first address that is none of ours counts, in however many headers it comes.
pub fn forwarded_for(lines: &[u8]) {
    let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
        .map(|net| net.parse().expect("it is a network"))
        .into();
    let stranger: SocketAddr = "192.0.2.1:5000".parse().expect("it is an address");
    let proxy: SocketAddr = "10.0.0.1:5000".parse().expect("it is an address");
    let lists: Vec<&[u8]> = lines.split(|octet| *octet == b'\n').collect();
    let Some(headers) = headers(&lists) else {
        return;
    };

    assert_eq!(source(stranger, &headers, &trusted), Some(stranger.ip()));
    let found = source(proxy, &headers, &trusted);
    assert_eq!(
        found,
        read_plainly(&lists, &trusted, proxy.ip()),
        "ours | plainly"
    );

    let joined = lists.join(&b","[..]);
    let as_one = source(
        proxy,
        &self::headers(&[&joined]).expect("its parts were taken"),
        &trusted,
    );
    assert_eq!(found, as_one, "in many headers | in one");

    let is_stranger = |address: &IpAddr| !contains(&trusted, *address);
    if let Some(address) = found.filter(is_stranger) {
        assert_eq!(
            address,
            address.to_canonical(),
            "two spellings of one address"
        );
        for claim in ["198.51.100.7", "10.9.9.9", "\u{e9}", ",,"] {
            let claimed = [claim.as_bytes(), &joined].join(&b","[..]);
            let claimed = self::headers(&[&claimed]).expect("its parts were taken");
            let now = source(proxy, &claimed, &trusted);
            assert_eq!(found, now, "a caller chose its address by {claim:?}");
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

/// The 32 hops nearest to us, from the right: the first that is not ours, none if one cannot be read, the
/// last if all of them are ours.
fn read_plainly(lists: &[&[u8]], trusted: &[IpNet], peer: IpAddr) -> Option<IpAddr> {
    let joined = lists.join(&b","[..]);
    let mut hops: Vec<&[u8]> = joined.split(|octet| *octet == b',').collect();
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
