//! A handshake for a check: what a server agrees to and which certificate it shows, also where that is refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Wire;
use super::alert::Peer;
use super::certificate::{CertificateFacts, moment};
use super::client::ClientTls;
use super::failure::HandshakeFailure;
use super::verifier::UpstreamVerifier;

/// How long a server of TLS 1.3 has to refuse the client's certificate, which it does after the handshake.
const REFUSAL_WAIT: Duration = Duration::from_millis(300);

/// What a handshake showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Version and cipher suite.
    pub agreed: String,
    /// The certificate in words, or why it is refused.
    pub certificate: Result<String, String>,
}

/// Completes a handshake whatever certificate the server shows, and judges the certificate apart. The stream must
/// carry no secret unless the certificate is good.
///
/// # Errors
///
/// When the handshake fails for another reason.
pub async fn inspect(
    tls: &ClientTls,
    host: &str,
    tcp: TcpStream,
) -> Result<(TlsStream<Wire>, Inspection), HandshakeFailure> {
    let recorder = Arc::new(Recorder {
        verifier: Arc::clone(&tls.verifier),
        judged: Mutex::new(None),
    });
    let mut config = (*tls.config).clone();
    // A resumed session shows no certificate.
    config.resumption = Resumption::disabled();
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Recorder>::clone(&recorder);
    config.dangerous().set_certificate_verifier(verifier);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        HandshakeFailure::new(metrics::HandshakeReason::Other, error.to_string())
    })?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, Wire(tcp));
    let mut stream = connecting
        .await
        .map_err(|error| HandshakeFailure::of(&error, Peer::Server))?;
    let (_, session) = stream.get_ref();
    let version = session.protocol_version();
    let agreed = format!(
        "{} with {}",
        version.map_or("TLS", name_of),
        session.negotiated_cipher_suite().map_or_else(
            || "no suite".to_owned(),
            |suite| format!("{:?}", suite.suite())
        ),
    );
    if version == Some(ProtocolVersion::TLSv1_3) {
        not_refused(&mut stream).await?;
    }
    Ok((
        stream,
        Inspection {
            agreed,
            certificate: recorder.judgement(),
        },
    ))
}

/// Waits for the refusal of the client's certificate.
async fn not_refused(stream: &mut TlsStream<Wire>) -> Result<(), HandshakeFailure> {
    let mut byte = [0];
    match timeout(REFUSAL_WAIT, stream.read(&mut byte)).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(HandshakeFailure::new(
            metrics::HandshakeReason::Closed,
            "it closed the connection right after the handshake",
        )),
        Ok(Err(error)) => Err(HandshakeFailure::of(&error, Peer::Server)),
    }
}

const fn name_of(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "TLS",
    }
}

/// Records the judgement of a certificate and lets the handshake go on.
#[derive(Debug)]
struct Recorder {
    verifier: Arc<UpstreamVerifier>,
    judged: Mutex<Option<Result<String, String>>>,
}

impl Recorder {
    fn judgement(&self) -> Result<String, String> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        judged
            .take()
            .unwrap_or_else(|| Err("it showed no certificate".to_owned()))
    }
}

fn in_words(der: &CertificateDer<'_>) -> String {
    let Some(facts) = CertificateFacts::read(der) else {
        return "one that cannot be read".to_owned();
    };
    let names = if facts.names.is_empty() {
        "no host".to_owned()
    } else {
        facts.names.join(", ")
    };
    format!(
        "{} of {}, for {names}, until {}",
        facts.subject,
        facts.issuer,
        moment(facts.not_after)
    )
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let judged = match verified {
            Ok(_) => Ok(in_words(end_entity)),
            Err(error) => {
                let error = std::io::Error::other(error);
                Err(HandshakeFailure::of(&error, Peer::Server).to_string())
            }
        };
        *self.judged.lock().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
