//! TLS on the listener.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls_pki_types::ServerName;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::{
    ClientFiles, ClientVerification, LoadedServerTls, ServerFiles, ServerTls, client_config,
    install_provider,
};

const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// PEM files of an authority with a certificate for the listener and one for a client.
struct CertificateFiles {
    folder: TempDir,
    client_fingerprint: [u8; 32],
}

impl CertificateFiles {
    fn new() -> Self {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let mut files = Self {
            folder,
            client_fingerprint: [0; 32],
        };
        files.issue(&authority, "server", ExtendedKeyUsagePurpose::ServerAuth);
        files.client_fingerprint =
            files.issue(&authority, "client", ExtendedKeyUsagePurpose::ClientAuth);
        files
    }

    fn issue(
        &self,
        authority: &CertifiedIssuer<'_, KeyPair>,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> [u8; 32] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, authority).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        Sha256::digest(certificate.der()).into()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn server_files(&self, client_auth: ClientVerification) -> ServerFiles {
        ServerFiles {
            certificate: self.path("server.pem"),
            private_key: self.path("server.key"),
            client_auth,
        }
    }

    /// Opens a TLS connection with or without the client's certificate.
    async fn connect_tls(
        &self,
        server: &PublicServer,
        presented: ClientCertificate,
    ) -> TlsStream<TcpStream> {
        let (ca, certificate, key) = (
            self.path("ca.pem"),
            self.path("client.pem"),
            self.path("client.key"),
        );
        let files = match presented {
            ClientCertificate::Presented => ClientFiles {
                ca: Some(&ca),
                certificate: Some(&certificate),
                private_key: Some(&key),
            },
            ClientCertificate::Absent => ClientFiles {
                ca: Some(&ca),
                ..ClientFiles::default()
            },
        };
        let connector = TlsConnector::from(client_config(files).unwrap());
        let name = ServerName::try_from("localhost").unwrap();
        connector
            .connect(name, connect(server).await)
            .await
            .unwrap()
    }
}

#[derive(Clone, Copy)]
enum ClientCertificate {
    Presented,
    Absent,
}

/// Starts a server whose handler answers with the fingerprint of the client's certificate.
fn start_with_fingerprints(tls: Arc<ServerTls>, head_timeout: Duration) -> PublicServer {
    let options = ServerOptions {
        tls: Some(tls),
        head_timeout,
        ..options()
    };
    PublicServer::start(options, || {
        |incoming: IncomingRequest| async move {
            if incoming.connection.is_still_trusted() {
                HttpResponse::Ok().body(format!("{:?}", incoming.connection.certificate()))
            } else {
                HttpResponse::Unauthorized().body("no longer trusted")
            }
        }
    })
    .unwrap()
}

#[tokio::test]
async fn the_handler_receives_the_fingerprint_of_the_clients_certificate() {
    let files = CertificateFiles::new();
    let ca = files.path("ca.pem");
    let with = format!("{:?}", Some(files.client_fingerprint));
    let cases = [
        (
            ClientVerification::Off,
            ClientCertificate::Absent,
            Some("None"),
        ),
        (
            ClientVerification::Off,
            ClientCertificate::Presented,
            Some("None"),
        ),
        (
            ClientVerification::Optional(ca.clone()),
            ClientCertificate::Absent,
            Some("None"),
        ),
        (
            ClientVerification::Optional(ca.clone()),
            ClientCertificate::Presented,
            Some(with.as_str()),
        ),
        (
            ClientVerification::Required(ca.clone()),
            ClientCertificate::Presented,
            Some(with.as_str()),
        ),
        (
            ClientVerification::Required(ca),
            ClientCertificate::Absent,
            None,
        ),
    ];
    for (auth, presented, body) in cases {
        let tls = Arc::new(ServerTls::load(&files.server_files(auth.clone())).unwrap());
        let server = start_with_fingerprints(tls, TEST_TIMEOUT);
        let mut stream = files.connect_tls(&server, presented).await;
        let sent = stream.write_all(REQUEST.as_bytes()).await;
        if let Some(body) = body {
            let answer = one_answer(&mut stream).await;
            assert!(answer.ends_with(body), "{auth:?}: {answer}");
        } else {
            let read = in_time(stream.read_u8()).await;
            assert!(sent.is_err() || read.is_err(), "{auth:?}");
        }
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(b"http/1.1".as_slice())
        );
    }
}

