//! The form of a request target (RFC 9112 section 3.2).

use std::net::Ipv6Addr;

use memchr::memchr;

use super::byte_class::are_target;

/// Whether a target is a path with an optional query, or an absolute URL, which is served by its path.
pub(super) fn is_target(target: &[u8]) -> bool {
    if target.first() == Some(&b'/') {
        return are_target(target);
    }
    let after = |scheme: &[u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let Some(rest) = after(b"http://").or_else(|| after(b"https://")) else {
        return false;
    };
    let end = rest.iter().position(|byte| b"/?".contains(byte));
    let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
    is_authority(authority) && are_target(path)
}

/// Whether these bytes are a host, by name or address, with an optional port. User information is refused
/// (RFC 9110 section 4.2.4).
fn is_authority(authority: &[u8]) -> bool {
    let is_port = |rest: &[u8]| match rest {
        [] => true,
        [b':', digits @ ..] => {
            (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    if let [b'[', rest @ ..] = authority {
        let Some(end) = memchr(b']', rest) else {
            return false;
        };
        let address = std::str::from_utf8(&rest[..end]).ok();
        let address = address.and_then(|address| address.parse::<Ipv6Addr>().ok());
        return address.is_some() && is_port(&rest[end + 1..]);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let end = authority.iter().position(|byte| !is_name(byte));
    let (name, rest) = authority.split_at(end.unwrap_or(authority.len()));
    !name.is_empty() && is_port(rest)
}
