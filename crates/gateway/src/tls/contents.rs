//! What a TLS file holds in place of what it should hold, and what to do about it.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// What a file is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One or more certificates.
    Certificates,
    /// A private key.
    PrivateKey,
}

impl Wanted {
    const fn text(self) -> &'static str {
        match self {
            Self::Certificates => "a certificate",
            Self::PrivateKey => "a private key",
        }
    }
}

/// Returns why a file does not hold what it should, in the words that follow the file's name: what it holds, and the
/// remedy. `file` is its name in the commands of the remedy.
pub(super) fn diagnosis(bytes: &[u8], wanted: Wanted, file: &str) -> String {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return format!("is empty; it must hold {} in PEM form", wanted.text());
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return "begins with a byte-order mark: save it as UTF-8 without one".to_owned();
    }
    let labels = match labels(bytes) {
        Ok(labels) => labels,
        Err(fault) => return fault,
    };
    if labels.is_empty() {
        return without_pem(bytes, wanted, file);
    }
    let has = |label: &str| labels.iter().any(|found| found == label);
    let has_key = || labels.iter().any(|label| label.ends_with("PRIVATE KEY"));
    if wanted == Wanted::PrivateKey
        && (has("ENCRYPTED PRIVATE KEY") || is_encrypted_in_place(bytes))
    {
        return format!(
            "is an encrypted private key, and the gateway has no passphrase: \
             `openssl pkey -in {file} -out plain.key` decrypts it (then mode 0600)"
        );
    }
    if let Some(what) = other_block(&labels, file) {
        return what;
    }
    match wanted {
        Wanted::Certificates if has_key() => {
            "holds a private key and no certificate: it belongs to the key \
             `private_key`; name the certificate here"
                .to_owned()
        }
        Wanted::PrivateKey if has("CERTIFICATE") => {
            "holds a certificate and no private key: it belongs to the \
             key `certificate`; name the private key here"
                .to_owned()
        }
        Wanted::PrivateKey if has("PUBLIC KEY") => {
            "holds a public key: name the private key that belongs to it".to_owned()
        }
        _ => {
            let found = labels.join(", ");
            format!("holds {found} and not {} in PEM form", wanted.text())
        }
    }
}

/// Returns the diagnosis of a file with a block that is neither a certificate nor a key of TLS.
fn other_block(labels: &[String], file: &str) -> Option<String> {
    let has = |label: &str| labels.iter().any(|found| found == label);
    for (label, what) in [
        (
            "CERTIFICATE REQUEST",
            "a certificate request (CSR): send it to the authority and name the certificate that comes back",
        ),
        (
            "NEW CERTIFICATE REQUEST",
            "a certificate request (CSR): send it to the authority and name the certificate that comes back",
        ),
        (
            "OPENSSH PRIVATE KEY",
            "a key of OpenSSH, which TLS does not use: make one with `openssl genpkey`",
        ),
        (
            "DSA PRIVATE KEY",
            "a DSA key, which TLS no longer has: make an RSA or EC key with `openssl genpkey`",
        ),
    ] {
        if has(label) {
            return Some(format!("is {what}"));
        }
    }
    if has("PKCS7") {
        return Some(format!(
            "is PKCS#7: `openssl pkcs7 -in {file} -print_certs -out chain.pem` takes the certificates out"
        ));
    }
    if has("TRUSTED CERTIFICATE") {
        return Some(format!(
            "is a certificate in OpenSSL's own form: `openssl x509 -in {file} -out certificate.pem` converts it"
        ));
    }
    None
}

/// Returns why a block that is named as a certificate is none.
pub(super) fn broken_certificate(number: usize) -> String {
    format!(
        "is cut or damaged: certificate {number} in it is no X.509 certificate; copy the file again, whole"
    )
}

/// Returns the labels of the PEM blocks, or the fault of the first block that is not whole.
fn labels(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut labels = Vec::new();
    let mut open: Option<String> = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        let marker = |word: &str| {
            let rest = line.strip_prefix(word)?.strip_suffix("-----")?;
            Some(rest.to_owned())
        };
        if let Some(label) = marker("-----BEGIN ") {
            if let Some(open) = open {
                return Err(cut(&open));
            }
            open = Some(label);
        } else if let Some(label) = marker("-----END ") {
            if open.as_deref() != Some(&label) {
                return Err(format!(
                    "is cut or damaged: its line `-----END {label}-----` ends no block; copy the file again, whole"
                ));
            }
            labels.extend(open.take());
        }
    }
    match open {
        Some(label) => Err(cut(&label)),
        None => Ok(labels),
    }
}