#[tokio::test]
async fn refusals_and_drains_close_tls_with_a_close_notify() {
    let files = CertificateFiles::new();
    let tls = ServerTls::load(&files.server_files(ClientVerification::Off)).unwrap();
    let (server, handler) = start(ServerOptions {
        tls: Some(Arc::new(tls)),
        ..options()
    });
    let mut stream = files.connect_tls(&server, ClientCertificate::Absent).await;
    stream.write_all(b"GET /a\r\n\r\n").await.unwrap();
    // Without a close_notify the read would fail.
    assert_eq!(statuses(&until_closed(&mut stream).await), [400]);
    assert_eq!(handler.records(), ["fault 400 version"]);

    let mut idle = files.connect_tls(&server, ClientCertificate::Absent).await;
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    one_answer(&mut idle).await;
    let drained = tokio::spawn(server.drain(TEST_TIMEOUT));
    assert_eq!(until_closed(&mut idle).await, "");
    drop(stream);
    assert_eq!(in_time(drained).await.unwrap().cut_off, 0);
}

#[tokio::test]
async fn a_handshake_is_limited_to_the_time_of_a_head() {
    let files = CertificateFiles::new();
    let tls = Arc::new(ServerTls::load(&files.server_files(ClientVerification::Off)).unwrap());
    let server = start_with_fingerprints(tls, Duration::from_millis(100));
    let mut silent = connect(&server).await;
    assert_eq!(until_closed(&mut silent).await, "");
}

#[tokio::test]
async fn certificates_are_replaced_while_serving() {
    let (old, new) = (CertificateFiles::new(), CertificateFiles::new());
    let tls = Arc::new(ServerTls::load(&old.server_files(ClientVerification::Off)).unwrap());
    let server = start_with_fingerprints(Arc::clone(&tls), TEST_TIMEOUT);
    let mut kept = old.connect_tls(&server, ClientCertificate::Absent).await;
    tls.replace(LoadedServerTls::load(&new.server_files(ClientVerification::Off)).unwrap());
    let mut fresh = new.connect_tls(&server, ClientCertificate::Absent).await;
    for stream in [&mut kept, &mut fresh] {
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        assert!(one_answer(stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn the_present_authorities_apply_to_open_connections() {
    let (old, new) = (CertificateFiles::new(), CertificateFiles::new());
    let optional = |ca: &CertificateFiles| ClientVerification::Optional(ca.path("ca.pem"));
    let required = |ca: &CertificateFiles| ClientVerification::Required(ca.path("ca.pem"));
    // before | certificate | after | still trusted
    let table = [
        (
            optional(&old),
            ClientCertificate::Presented,
            optional(&old),
            true,
        ),
        (
            optional(&old),
            ClientCertificate::Presented,
            required(&old),
            true,
        ),
        (
            optional(&old),
            ClientCertificate::Presented,
            optional(&new),
            false,
        ),
        (
            required(&old),
            ClientCertificate::Presented,
            required(&new),
            false,
        ),
        (
            optional(&old),
            ClientCertificate::Absent,
            optional(&new),
            true,
        ),
        (
            optional(&old),
            ClientCertificate::Absent,
            required(&old),
            false,
        ),
        (
            ClientVerification::Off,
            ClientCertificate::Presented,
            required(&old),
            false,
        ),
        (
            required(&old),
            ClientCertificate::Presented,
            ClientVerification::Off,
            true,
        ),
    ];
    for (before, presented, after, is_trusted) in table {
        let tls = Arc::new(ServerTls::load(&old.server_files(before.clone())).unwrap());
        let server = start_with_fingerprints(Arc::clone(&tls), TEST_TIMEOUT);
        let mut stream = old.connect_tls(&server, presented).await;
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        tls.replace(LoadedServerTls::load(&old.server_files(after.clone())).unwrap());
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let status = if is_trusted {
            "HTTP/1.1 200"
        } else {
            "HTTP/1.1 401"
        };
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with(status), "{before:?} {after:?}: {answer}");
        let is_last = answer.contains("connection: close");
        assert_eq!(is_last, !is_trusted, "{before:?} {after:?}: {answer}");
        if after == ClientVerification::Off {
            // Nobody could present the certificate now.
            assert!(answer.ends_with("None"), "{answer}");
        }
    }
}
