//! Tests of the contents that TLS files may have.
#![allow(clippy::unwrap_used)]

use super::*;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_fault_names_the_file_and_the_cause() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let good = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let certificate = write(folder.path(), "good.pem", &good.cert.pem());
    let key = write(folder.path(), "good.key", &good.signing_key.serialize_pem());
    let strange_key = write(folder.path(), "strange.key", &other.serialize_pem());
    let empty = write(folder.path(), "empty.pem", "");
    let absent = folder.path().join("absent.pem");

    let off = || ClientVerification::Off;
    let required = |file: &PathBuf| ClientVerification::Required(file.clone());
    let cases = [
        (&certificate, &key, off(), None),
        (&certificate, &key, required(&certificate), None),
        (&absent, &key, off(), Some((&absent, "No such file"))),
        (&empty, &key, off(), Some((&empty, "is empty"))),
        (
            &key,
            &key,
            off(),
            Some((&key, "holds a private key and no certificate")),
        ),
        (
            &certificate,
            &absent,
            off(),
            Some((&absent, "No such file")),
        ),
        (
            &certificate,
            &certificate,
            off(),
            Some((&certificate, "holds a certificate and no private key")),
        ),
        (
            &certificate,
            &strange_key,
            off(),
            Some((&strange_key, "does not belong")),
        ),
        (
            &certificate,
            &key,
            required(&empty),
            Some((&empty, "is empty")),
        ),
    ];
    for (certificate, private_key, client_auth, fault) in cases {
        let files = ServerFiles {
            certificate: certificate.clone(),
            private_key: private_key.clone(),
            client_auth,
        };
        match (ServerTls::load(&files), fault) {
            (Ok(_), None) => {}
            (Err(found), Some((file, what))) => {
                assert_eq!(&found.file, file);
                assert!(found.what.contains(what), "{found}");
            }
            (loaded, fault) => panic!("{files:?}: {loaded:?}, not {fault:?}"),
        }
    }
}

#[test]
fn a_client_certificate_needs_its_key() {
    install_provider();
    let file = Path::new("agency.pem");
    assert!(client_config(ClientFiles::default()).is_ok());
    let halves = [(Some(file), None), (None, Some(file))];
    for (certificate, private_key) in halves {
        let files = ClientFiles {
            ca: None,
            certificate,
            private_key,
        };
        assert_eq!(client_config(files).unwrap_err().file, file);
    }
}

#[test]
fn sessions_are_not_resumed_on_listeners_that_verify_clients() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let good = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = write(folder.path(), "good.pem", &good.cert.pem());
    let private_key = write(folder.path(), "good.key", &good.signing_key.serialize_pem());
    for client_auth in [
        ClientVerification::Optional(certificate.clone()),
        ClientVerification::Required(certificate.clone()),
    ] {
        let files = ServerFiles {
            certificate: certificate.clone(),
            private_key: private_key.clone(),
            client_auth,
        };
        let config = ServerTls::load(&files).unwrap().current().config();
        assert_eq!(config.send_tls13_tickets, 0);
        assert!(!config.session_storage.can_cache());
        assert!(!config.ticketer.enabled());
    }
}
