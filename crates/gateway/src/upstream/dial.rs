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

use super::answer::{Step, Unreached};
use super::connection::Connection;
use super::names::Names;
use super::origin::{Security, Target};
use crate::tls::{Stream, Wire};

/// How long one address of several may take before the next is tried; the last, or only, one has
/// what is left of the call's time.
const ADDRESS_TIME: Duration = Duration::from_millis(300);

/// The only protocol that may come of a handshake.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Opens connections to one origin.
pub(super) struct Dial {
    target: Arc<Target>,
    names: Names,
}

impl Dial {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            names: Names::default(),
        }
    }

    /// A new connection, ready for a request.
    pub(super) async fn open(&self) -> Result<Connection, Unreached> {
        let target = &self.target;
        let addresses = self
            .names
            .addresses(&target.host, target.port)
            .await
            .map_err(|error| unreached(Step::Resolve, &error))?;
        let tcp = connect(&addresses)
            .await
            .map_err(|error| unreached(Step::Connect, &error))?;
        let stream = match &target.security {
            Security::Clear => Stream::Left(tcp),
            Security::Tls(config) => {
                let tls = handshake(&target.host, config, tcp).await;
                let tls = tls.map_err(|error| unreached(Step::Handshake, &error))?;
                Stream::Right(Box::new(tls.into()))
            }
            Security::Unconfigured => {
                let error = io::Error::other("no TLS is configured for an https origin");
                return Err(unreached(Step::Handshake, &error));
            }
        };
        Ok(Connection::new(stream, Instant::now()))
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

fn unreached(step: Step, error: &io::Error) -> Unreached {
    Unreached {
        step,
        detail: error.to_string(),
    }
}
