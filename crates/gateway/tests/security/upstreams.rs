//! TLS towards upstreams: private roots, and the gateway's own certificate.

use std::path::Path;
use std::sync::Arc;

use protocol::ResCode::{E806, E809};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use simulator::{Biller, BillerOptions, Kakao, KakaoOptions};
use test_support::{Authority, NOTICE, Setup, assert_own, link, notice};

/// A server without client authentication.
pub fn open_to_all(authority: &Authority) -> Arc<ServerConfig> {
    let certificate = authority.server();
    let chain = CertificateDer::pem_file_iter(&certificate.chain).unwrap();
    let key = PrivateKeyDer::from_pem_file(&certificate.private_key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    Arc::new(config)
}

/// A server that requires a client certificate of this authority.
fn mutual(authority: &Authority) -> Arc<ServerConfig> {
    let read = |file: &Path| -> Vec<_> {
        let certificates = CertificateDer::pem_file_iter(file).unwrap();
        certificates.map(Result::unwrap).collect()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read(&authority.ca()));
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let certificate = authority.server();
    let key = PrivateKeyDer::from_pem_file(&certificate.private_key).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(read(&certificate.chain), key)
        .unwrap();
    Arc::new(config)
}

#[test]
fn a_biller_that_requires_our_certificate_is_reached_with_it_and_with_its_own_root_only() {
    let (authority, other) = (Authority::new(), Authority::new());
    let biller = Biller::start(BillerOptions {
        tls: Some(mutual(&authority)),
        ..BillerOptions::default()
    })
    .unwrap();
    let url = biller.base_url();
    assert!(url.starts_with("https://"), "{url}");
    let ours = authority.client("agency").toml();
    let another = other.client("agency").toml();
    let root = |of: &Authority| format!("ca = \"{}\"\n", of.ca().display());
    // code | keys of [tls] | reached
    let table = [
        ("B0001", root(&authority) + &ours, true),
        ("B0002", root(&authority), false),
        ("B0003", root(&authority) + &another, false),
        ("B0004", root(&other) + &ours, false),
        ("B0005", ours.clone(), false), // the public web's roots do not know this biller
    ];
    let setup = Setup::new("http://127.0.0.1:1", &url);
    let gateway = table
        .iter()
        .fold(setup, |setup, (code, keys, _)| {
            setup.biller(code, &url, &format!("[tls]\n{keys}"))
        })
        .start();
    let mut reached = 0;
    for (code, _, is_reached) in table {
        let path = format!("/kakao/notice/{code}");
        let reply = gateway.post(&path, notice("u").to_string());
        if is_reached {
            assert_eq!(
                (reply.status, reply.res_code().as_str()),
                (200, "OK"),
                "{code}"
            );
            reached += 1;
        } else {
            assert_own(&reply, 502, E809);
        }
        assert_eq!(biller.calls_total(), reached, "{code}");
    }
}

#[test]
fn kakao_pay_is_reached_with_our_certificate_and_a_private_root() {
    let authority = Authority::new();
    let kakao = Kakao::start(KakaoOptions {
        tls: Some(mutual(&authority)),
        ..KakaoOptions::default()
    })
    .unwrap();
    let ours = authority.client("agency").toml();
    let ca = authority.ca();
    // keys of [kakao.tls] | status
    let table = [
        (format!("ca = \"{}\"\n{ours}", ca.display()), 200),
        (format!("ca = \"{}\"\n", ca.display()), 502),
    ];
    for (keys, status) in table {
        let calls = kakao.calls_total();
        let gateway = Setup::new(&kakao.base_url(), "http://127.0.0.1:1")
            .kakao(&format!("[kakao.tls]\n{keys}"))
            .start();
        let path = "/external/inquiry-payment/one-time/url/B0001";
        let reply = gateway.post(path, link("u").to_string());
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(kakao.calls_total(), calls + u64::from(status == 200));
    }
}

#[test]
fn an_upstream_with_tls_is_never_called_in_plain_text() {
    let plain = test_support::Upstream::ok();
    let url = plain.url().replacen("http://", "https://", 1);
    let gateway = Setup::new(&plain.url(), &url)
        .with("[budget]\ntotal = \"500ms\"")
        .start();
    let reply = gateway.post(NOTICE, notice("u").to_string());
    // It takes the `ClientHello` for the begin of a request and waits for the rest.
    assert_own(&reply, 504, E806);
    assert_eq!(plain.count(), 0);
}
