//! TLS, users and passwords.

use std::path::Path;
use std::sync::Arc;

use ledger::redis::{Node, Password, Settings, SharedStore, Swap, Topology};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

use crate::server::{Server, free_port};
use crate::store::{in_reach, never_in_reach, settings, values, write};

const PASSWORD: &str = "a-long-password";

/// The deployment's list of users with a test password.
fn users() -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/redis/users.acl");
    let list = std::fs::read_to_string(shipped).unwrap();
    let words = list.split_inclusive(char::is_whitespace).map(|word| {
        let end = word.trim_start_matches(|letter: char| !letter.is_whitespace());
        if word.starts_with("#REPLACE_") {
            format!(">{PASSWORD}{end}")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// Certificates for 127.0.0.1, and the users' list, as files.
struct Papers {
    folder: TempDir,
    ca: CertificateDer<'static>,
}

impl Papers {
    fn issue() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &ca).unwrap();
        for (name, text) in [
            ("ca.pem", ca.pem()),
            ("server.pem", server.pem()),
            ("server.key", key.serialize_pem()),
            ("users.acl", users()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self {
            folder,
            ca: ca.der().clone(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts a server that accepts TLS only.
    fn server(&self, port: u16) -> Server {
        let (ca, certificate, key) = (
            self.path("ca.pem"),
            self.path("server.pem"),
            self.path("server.key"),
        );
        let tls_port = port.to_string();
        let arguments = [
            "--port",
            "0",
            "--tls-port",
            &tls_port,
            "--tls-auth-clients",
            "no",
            "--tls-ca-cert-file",
            &ca,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--aclfile",
            &self.path("users.acl"),
        ];
        Server::launch(port, &arguments)
    }

    fn tls(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    fn settings(&self, port: u16) -> Settings {
        Settings {
            username: Some("gateway".to_owned()),
            password: Some(Password::new(PASSWORD)),
            tls: Some(self.tls()),
            ..settings(Topology::Standalone(Node::new("127.0.0.1", port)))
        }
    }
}

#[tokio::test]
async fn the_user_of_the_deployment_may_run_every_command_of_the_store_over_tls() {
    let papers = Papers::issue();
    let port = free_port();
    let _server = papers.server(port);
    let store = SharedStore::start(papers.settings(port));
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    let conflict = Swap::Conflict(values(&[Some("1")]));
    assert_eq!(write(&store, "B0001", "a", "2").await, Ok(conflict));
    assert!(store.warnings().is_empty());
}

#[tokio::test]
async fn a_user_may_only_touch_keys_of_the_prefix() {
    let papers = Papers::issue();
    let port = free_port();
    let _server = papers.server(port);
    let ours = SharedStore::start(papers.settings(port));
    in_reach(&ours).await;
    let theirs = SharedStore::start(Settings {
        key_prefix: "other".to_owned(),
        ..papers.settings(port)
    });
    never_in_reach(&theirs).await;
}

#[tokio::test]
async fn a_wrong_password_an_unknown_authority_and_plain_text_reach_nothing() {
    let papers = Papers::issue();
    let port = free_port();
    let _server = papers.server(port);
    in_reach(&SharedStore::start(papers.settings(port))).await;
    let stranger = Papers::issue();
    for settings in [
        Settings {
            password: Some(Password::new("wrong")),
            ..papers.settings(port)
        },
        Settings {
            username: None,
            ..papers.settings(port)
        },
        Settings {
            username: None,
            password: None,
            ..papers.settings(port)
        },
        Settings {
            tls: Some(stranger.tls()),
            ..papers.settings(port)
        },
        Settings {
            tls: None,
            ..papers.settings(port)
        },
    ] {
        never_in_reach(&SharedStore::start(settings)).await;
    }
}

#[test]
fn settings_show_no_secret() {
    let settings = Settings {
        username: Some("gateway".to_owned()),
        password: Some(Password::new(PASSWORD)),
        ..settings(Topology::Standalone(Node::new("127.0.0.1", 1)))
    };
    assert!(!format!("{settings:?}").contains(PASSWORD));
}
