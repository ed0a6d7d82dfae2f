//! Files that hold something else than their key says: each has its sentence.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::{Authority, Certificate, Setup};

use crate::command::{check, openssl};

/// Returns a main file's `[listen]`, whose certificate is on line 5 and whose key is on line 6.
fn listen(certificate: &Path, private_key: &Path) -> String {
    format!(
        "[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n[listen.tls]\n\
         certificate = \"{}\"\nprivate_key = \"{}\"\n",
        certificate.display(),
        private_key.display()
    )
}

/// The files of one folder.
struct Folder<'a>(&'a Path);

impl Folder<'_> {
    /// Makes a file with openssl, whose last argument names it.
    fn made(&self, arguments: &str) -> PathBuf {
        openssl(self.0, arguments);
        self.0.join(arguments.rsplit(' ').next().unwrap())
    }

    fn written(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, bytes).unwrap();
        file
    }
}

#[test]
fn each_kind_of_wrong_file_has_a_sentence_with_file_key_line_and_remedy() {
    let authority = Authority::new();
    let folder = Folder(authority.folder());
    let Certificate {
        chain, private_key, ..
    } = authority.server();
    let other = authority.client("other");
    let text = |file: &Path| fs::read_to_string(file).unwrap();
    let (good, good_key) = (text(&chain), text(&private_key));
    folder.made("req -new -key server.key -subj /CN=old -out old.csr");
    let first = |text: &str| text[..text.len() / 2].to_owned();
    let base64_fault = good.replacen("MII", "M!I", 1);
    let chain_in_reverse = folder.written("reverse.pem", text(&authority.ca()) + &good);
    let missing = folder.0.join("missing.pem");

    let certificates = [
        (
            folder.made("x509 -req -in old.csr -signkey server.key -out v1.pem"),
            "X.509 version 1, which TLS no longer takes: have it issued as version 3",
        ),
        (
            folder.made("x509 -in server.pem -outform DER -out server.der"),
            "in DER form: `openssl x509 -inform DER -in",
        ),
        (
            folder.made(
                "pkcs12 -export -in server.pem -inkey server.key -passout pass:x -out server.p12",
            ),
            "is PKCS#12 (.p12, .pfx): `openssl pkcs12 -in",
        ),
        (
            folder.made("crl2pkcs7 -nocrl -certfile server.pem -outform DER -out server.p7b"),
            "is PKCS#7 (.p7b): `openssl pkcs7 -inform DER -in",
        ),
        (
            folder.made("crl2pkcs7 -nocrl -certfile server.pem -out server.p7"),
            "is PKCS#7: `openssl pkcs7 -in",
        ),
        (
            folder.made("x509 -in server.pem -trustout -out trusted.pem"),
            "in OpenSSL's own form: `openssl x509 -in",
        ),
        (
            folder.made("pkey -in server.key -outform DER -out key.der"),
            "is a private key (in DER form) and no certificate",
        ),
        (
            folder.written("csr.pem", text(&folder.0.join("old.csr"))),
            "is a certificate request (CSR)",
        ),
        (
            private_key.clone(),
            "holds a private key and no certificate: it belongs to the key `private_key`",
        ),
        (
            folder.written("cut.pem", first(&good)),
            "is cut: `-----BEGIN CERTIFICATE-----` has no `-----END CERTIFICATE-----`; copy the file again",
        ),
        (
            folder.written("base64.pem", base64_fault),
            "is cut or damaged",
        ),
        (
            folder.written("cut.der.pem", cut_inside(&good)),
            "is cut or damaged: certificate 1 in it is no X.509 certificate",
        ),
        (
            folder.written("bom.pem", format!("\u{feff}{good}")),
            "begins with a byte-order mark",
        ),
        (folder.written("utf16.pem", utf16(&good)), "is UTF-16 text"),
        (
            folder.written("store.jks", b"\xfe\xed\xfe\xed\0\0\0\x02"),
            "is a Java keystore: `keytool",
        ),
        (
            folder.written("empty.pem", ""),
            "is empty; it must hold a certificate in PEM form",
        ),
        (
            folder.written("words.pem", "secret words"),
            "has no PEM block",
        ),
        (missing, "cannot be read: No such file or directory"),
        (chain_in_reverse, "has its certificates in the wrong order"),
    ];
    let keys = [
        (
            folder.made("pkey -in server.key -aes256 -passout pass:x -out encrypted.key"),
            "is an encrypted private key, and the gateway has no passphrase: `openssl pkey -in",
        ),
        (
            folder.made("ec -in server.key -aes256 -passout pass:x -out encrypted.old.key"),
            "is an encrypted private key",
        ),
        (
            folder.made("pkey -in server.key -outform DER -out server.key.der"),
            "is a private key in DER form: `openssl pkey -inform DER -in",
        ),
        (
            folder.made("pkey -in server.key -pubout -out public.key"),
            "holds a public key",
        ),
        (
            folder.made("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key"),
            "a key of a kind that is not supported: RSA with 2048",
        ),
        (
            folder.0.join("server.p12"),
            "is PKCS#12 (.p12, .pfx): `openssl pkcs12 -in",
        ),
        (
            folder.0.join("server.der"),
            "is a certificate (in DER form) and no private key",
        ),
        (
            chain.clone(),
            "holds a certificate and no private key: it belongs to the key `certificate`",
        ),
        (
            folder.written("cut.key", first(&good_key)),
            "is cut: `-----BEGIN PRIVATE KEY-----` has no",
        ),
        (other.private_key, "does not belong to the certificate in"),
    ];
    let certificates =
        certificates.map(|(file, what)| (file, private_key.clone(), "certificate", 5, what));
    let keys = keys.map(|(file, what)| (chain.clone(), file, "private_key", 6, what));
    for (certificate, private_key, key, line, what) in certificates.into_iter().chain(keys) {
        let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1")
            .with(&listen(&certificate, &private_key));
        let main = setup.write();
        let printed = check(&main, &[]);
        let file = if line == 5 { certificate } else { private_key };
        let begin = format!(
            "{}: listen.tls.{key}: `{}` ",
            main.display(),
            file.display()
        );
        assert_eq!(printed.code, Some(1), "{what}: {printed:?}");
        assert_eq!(printed.err.lines().count(), 1, "{}", printed.err);
        assert!(printed.err.starts_with(&begin), "{}", printed.err);
        assert!(printed.err.contains(what), "{what}: {}", printed.err);
        assert!(
            printed.err.ends_with(&format!(" (line {line})\n")),
            "{}",
            printed.err
        );
        assert!(!printed.err.contains(&good_key[40..80]), "the key is shown");
    }
}

