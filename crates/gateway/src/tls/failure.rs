//! Why a handshake failed, for logs and metrics.

use std::fmt;
use std::io;

use metrics::HandshakeReason;
use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::alert::{self, Peer};
use super::certificate::{printable, unix_moment};
use super::verifier::Distrust;

/// The most names of a certificate that a text lists.
const NAMES_MAX: usize = 8;

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// The reason as metrics count it.
    pub reason: HandshakeReason,
    /// The reason in words.
    pub what: String,
}

impl fmt::Display for HandshakeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl HandshakeFailure {
    pub(super) fn new(reason: HandshakeReason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
        }
    }

    /// A handshake that did not end in its time.
    pub fn timed_out() -> Self {
        Self::new(
            HandshakeReason::Timeout,
            "the handshake did not end in time",
        )
    }

    /// Returns the failure of a handshake, or of a connection over TLS, that ended with this error.
    pub fn of(error: &io::Error, peer: Peer) -> Self {
        let inner = error.get_ref();
        match inner.and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => of_tls(error, peer),
            None => of_connection(error),
        }
    }
}

fn of_connection(error: &io::Error) -> HandshakeFailure {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        UnexpectedEof => HandshakeFailure::new(
            HandshakeReason::Closed,
            "the connection was closed in the middle of the handshake",
        ),
        BrokenPipe | ConnectionAborted | ConnectionReset => HandshakeFailure::new(
            HandshakeReason::Closed,
            "the connection was reset in the middle of the handshake",
        ),
        _ => HandshakeFailure::new(HandshakeReason::Other, error.to_string()),
    }
}

fn of_tls(error: &Error, peer: Peer) -> HandshakeFailure {
    match error {
        Error::AlertReceived(alert) => {
            let (reason, what) = alert::in_words(*alert, peer);
            HandshakeFailure::new(reason, what)
        }
        Error::PeerIncompatible(missing) => incompatible(missing, peer),
        Error::InvalidCertificate(fault) => of_certificate(fault),
        Error::NoCertificatesPresented => HandshakeFailure::new(
            HandshakeReason::CertificateMissing,
            "it presented no certificate",
        ),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => HandshakeFailure::new(
            HandshakeReason::NotTls,
            match peer {
                Peer::Server => "its bytes are no TLS: does it speak plain HTTP on this port?",
                Peer::Caller => "its bytes are no TLS: does it call with http in place of https?",
            },
        ),
        Error::NoApplicationProtocol => HandshakeFailure::new(
            HandshakeReason::Other,
            "no application protocol in common: it does not offer http/1.1",
        ),
        error => HandshakeFailure::new(HandshakeReason::Other, error.to_string()),
    }
}

fn incompatible(missing: &PeerIncompatible, peer: Peer) -> HandshakeFailure {
    use PeerIncompatible as P;
    let version = match peer {
        Peer::Server => "it has no TLS version in common: the gateway has TLS 1.3 and 1.2",
        Peer::Caller => "it offers no TLS version of the gateway, which has 1.3 and 1.2",
    };
    let (reason, what) = match missing {
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled => (HandshakeReason::Version, version.to_owned()),
        P::NoCipherSuitesInCommon => (
            HandshakeReason::Cipher,
            "no cipher suite in common: the gateway has ECDHE with AES-GCM or ChaCha20-Poly1305, and a suite of \
             TLS 1.2 must fit the certificate's key (RSA or ECDSA)"
                .to_owned(),
        ),
        P::NoKxGroupsInCommon | P::NamedGroupsExtensionRequired | P::KeyShareExtensionRequired => (
            HandshakeReason::Cipher,
            "no group for the key exchange in common: the gateway has X25519, P-256 and P-384".to_owned(),
        ),
        P::NoSignatureSchemesInCommon
        | P::NoCertificateRequestSignatureSchemesInCommon
        | P::SignatureAlgorithmsExtensionRequired => (
            HandshakeReason::Cipher,
            "no signature scheme in common for the kind of the certificate's key".to_owned(),
        ),
        P::ExtendedMasterSecretExtensionRequired => (
            HandshakeReason::Version,
            "it has TLS 1.2 without extended master secret".to_owned(),
        ),
        other => (
            HandshakeReason::Other,
            format!("it lacks something that TLS needs: {other:?}"),
        ),
    };
    HandshakeFailure::new(reason, what)
}

fn of_certificate(fault: &CertificateError) -> HandshakeFailure {
    use CertificateError as C;
    let (reason, what) = match fault {
        C::Other(other) => match other.0.downcast_ref::<Distrust>() {
            Some(distrust) => (distrust.reason, distrust.what.clone()),
            None => (
                HandshakeReason::Certificate,
                format!("its certificate is refused: {}", other.0),
            ),
        },
        C::ExpiredContext { not_after, .. } => (
            HandshakeReason::CertificateExpired,
            format!("its certificate expired on {}", unix_moment(*not_after)),
        ),
        C::Expired => (
            HandshakeReason::CertificateExpired,
            "its certificate has expired".to_owned(),
        ),
        C::NotValidYetContext { not_before, .. } => (
            HandshakeReason::CertificateExpired,
            format!(
                "its certificate is not valid before {}",
                unix_moment(*not_before)
            ),
        ),
        C::NotValidYet => (
            HandshakeReason::CertificateExpired,
            "its certificate is not valid yet".to_owned(),
        ),
        C::UnknownIssuer => (
            HandshakeReason::CertificateIssuer,
            "its certificate is of an issuer that is not trusted".to_owned(),
        ),
        C::BadSignature => (
            HandshakeReason::CertificateIssuer,
            "a signature does not fit: the authority that its certificate names did not sign it, or it lacks the \
             certificate's key"
                .to_owned(),
        ),
        C::NotValidForNameContext {
            expected,
            presented,
        } => (
            HandshakeReason::CertificateName,
            wrong_name(&expected.to_str(), presented),
        ),
        C::NotValidForName => (
            HandshakeReason::CertificateName,
            "its certificate is for another name".to_owned(),
        ),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => (
            HandshakeReason::Certificate,
            "its certificate is for another purpose (extendedKeyUsage)".to_owned(),
        ),
        other => (
            HandshakeReason::Certificate,
            format!("its certificate is refused: {other:?}"),
        ),
    };
    HandshakeFailure::new(reason, what)
}

fn wrong_name(expected: &str, presented: &[String]) -> String {
    if presented.is_empty() {
        return format!("its certificate is not for {expected}: it names no host (subjectAltName)");
    }
    let names: Vec<String> = presented
        .iter()
        .take(NAMES_MAX)
        .map(|name| printable(name))
        .collect();
    let more = if presented.len() > NAMES_MAX {
        " and more"
    } else {
        ""
    };
    format!(
        "its certificate is not for {expected}: it is for {}{more}",
        names.join(", ")
    )
}
