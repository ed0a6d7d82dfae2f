//! What a peer says by a TLS alert.

use std::io;

use metrics::HandshakeReason;
use rustls::{AlertDescription, Error};

/// The other side of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An upstream's server.
    Server,
    /// A caller of the listener.
    Caller,
}

/// Returns the alert with which a server ended a TLS connection, in words; `None` if it ended otherwise.
pub fn server_alert(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => Some(in_words(*alert, Peer::Server).1),
        _ => None,
    }
}

/// Returns what the peer says by an alert, as metrics count it and in words.
pub(super) fn in_words(alert: AlertDescription, peer: Peer) -> (HandshakeReason, String) {
    use AlertDescription as A;
    let name = alert_name(alert);
    let (reason, what) = match (alert, peer) {
        (A::ProtocolVersion | A::InappropriateFallback, _) => (
            HandshakeReason::Version,
            "it has no TLS version in common: the gateway has 1.3 and 1.2",
        ),
        (A::HandshakeFailure | A::InsufficientSecurity, Peer::Server) => (
            HandshakeReason::Cipher,
            "it refused: no cipher suite, group or signature scheme in common (in TLS 1.2 the gateway has ECDHE with \
             AES-GCM or ChaCha20-Poly1305 only), or it wants a client certificate (`tls.certificate`)",
        ),
        (A::HandshakeFailure | A::InsufficientSecurity, Peer::Caller) => (
            HandshakeReason::Cipher,
            "it refused: no cipher suite, group or signature scheme in common",
        ),
        (A::CertificateRequired, Peer::Server) => (
            HandshakeReason::Alert,
            "it wants a client certificate: name one as `tls.certificate`",
        ),
        (A::UnrecognisedName, Peer::Server) => (
            HandshakeReason::Alert,
            "it has no site of the name in `base_url`",
        ),
        (
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError,
            Peer::Server,
        ) => (
            HandshakeReason::Alert,
            "it refused the gateway's client certificate",
        ),
        (
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA,
            Peer::Caller,
        ) => (
            HandshakeReason::Alert,
            "it does not trust the listener's certificate",
        ),
        _ => (HandshakeReason::Alert, "it ended the connection"),
    };
    (reason, format!("{what} (alert {name})"))
}

/// Returns an alert's name as the standard spells it, `unknown_ca`.
fn alert_name(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::UnknownCA => "UnknownCa".to_owned(),
        alert => format!("{alert:?}"),
    };
    let mut name = String::with_capacity(words.len() + 4);
    for character in words.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
