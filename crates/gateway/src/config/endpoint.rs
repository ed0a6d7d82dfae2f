//! A host and a port, as a URL names them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where to connect to: a host name in small letters, or an IP address; and a port that is not 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. The error never repeats the text, which may
    /// be a part of a password.
    pub(super) fn parse(text: &str, default_port: u16) -> Result<Self, &'static str> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, after) = rest.split_once(']').ok_or("has a `[` without its `]`")?;
            let address: Ipv6Addr = host.parse().map_err(|_| "has no IPv6 address in `[]`")?;
            (address.to_string(), after)
        } else {
            let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host_name(host)?, after)
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("must have a port from 1 to 65535")?,
            _ => return Err("must have a port from 1 to 65535"),
        };
        Ok(Self { host, port })
    }

    /// The host name, or the address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host == "localhost",
        }
    }

    /// The host as it stands in a URL: an IPv6 address in brackets.
    pub(super) fn bracketed(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed(), self.port)
    }
}

fn host_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("names no host");
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if labels.len() > 253 || !labels.split('.').all(is_label) {
        return Err(
            "names no valid host (a name in ASCII, an IPv4 address or an IPv6 address in `[]`)",
        );
    }
    // A name that ends in a number is an IPv4 address to some readers and not to others.
    let last = labels.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return Err("names an IPv4 address that is none");
    }
    Ok(text.to_ascii_lowercase())
}
