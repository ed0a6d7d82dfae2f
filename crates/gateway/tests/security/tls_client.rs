//! Clients with TLS or with a chosen source address.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use socket2::{Domain, Socket, Type};
use test_support::certificates::read_certificates;
use test_support::{Authority, Caller, Certificate};

const PATIENCE: Duration = Duration::from_secs(30);

pub type TlsCaller = Caller<StreamOwned<ClientConnection, TcpStream>>;

/// A TLS client of any party.
pub struct TlsClient<'a> {
    /// The authority whose server certificates it accepts.
    pub trusts: &'a Authority,
    /// The client certificate that it sends on request.
    pub certificate: Option<&'a Certificate>,
    pub versions: &'a [&'static SupportedProtocolVersion],
    /// The application protocols that it offers.
    pub alpn: &'a [&'a [u8]],
}

impl<'a> TlsClient<'a> {
    pub fn new(trusts: &'a Authority, certificate: Option<&'a Certificate>) -> Self {
        Self {
            trusts,
            certificate,
            versions: rustls::ALL_VERSIONS,
            alpn: &[],
        }
    }

    /// Connects and completes the handshake.
    ///
    /// # Errors
    /// The error of the handshake.
    pub fn connect(&self, address: SocketAddr) -> io::Result<TlsCaller> {
        self.handshake(dial(address, None))
    }

    /// Completes a handshake on a socket.
    ///
    /// # Errors
    /// The error of the handshake.
    pub fn handshake(&self, socket: TcpStream) -> io::Result<TlsCaller> {
        self.shake_hands(socket).map(Caller::over)
    }

    /// Connects; returns the application protocol that the listener chose.
    ///
    /// # Errors
    /// The error of the handshake.
    pub fn protocol(&self, address: SocketAddr) -> io::Result<Option<Vec<u8>>> {
        let stream = self.shake_hands(dial(address, None))?;
        Ok(stream.conn.alpn_protocol().map(<[u8]>::to_vec))
    }

    fn shake_hands(
        &self,
        mut socket: TcpStream,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(self.config(), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(tls, socket))
    }

    fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(read_certificates(&self.trusts.ca()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let key = PrivateKeyDer::from_pem_file(&certificate.private_key).unwrap();
                let chain = read_certificates(&certificate.chain);
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }
}

/// Opens a connection without TLS, from this local address if one is given.
pub fn dial(to: SocketAddr, from: Option<IpAddr>) -> TcpStream {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
    if let Some(from) = from {
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    }
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
