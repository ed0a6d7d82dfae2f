//! Check 1: the source address, with `X-Forwarded-For` of trusted proxies (contract section 2).

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::reply::RefusedSource;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Most hops that are read of `X-Forwarded-For`.
const HOPS_BOUND: usize = 32;

/// Returns the source address of a call.
///
/// `X-Forwarded-For` is read only if the peer is a trusted proxy: from the right, past every trusted proxy,
/// to the first other address.
///
/// # Errors
/// [`RefusedSource::Malformed`] with the proxy's address if that list is malformed.
pub fn source(
    peer: SocketAddr,
    headers: &HeaderMap,
    trusted_proxies: &[IpNet],
) -> Result<IpAddr, RefusedSource> {
    let mut source = peer.ip().to_canonical();
    if !contains(trusted_proxies, source) {
        return Ok(source);
    }
    let lists: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
    let hops = lists
        .iter()
        .rev()
        .map(|list| list.as_bytes().rsplit(|byte| *byte == b','));
    for hop in hops.flatten().take(HOPS_BOUND) {
        source = address(hop.trim_ascii()).ok_or(RefusedSource::Malformed(source))?;
        if !contains(trusted_proxies, source) {
            break;
        }
    }
    Ok(source)
}

/// Returns whether an address is in a list of networks.
pub fn contains(list: &[IpNet], address: IpAddr) -> bool {
    list.iter().any(|net| net.contains(&address))
}

/// Parses a hop: an address, bare or with a port, IPv6 also in brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?;
    let bare = hop.parse::<IpAddr>().ok();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.or_else(bracketed)
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_the_first_address_that_is_no_trusted_proxy() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let table: [(&str, &[&str], Option<&str>); 15] = [
            ("192.0.2.1:5", &[], Some("192.0.2.1")),
            ("192.0.2.1:5", &["198.51.100.7"], Some("192.0.2.1")),
            ("10.0.0.1:5", &[], Some("10.0.0.1")),
            ("10.0.0.1:5", &["198.51.100.7"], Some("198.51.100.7")),
            (
                "10.0.0.1:5",
                &["203.0.113.9, 198.51.100.7"],
                Some("198.51.100.7"),
            ),
            (
                "10.0.0.1:5",
                &["198.51.100.7, 10.9.9.9"],
                Some("198.51.100.7"),
            ),
            (
                "10.0.0.1:5",
                &["203.0.113.9", "198.51.100.7, 10.9.9.9"],
                Some("198.51.100.7"),
            ),
            ("10.0.0.1:5", &["10.1.1.1,10.2.2.2"], Some("10.1.1.1")),
            ("10.0.0.1:5", &["198.51.100.7:443"], Some("198.51.100.7")),
            ("10.0.0.1:5", &["[2001:db8::1]:443"], Some("2001:db8::1")),
            ("10.0.0.1:5", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("10.0.0.1:5", &["::ffff:198.51.100.7"], Some("198.51.100.7")),
            (
                "[::ffff:10.0.0.1]:5",
                &["198.51.100.7"],
                Some("198.51.100.7"),
            ),
            ("10.0.0.1:5", &["unknown"], None),
            ("10.0.0.1:5", &["198.51.100.7,"], None),
        ];
        for (peer, lists, source_is) in table {
            let mut headers = HeaderMap::new();
            for list in lists {
                headers.append(X_FORWARDED_FOR, list.parse().unwrap());
            }
            let expected = source_is.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(
                source(peer.parse().unwrap(), &headers, &proxies).ok(),
                expected,
                "{peer} {lists:?}"
            );
        }
    }

    #[test]
    fn an_empty_list_admits_nobody() {
        assert!(!contains(&[], "127.0.0.1".parse().unwrap()));
    }
}
