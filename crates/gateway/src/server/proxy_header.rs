//! The PROXY header, version 1 or 2, with which a proxy names the client of a connection.
//!
//! The header is read in full before anything else of the connection, and not one byte beyond it. Its extensions
//! (TLVs) are not used.

use std::io;
use std::net::SocketAddr;

use ppp::{v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The first bytes tell the versions apart: no header is shorter.
const START_BYTES: usize = v2::PROTOCOL_PREFIX.len();
/// The fixed part of version 2, which ends with the length of the rest.
const FIXED_BYTES: usize = 16;
/// Longest header of version 1, with its line end.
const LINE_MAX_BYTES: usize = 107;
/// Longest header of version 2. Proxies send some hundred bytes, with their extensions.
const HEADER_MAX_BYTES: usize = 4096;

/// What is wrong with the first bytes of a proxy's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// The proxy closed or reset the connection.
    Closed,
    /// The bytes are no PROXY header.
    NoHeader,
    /// The header is longer than its bound.
    TooLong,
    /// The header is malformed.
    Malformed,
}

impl HeaderFault {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Closed => "closed before its PROXY header was complete",
            Self::NoHeader => "no PROXY header",
            Self::TooLong => "PROXY header too long",
            Self::Malformed => "malformed PROXY header",
        }
    }
}

