//! The layers of a connection, each with a line of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::config::HostPort;
use crate::tls::{ClientTls, Wire, inspect};

/// How long the connection to one of several addresses may take, as in a call.
const ADDRESS_TIMEOUT: Duration = Duration::from_millis(300);

/// The most addresses of a name that are tried and shown.
const ADDRESSES_MAX: usize = 16;

/// The layer at which a server that takes too long is.
const NAME: &str = "name";
const TCP: &str = "TCP";
const TLS: &str = "TLS";
const CERTIFICATE: &str = "certificate";

/// A layer that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerLine {
    pub(super) layer: &'static str,
    pub(super) is_fault: bool,
    pub(super) text: String,
}

/// A server that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempted {
    pub(super) label: String,
    pub(super) lines: Vec<LayerLine>,
}

/// The layers of one server that were tried so far. Each step returns `None` after a fault.
pub(super) struct Layers {
    label: String,
    lines: Vec<LayerLine>,
    under_way: &'static str,
}

impl Layers {
    pub(super) fn of(label: String) -> Self {
        Self {
            label,
            lines: Vec::new(),
            under_way: NAME,
        }
    }

    /// Ends the attempt. One that ran out of time has a fault at the layer that was under way.
    pub(super) fn finish(mut self, is_over: bool) -> Attempted {
        if is_over {
            self.fault::<()>(self.under_way, "no answer in time");
        }
        Attempted {
            label: self.label,
            lines: self.lines,
        }
    }

    pub(super) fn begin(&mut self, layer: &'static str) {
        self.under_way = layer;
    }

    pub(super) fn ok(&mut self, layer: &'static str, text: impl Into<String>) {
        self.lines.push(LayerLine {
            layer,
            is_fault: false,
            text: text.into(),
        });
    }

    pub(super) fn fault<T>(&mut self, layer: &'static str, text: impl Into<String>) -> Option<T> {
        self.lines.push(LayerLine {
            layer,
            is_fault: true,
            text: text.into(),
        });
        None
    }

    /// Looks the name up and opens a TCP connection.
    pub(super) async fn connect(&mut self, endpoint: &HostPort) -> Option<TcpStream> {
        self.begin(NAME);
        let (host, port) = (endpoint.host(), endpoint.port());
        let addresses: Vec<SocketAddr> = match lookup_host((host, port)).await {
            Ok(found) => found.take(ADDRESSES_MAX).collect(),
            Err(error) => return self.fault(NAME, format!("{host}: {error}")),
        };
        let listed: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
        if addresses.is_empty() {
            return self.fault(NAME, format!("{host} has no address"));
        }
        self.ok(NAME, format!("{host} is {}", listed.join(", ")));
        self.begin(TCP);
        let mut faults = Vec::new();
        for (at, address) in addresses.iter().enumerate() {
            let is_last = at + 1 == addresses.len();
            let connecting = TcpStream::connect(address);
            let connected = if is_last {
                connecting.await
            } else {
                let in_time = timeout(ADDRESS_TIMEOUT, connecting).await;
                in_time.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            };
            match connected {
                Ok(tcp) => {
                    self.ok(TCP, format!("connected to {address}"));
                    return Some(tcp);
                }
                Err(error) => faults.push(format!("{address}: {error}")),
            }
        }
        self.fault(TCP, faults.join("; "))
    }

    /// Loads the TLS files.
    pub(super) fn load(
        &mut self,
        load: impl FnOnce() -> Result<ClientTls, String>,
    ) -> Option<ClientTls> {
        match load() {
            Ok(tls) => Some(tls),
            Err(fault) => self.fault(TLS, fault),
        }
    }

    /// Completes the handshake and judges the server's certificate.
    pub(super) async fn handshake(
        &mut self,
        tls: &ClientTls,
        host: &str,
        tcp: TcpStream,
    ) -> Option<TlsStream<Wire>> {
        self.begin(TLS);
        match inspect(tls, host, tcp).await {
            Ok((stream, inspection)) => {
                self.ok(TLS, inspection.agreed);
                match inspection.certificate {
                    Ok(certificate) => {
                        self.ok(CERTIFICATE, certificate);
                        Some(stream)
                    }
                    Err(fault) => self.fault(CERTIFICATE, fault),
                }
            }
            Err(failure) => self.fault(TLS, failure.to_string()),
        }
    }
}