fn cut(label: &str) -> String {
    format!(
        "is cut: `-----BEGIN {label}-----` has no `-----END {label}-----`; copy the file again, whole"
    )
}

/// Whether a key is encrypted in the older form, with headers inside the block.
pub(super) fn is_encrypted_in_place(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"Proc-Type:") && line.trim_ascii().ends_with(b"ENCRYPTED"))
}

/// Returns the diagnosis of a file without a PEM block.
fn without_pem(bytes: &[u8], wanted: Wanted, file: &str) -> String {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return "is UTF-16 text: save it as plain text (ASCII or UTF-8)".to_owned();
    }
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        return format!(
            "is a Java keystore: `keytool -importkeystore -srckeystore {file} -destkeystore store.p12 \
             -deststoretype PKCS12` makes it PKCS#12, from which openssl takes certificate and key"
        );
    }
    let kind = der_kind(bytes);
    match (kind, wanted) {
        (Some(Der::Certificate), Wanted::Certificates) => format!(
            "is a certificate in DER form: `openssl x509 -inform DER -in {file} -out certificate.pem` \
             converts it to PEM"
        ),
        (Some(Der::Certificate), Wanted::PrivateKey) => {
            "is a certificate (in DER form) and no private key: \
             name the private key here, in PEM form"
                .to_owned()
        }
        (Some(Der::PrivateKey), Wanted::PrivateKey) => format!(
            "is a private key in DER form: `openssl pkey -inform DER -in {file} -out private.key` converts it \
             to PEM (then mode 0600)"
        ),
        (Some(Der::PrivateKey), Wanted::Certificates) => {
            "is a private key (in DER form) and no certificate: \
             name the certificate here, in PEM form"
                .to_owned()
        }
        (Some(Der::Pkcs12), Wanted::Certificates) => format!(
            "is PKCS#12 (.p12, .pfx): `openssl pkcs12 -in {file} -nokeys -out certificate.pem` takes the \
             certificates out; the server's own must come first"
        ),
        (Some(Der::Pkcs12), Wanted::PrivateKey) => format!(
            "is PKCS#12 (.p12, .pfx): `openssl pkcs12 -in {file} -nocerts -noenc -out private.key` takes the \
             key out (then mode 0600)"
        ),
        (Some(Der::Pkcs7), _) => format!(
            "is PKCS#7 (.p7b): `openssl pkcs7 -inform DER -in {file} -print_certs -out chain.pem` takes the \
             certificates out"
        ),
        (None, _) => format!(
            "has no PEM block: it must hold {} between `-----BEGIN …-----` and `-----END …-----`",
            wanted.text()
        ),
    }
}

/// The kinds of DER files that are met in place of PEM files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Der {
    Certificate,
    PrivateKey,
    Pkcs12,
    Pkcs7,
}

/// Recognizes a DER file by the tag of what its outer sequence begins with.
fn der_kind(bytes: &[u8]) -> Option<Der> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    if X509Certificate::from_der(bytes).is_ok() {
        return Some(Der::Certificate);
    }
    let (first, rest) = bytes.split_first()?;
    if *first != SEQUENCE {
        return None;
    }
    // A short length is its own byte, a long one says how many bytes follow.
    let (length, rest) = rest.split_first()?;
    let skipped = usize::from(length & 0x7f) * usize::from(length >> 7);
    match rest.get(skipped..)? {
        // The version of PKCS#12 is 3; PKCS#8, RSA and EC keys have 0 or 1.
        [INTEGER, 1, 3, ..] => Some(Der::Pkcs12),
        [INTEGER, 1, 0 | 1, ..] => Some(Der::PrivateKey),
        [OBJECT_IDENTIFIER, ..] => Some(Der::Pkcs7),
        // What begins like a certificate's inner sequence, but cannot be parsed.
        [SEQUENCE, ..] => Some(Der::Certificate),
        _ => None,
    }
}

/// Reads the certificates of a PEM file.
///
/// # Errors
/// The diagnosis.
pub(super) fn certificates(
    bytes: &[u8],
    file: &str,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(diagnosis(bytes, Wanted::Certificates, file)),
        Err(error) => Err(match labels(bytes) {
            Err(fault) => fault,
            Ok(_) => format!("is cut or damaged ({error}); copy the file again, whole"),
        }),
    }
}
