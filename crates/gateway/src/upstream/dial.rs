//! Opening a connection: name, address, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::{ConnectFailure, ConnectStep};
use super::connection::UpstreamConnection;
use super::origin::{Security, Target};
use super::resolver::Resolver;
use super::socket::Socket;
use crate::tls::Wire;

/// How long one address of several may take before the next is tried; the last, or only, one has
/// what is left of the call's time.
const ADDRESS_TIME: Duration = Duration::from_millis(300);

/// The only protocol that may come of a handshake.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Opens connections to one origin.
pub(super) struct Dial {
    target: Arc<Target>,
    resolver: Resolver,
}

impl Dial {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            resolver: Resolver::default(),
        }
    }

    /// A new connection, ready for a request.
    pub(super) async fn open(&self) -> Result<UpstreamConnection, ConnectFailure> {
        let target = &self.target;
        let addresses = self
            .resolver
            .addresses(&target.host, target.port)
            .await
            .map_err(|error| unreached(ConnectStep::Resolve, &error))?;
        let tcp = connect(&addresses)
            .await
            .map_err(|error| unreached(ConnectStep::Connect, &error))?;
        let socket = match &target.security {
            Security::Clear => Socket::Clear(tcp),
            Security::Tls(config) => {
                let tls = handshake(&target.host, config, tcp).await;
                Socket::Tls(Box::new(
                    tls.map_err(|error| unreached(ConnectStep::Handshake, &error))?,
                ))
            }
            Security::Unconfigured => {
                let error = io::Error::other("no TLS is configured for an https origin");
                return Err(unreached(ConnectStep::Handshake, &error));
            }
        };
        Ok(UpstreamConnection::new(socket, Instant::now()))
    }
}

/// To the first address that answers, in their order.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let Some((last, before)) = addresses.split_last() else {
        return Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    };
    for address in before {
        if let Ok(Ok(tcp)) = timeout(ADDRESS_TIME, TcpStream::connect(address)).await {
            tcp.set_nodelay(true)?;
            return Ok(tcp);
        }
    }
    let tcp = TcpStream::connect(last).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

async fn handshake(
    host: &str,
    config: &Arc<ClientConfig>,
    tcp: TcpStream,
) -> io::Result<TlsStream<Wire>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let tls = TlsConnector::from(Arc::clone(config))
        .connect(name, Wire(tcp))
        .await?;
    match tls.get_ref().1.alpn_protocol() {
        None | Some(HTTP_1_1) => Ok(tls),
        Some(_) => Err(io::Error::other(
            "a protocol other than HTTP/1.1 was agreed on",
        )),
    }
}

fn unreached(step: ConnectStep, error: &io::Error) -> ConnectFailure {
    ConnectFailure {
        step,
        detail: error.to_string(),
    }
}