impl From<io::Error> for HeaderFault {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// Reads the header and returns the client's address; `None` where the proxy names none: for a connection of its own
/// (`LOCAL`, a health check), or a client without an IP address (`UNKNOWN`).
pub(super) async fn read(socket: &mut TcpStream) -> Result<Option<SocketAddr>, HeaderFault> {
    let mut bytes = [0; HEADER_MAX_BYTES];
    socket.read_exact(&mut bytes[..START_BYTES]).await?;
    if bytes[..START_BYTES] == *v2::PROTOCOL_PREFIX {
        socket
            .read_exact(&mut bytes[START_BYTES..FIXED_BYTES])
            .await?;
        let rest = u16::from_be_bytes([bytes[FIXED_BYTES - 2], bytes[FIXED_BYTES - 1]]);
        let end = FIXED_BYTES + usize::from(rest);
        let rest = bytes
            .get_mut(FIXED_BYTES..end)
            .ok_or(HeaderFault::TooLong)?;
        socket.read_exact(rest).await?;
        client_of_binary(&bytes[..end])
    } else if bytes.starts_with(b"PROXY ") {
        let end = read_line(socket, &mut bytes[..LINE_MAX_BYTES]).await?;
        client_of_line(&bytes[..end])
    } else {
        Err(HeaderFault::NoHeader)
    }
}

/// Reads the rest of a line of which [`START_BYTES`] were read; returns its length.
async fn read_line(socket: &mut TcpStream, line: &mut [u8]) -> Result<usize, HeaderFault> {
    let mut read = START_BYTES;
    while read < line.len() {
        // Looked at first: the bytes behind the line belong to the connection.
        let seen = socket.peek(&mut line[read..]).await?;
        if seen == 0 {
            return Err(HeaderFault::Closed);
        }
        let line_feed = memchr::memchr(b'\n', &line[read..read + seen]);
        let taken = line_feed.map_or(seen, |at| at + 1);
        socket.read_exact(&mut line[read..read + taken]).await?;
        read += taken;
        if line_feed.is_some() {
            return Ok(read);
        }
    }
    Err(HeaderFault::TooLong)
}

fn client_of_line(line: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
    let header = v1::Header::try_from(line).map_err(|_| HeaderFault::Malformed)?;
    if header.header.len() != line.len() {
        return Err(HeaderFault::Malformed);
    }
    Ok(match header.addresses {
        v1::Addresses::Tcp4(client) => Some((client.source_address, client.source_port).into()),
        v1::Addresses::Tcp6(client) => Some((client.source_address, client.source_port).into()),
        v1::Addresses::Unknown => None,
    })
}

fn client_of_binary(bytes: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
    let header = v2::Header::try_from(bytes).map_err(|_| HeaderFault::Malformed)?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    Ok(match header.addresses {
        v2::Addresses::IPv4(client) => Some((client.source_address, client.source_port).into()),
        v2::Addresses::IPv6(client) => Some((client.source_address, client.source_port).into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// Returns a header of version 2 with these bytes behind its signature.
    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &[command, family], &length, rest].concat()
    }

    #[test]
    fn a_line_names_a_client_or_none_or_is_malformed() {
        let table = [
            (
                "TCP4 192.0.2.1 10.0.0.1 4711 443",
                Ok(Some("192.0.2.1:4711")),
            ),
            ("TCP4 192.0.2.1 10.0.0.1 0 65535", Ok(Some("192.0.2.1:0"))),
            (
                "TCP6 2001:db8::1 ::1 4711 443",
                Ok(Some("[2001:db8::1]:4711")),
            ),
            (
                "TCP6 ::ffff:192.0.2.1 ::1 1 2",
                Ok(Some("[::ffff:192.0.2.1]:1")),
            ),
            ("UNKNOWN", Ok(None)),
            ("UNKNOWN 192.0.2.1 10.0.0.1 4711 443", Ok(None)),
            ("TCP4 2001:db8::1 ::1 4711 443", Err(HeaderFault::Malformed)),
            (
                "TCP6 192.0.2.1 10.0.0.1 4711 443",
                Err(HeaderFault::Malformed),
            ),
            ("TCP4 192.0.2.1 10.0.0.1 4711", Err(HeaderFault::Malformed)),
            (
                "TCP4 192.0.2.1 10.0.0.1 4711 443 1",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4  192.0.2.1 10.0.0.1 4711 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4 192.0.2.001 10.0.0.1 4711 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4 192.0.2.1 10.0.0.1 04711 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4 192.0.2.1 10.0.0.1 65536 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4 192.0.2.1 10.0.0.1 -1 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "TCP4 192.0.2.1 10.0.0.1 4711 443\r",
                Err(HeaderFault::Malformed),
            ),
            (
                "tcp4 192.0.2.1 10.0.0.1 4711 443",
                Err(HeaderFault::Malformed),
            ),
            (
                "UDP4 192.0.2.1 10.0.0.1 4711 443",
                Err(HeaderFault::Malformed),
            ),
            ("", Err(HeaderFault::Malformed)),
        ];
        for (text, client) in table {
            let client = client.map(|client| client.map(|client| client.parse().unwrap()));
            let line = format!("PROXY {text}\r\n");
            assert_eq!(client_of_line(line.as_bytes()), client, "{text}");
        }
        let bare = b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\n";
        assert_eq!(client_of_line(bare), Err(HeaderFault::Malformed));
    }

    #[test]
    fn a_binary_header_names_a_client_or_none_or_is_malformed() {
        let four = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
        let six = [[0x20; 16], [0; 16]].concat();
        let six = [&six[..], &[0x12, 0x67, 1, 187]].concat();
        let unix = [0; 216];
        let extended = [&four[..], &[4, 0, 3, 1, 2, 3]].concat();
        let broken = [&four[..], &[4, 0xff, 0xff, 1]].concat();
        let named = Ok(Some("192.0.2.1:4711"));
        // command | family and transport | rest | client
        let table: [(u8, u8, &[u8], _); 15] = [
            (0x21, 0x11, &four, named),
            (0x21, 0x12, &four, named),
            (0x21, 0x11, &extended, named),
            // The length bounds the header, whatever an extension says of itself.
            (0x21, 0x11, &broken, named),
            (
                0x21,
                0x21,
                &six,
                Ok(Some("[2020:2020:2020:2020:2020:2020:2020:2020]:4711")),
            ),
            (0x21, 0x31, &unix, Ok(None)),
            (0x21, 0x00, &[], Ok(None)),
            (0x20, 0x00, &[], Ok(None)),
            (0x20, 0x11, &four, Ok(None)),
            (0x21, 0x11, &four[..11], Err(HeaderFault::Malformed)),
            (0x21, 0x21, &four, Err(HeaderFault::Malformed)),
            (0x22, 0x11, &four, Err(HeaderFault::Malformed)),
            (0x11, 0x11, &four, Err(HeaderFault::Malformed)),
            (0x21, 0x41, &four, Err(HeaderFault::Malformed)),
            (0x21, 0x13, &four, Err(HeaderFault::Malformed)),
        ];
        for (row, (command, family, rest, client)) in table.into_iter().enumerate() {
            let client = client.map(|client| client.map(|client| client.parse().unwrap()));
            let header = binary(command, family, rest);
            assert_eq!(client_of_binary(&header), client, "row {row}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(
            line in "PROXY (TCP4|TCP6|UNKNOWN)?[ 0-9a-f:.\r\n\u{0}é]{0,100}",
            command: u8, family: u8, rest: Vec<u8>,
        ) {
            let _either = client_of_line(line.as_bytes());
            let _either = client_of_binary(&binary(command, family, &rest));
        }
    }
}
