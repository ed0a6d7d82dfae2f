//! Opens connections: look-up of the host, TCP, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::answer::{ConnectFailure, ConnectStep};
use super::connection::UpstreamConnection;
use super::origin::{Security, Target};
use super::resolver::Resolver;
use crate::tls::Stream;

/// How long the connection to one of several addresses may take before the next address is tried. Only the call's
/// deadline limits the last one.
const ADDRESS_TIMEOUT: Duration = Duration::from_millis(300);

/// Opens connections to one origin.
pub(super) struct Dialer {
    target: Arc<Target>,
    resolver: Resolver,
}

impl Dialer {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            resolver: Resolver::default(),
        }
    }

    /// The server that connections are opened to.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Opens a connection that is ready for a request.
    pub(super) async fn open(&self) -> Result<UpstreamConnection, ConnectFailure> {
        let target = &self.target;
        let addresses = self
            .resolver
            .addresses(&target.host, target.port)
            .await
            .map_err(|error| failure(ConnectStep::Resolve, &error))?;
        let begin = Instant::now();
        let tcp = connect(&addresses)
            .await
            .map_err(|error| failure(ConnectStep::Connect, &error))?;
        let round_trip = begin.elapsed();
        let stream = match &target.security {
            Security::Plain => Stream::Left(tcp),
            Security::Tls(config) => {
                let tls = target.handshakes.connect(&target.host, config, tcp).await;
                let tls = tls.map_err(|failure| ConnectFailure {
                    step: ConnectStep::Handshake,
                    detail: failure.to_string(),
                })?;
                Stream::Right(Box::new(tls.into()))
            }
            Security::Unconfigured => {
                let error = io::Error::other("TLS is not configured for an https origin");
                return Err(failure(ConnectStep::Handshake, &error));
            }
        };
        Ok(UpstreamConnection::new(stream, round_trip, Instant::now()))
    }
}

/// Connects to the first address that accepts, in their order.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let Some((last, before)) = addresses.split_last() else {
        return Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    };
    for address in before {
        if let Ok(Ok(tcp)) = timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            tcp.set_nodelay(true)?;
            return Ok(tcp);
        }
    }
    let tcp = TcpStream::connect(last).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

fn failure(step: ConnectStep, error: &io::Error) -> ConnectFailure {
    ConnectFailure {
        step,
        detail: error.to_string(),
    }
}
