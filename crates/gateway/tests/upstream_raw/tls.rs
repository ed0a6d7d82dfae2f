//! Upstreams with TLS.

use std::sync::Arc;
use std::time::Duration;

use gateway::config::BaseUrl;
use gateway::upstream::{
    CallReport, Clients, ConnectStep, Origin, Party, Repeat, Sent, UpstreamFault,
};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::party::{AMPLE, Then, Upstream, call, party_at, read_request, sized, whole};

struct Server {
    upstream: Upstream,
    certificate: CertificateDer<'static>,
}

/// Starts a party with a certificate for `name` that offers `alpn` and ends TLS by `end`.
async fn server(name: &str, alpn: &[&str], answer: &'static [u8], end: End) -> Server {
    let (acceptor, certificate) = acceptor(name, alpn);
    let upstream = Upstream::serve(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(answer).await.unwrap();
                stream.flush().await.unwrap();
                match end {
                    End::None => {}
                    End::Notified => return stream.shutdown().await.unwrap(),
                    End::Abrupt => return,
                }
            }
        }
    })
    .await;
    Server {
        upstream,
        certificate,
    }
}

fn acceptor(name: &str, alpn: &[&str]) -> (TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// A party's side of a connection, plain or with TLS.
pub type AnyStream = Either<TcpStream, TlsStream<TcpStream>>;

/// Starts a party that serves each connection with `serve`, plain or with TLS.
pub async fn serving<S, F>(is_tls: bool, serve: S) -> (Upstream, Arc<Party>)
where
    S: Fn(AnyStream) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    if !is_tls {
        let upstream = Upstream::serve(move |_, stream| serve(AnyStream::Left(stream))).await;
        let party = upstream.party();
        return (upstream, party);
    }
    let (acceptor, certificate) = acceptor("localhost", &[]);
    let upstream = Upstream::serve(move |_, stream| {
        let (acceptor, serve) = (acceptor.clone(), serve.clone());
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            serve(AnyStream::Right(stream)).await;
        }
    })
    .await;
    let party = party(upstream.port, Some(trusting(Some(certificate))));
    (upstream, party)
}

#[derive(Clone, Copy)]
enum End {
    None,
    Notified,
    Abrupt,
}

fn trusting(root: Option<CertificateDer<'static>>) -> Arc<ClientConfig> {
    offering("http/1.1", root)
}

fn offering(protocol: &str, root: Option<CertificateDer<'static>>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if let Some(certificate) = root {
        roots.add(certificate).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

fn party(port: u16, tls: Option<Arc<ClientConfig>>) -> Arc<Party> {
    let url = BaseUrl::parse(&format!("https://localhost:{port}")).unwrap();
    let origin = Arc::new(Origin::new(&url, tls).unwrap());
    party_at(&origin, "kakao", url.path_prefix())
}

async fn call_once(party: &Arc<Party>) -> CallReport {
    call(&Clients::new(), party, AMPLE, Repeat::Safe).await
}

fn assert_not_reached(report: CallReport) -> String {
    assert_eq!(
        (report.attempts, report.connect_duration.is_some()),
        (1, true)
    );
    match report.result.unwrap_err() {
        UpstreamFault::NotReached(unreached) if unreached.step == ConnectStep::Handshake => {
            unreached.detail
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "local")]
async fn a_party_with_a_good_certificate_is_called_over_one_connection() {
    let answer = sized("{}").leak();
    for alpn in [&["http/1.1"][..], &["h2", "http/1.1"], &[]] {
        let server = server("localhost", alpn, answer, End::None).await;
        let party = party(
            server.upstream.port,
            Some(trusting(Some(server.certificate))),
        );
        let clients = Clients::new();
        for _ in 0..3 {
            let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
            assert_eq!(whole(&report), Ok((200, "{}")));
        }
        assert_eq!(server.upstream.connections(), 1);
    }
}

#[tokio::test(flavor = "local")]
async fn a_certificate_for_another_name_is_refused() {
    let server = server("elsewhere.example", &[], b"", End::None).await;
    let party = party(
        server.upstream.port,
        Some(trusting(Some(server.certificate))),
    );
    let detail = assert_not_reached(call_once(&party).await);
    assert!(detail.contains("certificate"), "{detail}");
}

#[tokio::test(flavor = "local")]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = server("localhost", &[], b"", End::None).await;
    let party = party(server.upstream.port, Some(trusting(None)));
    let detail = assert_not_reached(call_once(&party).await);
    assert!(detail.contains("an issuer that is not trusted"), "{detail}");
}

#[tokio::test(flavor = "local")]
async fn a_party_that_agrees_on_another_protocol_or_none_is_not_reached() {
    for offered in ["http/1.1", "h2"] {
        let server = server("localhost", &["h2"], b"", End::None).await;
        let config = offering(offered, Some(server.certificate));
        assert_not_reached(call_once(&party(server.upstream.port, Some(config))).await);
    }
}

#[tokio::test(flavor = "local")]
async fn a_party_that_speaks_no_tls_is_not_reached() {
    let upstream = Upstream::serve(|_, mut stream| async move {
        let _ = stream.read(&mut [0; 512]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    assert_not_reached(call_once(&party(upstream.port, Some(trusting(None)))).await);
}

#[tokio::test(flavor = "local")]
async fn an_https_party_is_never_called_in_plain_text() {
    let upstream = Upstream::answering(b"HTTP/1.1 204 -\r\n\r\n", Then::Hold).await;
    assert_not_reached(call_once(&party(upstream.port, None)).await);
}

#[tokio::test(flavor = "local")]
async fn a_handshake_that_hangs_ends_at_the_deadline_with_nothing_sent() {
    let upstream = Upstream::serve(|_, stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let party = party(upstream.port, Some(trusting(None)));
    let time = Duration::from_millis(200);
    let report = call(&Clients::new(), &party, time, Repeat::Safe).await;
    assert_eq!(
        report.result.unwrap_err(),
        UpstreamFault::TimedOut {
            sent: Sent::NotSent
        }
    );
}

#[tokio::test(flavor = "local")]
async fn an_answer_without_a_length_is_whole_with_and_without_a_close_notify() {
    for (body, is_whole) in [
        ("{\"res_code\":\"OK\"}", true),
        ("", true),
        ("{\"res", false),
    ] {
        for version in ["HTTP/1.0", "HTTP/1.1"] {
            let answer = format!("{version} 200 OK\r\n\r\n{body}")
                .into_bytes()
                .leak();
            for end in [End::Notified, End::Abrupt] {
                let server = server("localhost", &[], answer, end).await;
                let config = trusting(Some(server.certificate));
                let report = call_once(&party(server.upstream.port, Some(config))).await;
                let cut = UpstreamFault::CutShort {
                    status: crate::party::status(200),
                };
                let expected = if is_whole { Ok((200, body)) } else { Err(&cut) };
                assert_eq!(whole(&report), expected, "{version}");
            }
        }
    }
}
