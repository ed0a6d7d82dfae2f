//! Handshakes with one upstream server: their failures, and the certificate that it shows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use metrics::{HandshakeFailures, HandshakeReason};
use rustls::{CertificateError, ClientConfig, Error};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::alert::Peer;
use super::certificate::not_after;
use super::failure::HandshakeFailure;
use super::{ALPN_HTTP_1_1, Wire};

/// The value for a certificate that was not seen yet.
const NOT_SEEN: i64 = i64::MIN;

/// The handshakes with one upstream server.
pub struct OutboundHandshakes {
    failures: Option<HandshakeFailures>,
    /// When the server's own certificate of the last handshake that showed one ends, in seconds since 1970.
    server_not_after: AtomicI64,
}

impl OutboundHandshakes {
    /// Starts without a handshake; failures are counted in `failures`.
    pub fn new(failures: Option<HandshakeFailures>) -> Self {
        Self {
            failures,
            server_not_after: AtomicI64::new(NOT_SEEN),
        }
    }

    /// When the certificate ends that the server showed last, in seconds since 1970; `None` before the first handshake.
    pub fn server_not_after(&self) -> Option<i64> {
        let seconds = self.server_not_after.load(Ordering::Relaxed);
        (seconds != NOT_SEEN).then_some(seconds)
    }

    /// Completes a handshake. A future that is dropped before its end, at a call's deadline, counts as a time-out.
    ///
    /// # Errors
    ///
    /// Why it failed.
    pub async fn connect(
        &self,
        host: &str,
        config: &Arc<ClientConfig>,
        tcp: TcpStream,
    ) -> Result<TlsStream<Wire>, HandshakeFailure> {
        let mut attempt = Attempt {
            handshakes: self,
            reason: Some(HandshakeReason::Timeout),
        };
        let connected = self.handshake(host, config, tcp).await;
        attempt.reason = connected.as_ref().err().map(|failure| failure.reason);
        connected
    }

    async fn handshake(
        &self,
        host: &str,
        config: &Arc<ClientConfig>,
        tcp: TcpStream,
    ) -> Result<TlsStream<Wire>, HandshakeFailure> {
        let other = |what: String| HandshakeFailure::new(HandshakeReason::Other, what);
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| other(error.to_string()))?;
        let connecting = TlsConnector::from(Arc::clone(config)).connect(name, Wire(tcp));
        let tls = connecting.await.map_err(|error| {
            let inner = error.get_ref();
            self.see_expired(inner.and_then(|inner| inner.downcast_ref::<Error>()));
            HandshakeFailure::of(&error, Peer::Server)
        })?;
        let (_, session) = tls.get_ref();
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        self.see(shown.and_then(|own| not_after(own)));
        match session.alpn_protocol() {
            None | Some(ALPN_HTTP_1_1) => Ok(tls),
            Some(_) => Err(other(
                "the handshake agreed on a protocol other than HTTP/1.1".to_owned(),
            )),
        }
    }

    fn see(&self, not_after: Option<i64>) {
        if let Some(seconds) = not_after {
            self.server_not_after.store(seconds, Ordering::Relaxed);
        }
    }

    fn see_expired(&self, error: Option<&Error>) {
        if let Some(Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after, ..
        })) = error
        {
            self.see(i64::try_from(not_after.as_secs()).ok());
        }
    }
}

impl fmt::Debug for OutboundHandshakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundHandshakes")
            .field("server_not_after", &self.server_not_after())
            .finish_non_exhaustive()
    }
}

/// Counts a handshake that failed when it is dropped.
struct Attempt<'a> {
    handshakes: &'a OutboundHandshakes,
    /// Why it failed; `None` if it did not.
    reason: Option<HandshakeReason>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let (Some(reason), Some(failures)) = (self.reason, &self.handshakes.failures) {
            failures.count(reason);
        }
    }
}
