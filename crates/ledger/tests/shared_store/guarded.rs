//! TLS, users and passwords.

use std::path::Path;
use std::sync::Arc;

use ledger::redis::{
    Password, ServerAddress, Settings, SharedStore, Step, Swap, Topology, inquire,
};
use rustls::{ClientConfig, RootCertStore};
use test_support::certificates::read_certificates;
use test_support::{Authority, RedisServer};

use crate::store::{in_reach, never_in_reach, node, settings, values, write};

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

/// A server that accepts TLS only, and the authority of its certificate.
struct Guarded {
    authority: Authority,
    server: RedisServer,
}

impl Guarded {
    fn start() -> Self {
        let authority = Authority::new();
        let list = authority.folder().join("users.acl");
        std::fs::write(&list, users()).unwrap();
        let arguments = ["--aclfile", list.to_str().unwrap()];
        let server = RedisServer::tls(&authority.ca(), &authority.server(), &arguments);
        Self { authority, server }
    }

    fn settings(&self) -> Settings {
        Settings {
            username: Some("gateway".to_owned()),
            password: Some(Password::new(PASSWORD)),
            tls: Some(trusting(&self.authority)),
            ..settings(Topology::Standalone(node(self.server.port())))
        }
    }
}

fn trusting(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read_certificates(&authority.ca()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[tokio::test]
async fn the_user_of_the_deployment_may_run_every_command_of_the_store_over_tls() {
    let guarded = Guarded::start();
    let store = SharedStore::start(guarded.settings());
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    let conflict = Swap::Conflict(values(&[Some("1")]));
    assert_eq!(write(&store, "B0001", "a", "2").await, Ok(conflict));
    assert!(store.warnings().is_empty());
}

#[tokio::test]
async fn a_user_may_only_touch_keys_of_the_prefix() {
    let guarded = Guarded::start();
    let ours = SharedStore::start(guarded.settings());
    in_reach(&ours).await;
    let theirs = SharedStore::start(Settings {
        key_prefix: "other".to_owned(),
        ..guarded.settings()
    });
    never_in_reach(&theirs).await;
}

#[tokio::test]
async fn a_wrong_password_an_unknown_authority_and_plain_text_reach_nothing() {
    let guarded = Guarded::start();
    in_reach(&SharedStore::start(guarded.settings())).await;
    for settings in [
        Settings {
            password: Some(Password::new("wrong")),
            ..guarded.settings()
        },
        Settings {
            username: None,
            ..guarded.settings()
        },
        Settings {
            username: None,
            password: None,
            ..guarded.settings()
        },
        Settings {
            tls: Some(trusting(&Authority::new())),
            ..guarded.settings()
        },
        Settings {
            tls: None,
            ..guarded.settings()
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
        ..settings(Topology::Standalone(ServerAddress::new("127.0.0.1", 1)))
    };
    assert!(!format!("{settings:?}").contains(PASSWORD));
}

#[test]
#[allow(clippy::too_many_lines)]
fn an_inquiry_says_at_which_step_a_server_is_lost() {
    let guarded = Guarded::start();
    let right = guarded.settings();
    test_support::redis::eventually("the server answers", || {
        inquire(&right)
            .iter()
            .all(|inquiry| inquiry.fault.is_none())
    });
    let open = RedisServer::start();
    let plain = || settings(Topology::Standalone(node(open.port())));
    let silent = test_support::free_port();
    // settings | the step that fails, and whether user or password are refused
    for (settings, expected) in [
        (plain(), None),
        (
            Settings {
                password: Some(Password::new("wrong")),
                ..guarded.settings()
            },
            Some((Step::LogIn, true)),
        ),
        (
            Settings {
                username: None,
                password: None,
                ..guarded.settings()
            },
            Some((Step::LogIn, true)),
        ),
        (
            Settings {
                key_prefix: "other".to_owned(),
                ..guarded.settings()
            },
            Some((Step::LogIn, true)),
        ),
        (
            Settings {
                password: Some(Password::new("needless")),
                ..plain()
            },
            Some((Step::LogIn, true)),
        ),
        (
            Settings {
                tls: Some(trusting(&Authority::new())),
                ..guarded.settings()
            },
            Some((Step::Tls, false)),
        ),
        (
            Settings {
                topology: Topology::Standalone(node(silent)),
                ..plain()
            },
            Some((Step::Connect, false)),
        ),
        (
            Settings {
                topology: Topology::Standalone(ServerAddress::new("no-such-host.invalid", 6379)),
                ..plain()
            },
            Some((Step::Name, false)),
        ),
    ] {
        let inquiries = inquire(&settings);
        let [inquiry] = &inquiries[..] else {
            panic!("{inquiries:?}");
        };
        let step = inquiry.fault.as_ref().map(|(step, _)| *step);
        let found = step.map(|step| (step, inquiry.is_refused));
        assert_eq!(found, expected, "{inquiry}");
        assert!(!inquiry.to_string().contains("wrong"), "{inquiry}");
    }
}
