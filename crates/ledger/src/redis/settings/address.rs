//! A [`ServerAddress`] is where a server listens.

use std::fmt;

/// A `ServerAddress` is a host name or IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerAddress {
    /// A host name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl ServerAddress {
    /// Returns the address of a host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads `host:port` as a Redis writes it, an IPv6 address without brackets. An empty host, or
    /// `?`, is the host of the server that wrote it: it does not know its own name.
    pub(crate) fn parse(text: &str, source: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(Self::reported(host, port, source))
    }

    /// Returns the address that another server named.
    pub(crate) fn reported(host: &str, port: u16, source: &Self) -> Self {
        if matches!(host, "" | "?") {
            Self::new(source.host.clone(), port)
        } else {
            Self::new(host, port)
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_server_writes_it() {
        let source = ServerAddress::new("10.0.0.9", 7000);
        for (text, expected) in [
            ("10.0.0.1:7001", Some(ServerAddress::new("10.0.0.1", 7001))),
            (
                "redis-2.internal:7001",
                Some(ServerAddress::new("redis-2.internal", 7001)),
            ),
            ("fd00::1:7001", Some(ServerAddress::new("fd00::1", 7001))),
            (":7001", Some(ServerAddress::new("10.0.0.9", 7001))),
            ("?:7001", Some(ServerAddress::new("10.0.0.9", 7001))),
            ("10.0.0.1:0", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(ServerAddress::parse(text, &source), expected, "{text}");
        }
    }
}
