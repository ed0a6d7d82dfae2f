//! Opening a connection: name, address, TLS.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Uri;
use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection as Connected};
use futures_core::future::LocalBoxFuture;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::{Step, Unreached};
use super::connection::{Connection, UpstreamStream};
use super::names::Names;
use super::opened::Opened;
use super::party::{Security, Target};
use super::socket::Socket;
use super::trace::CallTrace;

/// How long one address of several may take before the next is tried; the last, or only, one has
/// what is left of the call's time.
const ADDRESS_TIME: Duration = Duration::from_millis(300);

/// The only protocol that may come of a handshake.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Opens connections to one party, whatever address the HTTP client names.
#[derive(Clone)]
pub(super) struct Dial {
    target: Arc<Target>,
    names: Rc<Names>,
    opened: Rc<Opened>,
}

impl Dial {
    /// Lists what it opens in `opened`.
    pub(super) fn new(target: Arc<Target>, opened: Rc<Opened>) -> Self {
        Self {
            target,
            names: Rc::default(),
            opened,
        }
    }

    async fn open(&self) -> Result<UpstreamStream, Unreached> {
        let target = &self.target;
        let addresses = self
            .names
            .addresses(&target.host, target.port)
            .await
            .map_err(|error| unreached(Step::Resolve, &error))?;
        let tcp = connect(&addresses)
            .await
            .map_err(|error| unreached(Step::Connect, &error))?;
        let socket = match &target.security {
            Security::Clear => Socket::Clear(tcp),
            Security::Tls(config) => {
                let tls = handshake(&target.host, config, tcp).await;
                Socket::Tls(Box::new(
                    tls.map_err(|error| unreached(Step::Handshake, &error))?,
                ))
            }
            Security::Unconfigured => {
                let error = io::Error::other("no TLS is configured for an https party");
                return Err(unreached(Step::Handshake, &error));
            }
        };
        let stream = Connection::open(socket);
        self.opened.add(stream.connection());
        Ok(stream)
    }
}

impl Service<ConnectInfo<Uri>> for Dial {
    type Response = Connected<Uri, UpstreamStream>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_service::always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move {
            let call = CallTrace::current();
            if let Some(call) = &call {
                call.dials();
            }
            let opened = dial.open().await;
            if let Some(call) = &call {
                call.dialled();
            }
            opened
                .map(|stream| Connected::new(info.request().clone(), stream))
                .map_err(|unreached| {
                    if let Some(call) = call {
                        call.not_connected(unreached);
                    }
                    ConnectError::Unresolved
                })
        })
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
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let tls = TlsConnector::from(Arc::clone(config))
        .connect(name, tcp)
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
