//! The verification of upstreams' certificates, with the reason of each refusal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::HandshakeReason;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::certificate::CertificateFacts;

/// Verifies as the library does, with two additions: a self-signed certificate that is marked as an authority's and
/// that the trusted file holds is accepted as that server's own, as other clients do; and a refusal says more.
#[derive(Debug)]
pub(super) struct UpstreamVerifier {
    library: Arc<WebPkiServerVerifier>,
    /// The certificates of the trusted file; empty for the public web roots.
    trusted: Vec<CertificateDer<'static>>,
}

/// Why a server's certificate is not trusted, where the library's error says less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Distrust {
    pub(super) reason: HandshakeReason,
    pub(super) what: String,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Distrust {}

impl Distrust {
    fn error(reason: HandshakeReason, what: impl Into<String>) -> Error {
        let what = what.into();
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Self {
            reason,
            what,
        }))))
    }
}

impl UpstreamVerifier {
    pub(super) fn new(
        library: Arc<WebPkiServerVerifier>,
        trusted: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self { library, trusted }
    }

    /// Judges a certificate that the library refuses because of its issuer or its kind.
    fn second_look(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        (name, now): (&ServerName<'_>, UnixTime),
    ) -> Result<ServerCertVerified, Error> {
        let Some(facts) = CertificateFacts::read(own) else {
            return Err(CertificateError::BadEncoding.into());
        };
        if facts.version < 3 {
            return Err(Distrust::error(
                HandshakeReason::Certificate,
                "its certificate is X.509 version 1, which TLS no longer takes: the server needs one of version 3",
            ));
        }
        if self.trusted.iter().any(|trusted| trusted == own) {
            check_dates(&facts, now)?;
            if !facts.may_be_a_server {
                return Err(CertificateError::InvalidPurpose.into());
            }
            verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let (subject, issuer) = (&facts.subject, &facts.issuer);
        let roots = if self.trusted.is_empty() {
            "the public web roots, and `tls.ca` names no other ones"
        } else {
            "the authorities in `tls.ca`"
        };
        let what = match (facts.is_self_issued, facts.is_ca) {
            (true, true) => format!(
                "its certificate {subject} is a self-signed one marked as an authority's (CA:TRUE): name that very \
                 certificate as `tls.ca` to trust it, or give the server one without that mark"
            ),
            (true, false) => format!(
                "its certificate {subject} is self-signed: name that very certificate as `tls.ca` to trust it"
            ),
            (false, true) => format!(
                "its certificate {subject} is an authority's (CA:TRUE): the server must show one of its own"
            ),
            (false, false) if intermediates.is_empty() => format!(
                "its certificate {subject} is of {issuer}, which is not among {roots}; the server sends no \
                 intermediate certificate"
            ),
            (false, false) => {
                format!("its certificate {subject} is of {issuer}, which leads to none of {roots}")
            }
        };
        Err(Distrust::error(HandshakeReason::CertificateIssuer, what))
    }
}

/// Returns the error for a certificate that names a trusted authority, which did not sign it.
fn forged_or_renewed(own: &CertificateDer<'_>) -> Error {
    let Some(facts) = CertificateFacts::read(own) else {
        return CertificateError::BadEncoding.into();
    };
    let what = format!(
        "its certificate {} names {}, but the authority of that name that is trusted here did not sign it: was that \
         authority's key renewed? Then `tls.ca` needs its new certificate",
        facts.subject, facts.issuer
    );
    Distrust::error(HandshakeReason::CertificateIssuer, what)
}

fn check_dates(facts: &CertificateFacts, now: UnixTime) -> Result<(), Error> {
    let time = |seconds: i64| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let error = if seconds < facts.not_before {
        CertificateError::NotValidYetContext {
            time: now,
            not_before: time(facts.not_before),
        }
    } else if seconds > facts.not_after {
        CertificateError::ExpiredContext {
            time: now,
            not_after: time(facts.not_after),
        }
    } else {
        return Ok(());
    };
    Err(error.into())
}

impl ServerCertVerifier for UpstreamVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.library.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) => self.second_look(end_entity, intermediates, (server_name, now)),
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(forged_or_renewed(end_entity))
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        (self.library).verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        (self.library).verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}
