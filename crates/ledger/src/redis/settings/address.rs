//! Where a server listens.

use std::fmt;

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// A host name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Node {
    /// A node by its host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads `host:port` as a Redis writes it, an IPv6 address without brackets. An empty host, or
    /// `?`, is the host of the server that wrote it: it does not know its own name.
    pub(crate) fn parse(text: &str, told_by: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(Self::told(host, port, told_by))
    }

    /// A node that another one named.
    pub(crate) fn told(host: &str, port: u16, told_by: &Self) -> Self {
        if matches!(host, "" | "?") {
            Self::new(told_by.host.clone(), port)
        } else {
            Self::new(host, port)
        }
    }
}

impl fmt::Display for Node {
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
        let told_by = Node::new("10.0.0.9", 7000);
        for (text, expected) in [
            ("10.0.0.1:7001", Some(Node::new("10.0.0.1", 7001))),
            (
                "redis-2.internal:7001",
                Some(Node::new("redis-2.internal", 7001)),
            ),
            ("fd00::1:7001", Some(Node::new("fd00::1", 7001))),
            (":7001", Some(Node::new("10.0.0.9", 7001))),
            ("?:7001", Some(Node::new("10.0.0.9", 7001))),
            ("10.0.0.1:0", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(Node::parse(text, &told_by), expected, "{text}");
        }
    }
}
