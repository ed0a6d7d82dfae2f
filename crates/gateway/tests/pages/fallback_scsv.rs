//! What `docs/security.md` says of `TLS_FALLBACK_SCSV`, asked by OpenSSL.

use std::process::{Command, Stdio};

use test_support::{Authority, Setup};

#[test]
fn a_client_that_falls_back_recognizes_it_by_the_answer_and_not_by_an_alert() {
    let authority = Authority::new();
    let tls = format!(
        "[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n[listen.tls]\n{}",
        authority.server().toml()
    );
    let gateway = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1")
        .with(&tls)
        .start();
    let handshake = |options: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.args([
            "s_client",
            "-connect",
            &gateway.public().to_string(),
            "-CAfile",
        ]);
        openssl
            .arg(authority.ca())
            .arg("-verify_return_error")
            .args(options);
        let output = openssl.stdin(Stdio::null()).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), complaint)
    };
    for version in ["-tls1_3", "-tls1_2"] {
        let (is_connected, complaint) = handshake(&[version]);
        assert!(is_connected, "{version}: {complaint}");
    }
    // The server answers; it is the client that finds the sign of TLS 1.3 in the answer (RFC 8446, section 4.1.3).
    let (is_connected, complaint) = handshake(&["-tls1_2", "-fallback_scsv"]);
    assert!(!is_connected);
    assert!(complaint.contains("inappropriate fallback"), "{complaint}");
    assert!(!complaint.contains("alert"), "{complaint}");
    let (is_connected, complaint) = handshake(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!is_connected && complaint.contains("alert"), "{complaint}");
}
