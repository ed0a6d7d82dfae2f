//! The host and the port of a URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use url::{Host, ParseError, Url};

const NO_HOST: &str = "names no host";
const HOST: &str =
    "names no valid host (a name in ASCII, an IPv4 address or an IPv6 address in `[]`)";
const PORT: &str = "must have a port from 1 to 65535";

/// Where to connect: a host name in small letters or an IP address, and a port that is not 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// Parses `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. An error does not repeat the text, which may
    /// be a part of a password.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, &'static str> {
        // `url` removes white space.
        if text.contains(|character| character <= ' ') {
            return Err(HOST);
        }
        // Under a scheme that it does not know, `url` keeps a host as it is written: no IDNA, no `127.1`.
        let url = Url::parse(&format!("endpoint://{text}")).map_err(|fault| match fault {
            ParseError::EmptyHost => NO_HOST,
            ParseError::InvalidPort => PORT,
            ParseError::InvalidIpv6Address => match text.split_once(']') {
                None => "has a `[` without its `]`",
                Some((_, port)) if port.is_empty() || port.starts_with(':') => {
                    "has no IPv6 address in `[]`"
                }
                Some(_) => PORT,
            },
            _ => HOST,
        })?;
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => host_name(url.host_str().unwrap_or_default())?,
        };
        // For `url`, a port may be empty, and a path begins at a `\`.
        let port = url.port().unwrap_or(default_port);
        if port == 0 || text.ends_with(':') || !url.path().is_empty() {
            return Err(PORT);
        }
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

    /// Whether the host is `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host == "localhost",
        }
    }

    /// The host as a URL spells it: an IPv6 address in brackets.
    pub(in crate::config) fn bracketed(&self) -> String {
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

/// Checks what `url` lets pass: the characters and lengths of labels, and names that end in a number.
fn host_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err(NO_HOST);
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
        return Err(HOST);
    }
    // Programs differ in whether a name that ends in a number is an IPv4 address.
    let last = labels.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return Err("names an invalid IPv4 address");
    }
    Ok(text.to_ascii_lowercase())
}