/// Returns a PEM certificate whose DER form lacks its end, in valid base64.
fn cut_inside(pem: &str) -> String {
    let lines: Vec<&str> = pem.lines().collect();
    let kept = [&lines[..4], &lines[lines.len() - 1..]].concat();
    kept.join("\n")
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn all_faults_at_once_include_the_contents_of_every_file() {
    let authority = Authority::new();
    let server = authority.server();
    let words = authority.folder().join("words.pem");
    fs::write(&words, "words").unwrap();
    let words_key = format!("ca = \"{}\"", words.display());
    let setup = Setup::new("https://kakao.invalid", "https://biller.invalid")
        .with(&listen(&server.private_key, &server.private_key))
        .with("[budget]\ntotal = \"1ms\"")
        .with("[ledger.redis]\nurl = \"rediss://127.0.0.1\"\npassword_env = \"RELAY_NO_SUCH_VARIABLE\"")
        .with(&words_key)
        .kakao(&format!("[kakao.tls]\n{words_key}"))
        .biller("B0002", "https://biller.invalid", &format!("[tls]\n{words_key}"))
        // Not used, so not read.
        .biller("B0003", "http://127.0.0.1:1", &format!("[tls]\n{words_key}"));
    let printed = check(&setup.write(), &[]);
    let found: Vec<&str> = printed
        .err
        .lines()
        .map(|line| line.split(": ").nth(1).unwrap())
        .collect();
    let expected = [
        "tls.ca",
        "listen.tls.certificate",
        "budget.total",
        "ledger.redis.password_env",
        "ledger.redis.ca",
        "kakao.tls.ca",
    ];
    assert_eq!(found, expected, "{}", printed.err);
    assert!(
        printed.err.contains("`RELAY_NO_SUCH_VARIABLE` is not set"),
        "{}",
        printed.err
    );
}
