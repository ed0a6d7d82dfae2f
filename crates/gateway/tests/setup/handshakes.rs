//! Handshakes with upstreams that fail: counted by their reason, and the log line says why.

use std::io::{Read as _, Write as _};

use rustls::version::{TLS12, TLS13};
use test_support::{Authority, Setup, notice, serve};

use crate::command::{check, openssl};
use crate::tls_server::{biller, biller_that_requires};

/// Starts a server that answers a `ClientHello` with these bytes and closes.
fn answering(bytes: &'static [u8]) -> String {
    let address = serve(move |mut stream| {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello);
        let _ = stream.write_all(bytes);
    });
    format!("https://localhost:{}", address.port())
}

/// A fatal alert in a record of TLS 1.2.
const PROTOCOL_VERSION: &[u8] = &[21, 3, 3, 0, 2, 2, 70];
const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
const UNRECOGNIZED_NAME: &[u8] = &[21, 3, 3, 0, 2, 2, 112];

#[test]
fn the_log_names_the_reason_of_each_failed_handshake_and_the_metrics_count_it() {
    let (authority, other) = (Authority::new(), Authority::named("other"));
    let renewed = biller(&Authority::new().server());
    let elsewhere = authority.server_with("elsewhere", |params| {
        params.subject_alt_names = rcgen::CertificateParams::new(["www.example".to_owned()])
            .unwrap()
            .subject_alt_names;
    });
    let strangers = biller(&other.server());
    let misnamed = biller(&elsewhere);
    let gone = biller(&authority.expired_server("gone"));
    let mutual = biller_that_requires(&authority, &authority.server(), &[&TLS12]);
    // It refuses after the handshake.
    let mutual_13 = biller_that_requires(&authority, &authority.server(), &[&TLS13]);
    // base URL | reason | what the log says
    let table = [
        (
            answering(PROTOCOL_VERSION),
            "version",
            "no TLS version in common: the gateway has 1.3 and 1.2 (alert protocol_version)",
        ),
        (
            answering(HANDSHAKE_FAILURE),
            "cipher",
            "no cipher suite, group or signature scheme in common",
        ),
        (
            answering(UNRECOGNIZED_NAME),
            "alert",
            "it has no site of the name in `base_url` (alert unrecognised_name)",
        ),
        (
            answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "not_tls",
            "does it speak plain HTTP on this port?",
        ),
        (
            answering(b""),
            "closed",
            "closed in the middle of the handshake",
        ),
        (
            strangers.base_url(),
            "certificate_issuer",
            "its certificate CN=server is of CN=other, which is not among the authorities in `tls.ca`",
        ),
        (
            renewed.base_url(),
            "certificate_issuer",
            "the authority of that name that is trusted here did not sign it",
        ),
        (misnamed.base_url(), "certificate_name", "it is for"),
        (
            gone.base_url(),
            "certificate_expired",
            "its certificate expired on 2020-01-01T00:00:00Z",
        ),
        (
            mutual_13.base_url(),
            "alert",
            "it wants a client certificate: name one as `tls.certificate` (alert certificate_required)",
        ),
        (
            mutual.base_url(),
            "alert",
            "it wants a client certificate: name one as `tls.certificate` (alert certificate_required)",
        ),
    ];
    let toml = format!("[tls]\nca = \"{}\"", authority.ca().display());
    let code = |row: usize| format!("B{row:04}");
    let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1");
    let gateway = table
        .iter()
        .enumerate()
        .fold(setup, |setup, (row, (url, _, _))| {
            setup.biller(&code(row), url, &toml)
        })
        .start();
    let count = |reason: &str| {
        gateway.metric(&format!(
            "relay_handshake_failures_total{{reason=\"{reason}\",side=\"out\"}}"
        ))
    };
    for (row, (url, reason, what)) in table.iter().enumerate() {
        let before = count(reason);
        let reply = gateway.post(
            &format!("/kakao/notice/{}", code(row)),
            notice("u").to_string(),
        );
        assert_eq!(
            (reply.status, reply.res_code().as_str()),
            (502, "E809"),
            "{url}"
        );
        let line = gateway.await_log(|line| {
            line["message"] == "no complete answer from the upstream"
                && line["upstream"] == code(row).as_str()
        });
        let fault = line["fault"].as_str().unwrap();
        assert!(fault.contains(what), "{reason}: {fault}");
        assert_eq!(count(reason), before + 1, "{reason}");
    }
}

#[test]
fn a_self_signed_certificate_marked_as_an_authoritys_is_trusted_if_tls_ca_names_that_very_one() {
    let authority = Authority::new();
    let folder = authority.folder();
    let own = |name: &str| {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name} \
                 -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {name}.key -out {name}.pem"
            ),
        );
        test_support::Certificate {
            chain: folder.join(format!("{name}.pem")),
            private_key: folder.join(format!("{name}.key")),
            sha256: String::new(),
        }
    };
    let (first, second) = (own("first"), own("second"));
    let server = biller(&first);
    let tls = |ca: &std::path::Path| format!("[tls]\nca = \"{}\"", ca.display());
    let setup = Setup::new("http://127.0.0.1:1", &server.base_url())
        .biller("B0001", &server.base_url(), &tls(&first.chain))
        .biller("B0002", &server.base_url(), &tls(&second.chain))
        .biller("B0003", &server.base_url(), &tls(&authority.ca()));
    let main = setup.write();
    let printed = check(&main, &["--connect"]);
    assert!(
        printed
            .out
            .contains("ok    B0001: certificate: CN=first of CN=first"),
        "{}",
        printed.out
    );
    let gateway = setup.start();
    let call = |code: &str| gateway.post(&format!("/kakao/notice/{code}"), notice("u").to_string());
    assert_eq!(call("B0001").status, 200);
    for code in ["B0002", "B0003"] {
        assert_eq!(call(code).res_code(), "E809");
        let line = gateway.await_log(|line| {
            line["message"] == "no complete answer from the upstream" && line["upstream"] == code
        });
        let fault = line["fault"].as_str().unwrap();
        assert!(
            fault.contains("(CA:TRUE): name that very certificate as `tls.ca` to trust it"),
            "{fault}"
        );
    }
}
