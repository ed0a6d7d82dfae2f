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
    ClientFiles, ClientVerification, ServerFiles, ServerSide, ServerTls, client_config,
    install_provider,
};

const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// An authority with a certificate for the listener and one for a caller, as PEM files.
struct Papers {
    folder: TempDir,
    client_fingerprint: [u8; 32],
}

impl Papers {
    fn new() -> Self {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let mut papers = Self {
            folder,
            client_fingerprint: [0; 32],
        };
        papers.issue(&authority, "server", ExtendedKeyUsagePurpose::ServerAuth);
        papers.client_fingerprint =
            papers.issue(&authority, "client", ExtendedKeyUsagePurpose::ClientAuth);
        papers
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

    /// A connection with TLS, with the caller's certificate or without.
    async fn dial(&self, server: &PublicServer, certified: Certified) -> TlsStream<TcpStream> {
        let (ca, certificate, key) = (
            self.path("ca.pem"),
            self.path("client.pem"),
            self.path("client.key"),
        );
        let files = match certified {
            Certified::Yes => ClientFiles {
                ca: Some(&ca),
                certificate: Some(&certificate),
                private_key: Some(&key),
            },
            Certified::No => ClientFiles {
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
enum Certified {
    Yes,
    No,
}

/// A server whose handler answers with the fingerprint of the caller's certificate.
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
                HttpResponse::Unauthorized().body("not any more")
            }
        }
    })
    .unwrap()
}

#[tokio::test]
async fn a_callers_certificate_is_known_by_its_fingerprint() {
    let papers = Papers::new();
    let ca = papers.path("ca.pem");
    let with = format!("{:?}", Some(papers.client_fingerprint));
    let cases = [
        (ClientVerification::Off, Certified::No, Some("None")),
        (ClientVerification::Off, Certified::Yes, Some("None")),
        (
            ClientVerification::Optional(ca.clone()),
            Certified::No,
            Some("None"),
        ),
        (
            ClientVerification::Optional(ca.clone()),
            Certified::Yes,
            Some(with.as_str()),
        ),
        (
            ClientVerification::Required(ca.clone()),
            Certified::Yes,
            Some(with.as_str()),
        ),
        (ClientVerification::Required(ca), Certified::No, None),
    ];
    for (auth, certified, body) in cases {
        let tls = Arc::new(ServerTls::load(&papers.server_files(auth.clone())).unwrap());
        let server = start_with_fingerprints(tls, PATIENCE);
        let mut stream = papers.dial(&server, certified).await;
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
async fn refusals_and_drains_close_tls_in_good_order() {
    let papers = Papers::new();
    let tls = ServerTls::load(&papers.server_files(ClientVerification::Off)).unwrap();
    let (server, scene) = start(ServerOptions {
        tls: Some(Arc::new(tls)),
        ..options()
    });
    let mut stream = papers.dial(&server, Certified::No).await;
    stream.write_all(b"GET /a\r\n\r\n").await.unwrap();
    // An end without TLS's own farewell would be an error.
    assert_eq!(statuses(&until_closed(&mut stream).await), [400]);
    assert_eq!(scene.seen(), ["fault 400"]);

    let mut idle = papers.dial(&server, Certified::No).await;
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    one_answer(&mut idle).await;
    let drained = tokio::spawn(server.drain(PATIENCE));
    assert_eq!(until_closed(&mut idle).await, "");
    drop(stream);
    assert_eq!(in_time(drained).await.unwrap().cut_off, 0);
}

#[tokio::test]
async fn a_handshake_has_the_time_of_a_head() {
    let papers = Papers::new();
    let tls = Arc::new(ServerTls::load(&papers.server_files(ClientVerification::Off)).unwrap());
    let server = start_with_fingerprints(tls, Duration::from_millis(100));
    let mut silent = connect(&server).await;
    assert_eq!(until_closed(&mut silent).await, "");
}

#[tokio::test]
async fn certificates_are_replaced_while_serving() {
    let (old, new) = (Papers::new(), Papers::new());
    let tls = Arc::new(ServerTls::load(&old.server_files(ClientVerification::Off)).unwrap());
    let server = start_with_fingerprints(Arc::clone(&tls), PATIENCE);
    let mut kept = old.dial(&server, Certified::No).await;
    tls.replace(ServerSide::load(&new.server_files(ClientVerification::Off)).unwrap());
    let mut fresh = new.dial(&server, Certified::No).await;
    for stream in [&mut kept, &mut fresh] {
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        assert!(one_answer(stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn who_is_connected_is_judged_by_the_authorities_of_now() {
    let (old, new) = (Papers::new(), Papers::new());
    let optional = |ca: &Papers| ClientVerification::Optional(ca.path("ca.pem"));
    let required = |ca: &Papers| ClientVerification::Required(ca.path("ca.pem"));
    // before | certificate | after | still trusted
    let table = [
        (optional(&old), Certified::Yes, optional(&old), true),
        (optional(&old), Certified::Yes, required(&old), true),
        (optional(&old), Certified::Yes, optional(&new), false),
        (required(&old), Certified::Yes, required(&new), false),
        (optional(&old), Certified::No, optional(&new), true),
        (optional(&old), Certified::No, required(&old), false),
        (
            ClientVerification::Off,
            Certified::Yes,
            required(&old),
            false,
        ),
        (
            required(&old),
            Certified::Yes,
            ClientVerification::Off,
            true,
        ),
    ];
    for (before, certified, after, is_trusted) in table {
        let tls = Arc::new(ServerTls::load(&old.server_files(before.clone())).unwrap());
        let server = start_with_fingerprints(Arc::clone(&tls), PATIENCE);
        let mut stream = old.dial(&server, certified).await;
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        tls.replace(ServerSide::load(&old.server_files(after.clone())).unwrap());
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let status = if is_trusted {
            "HTTP/1.1 200"
        } else {
            "HTTP/1.1 401"
        };
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with(status), "{before:?} {after:?}: {answer}");
    }
}
