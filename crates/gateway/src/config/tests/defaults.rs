//! Defaults of absent keys, and values of present ones.

use std::num::NonZeroU32;
use std::time::Duration;

use ledger::Copies;

use super::folder::{Folder, KAKAO, biller, pem};
use crate::config::{ClientAuth, Redeliver, Scheme, Secret, Sha256, Status, Topology, UpstreamTls};

#[test]
fn a_main_file_needs_only_the_base_url_of_kakao_pay() {
    let folder = Folder::new();
    let loaded = folder.load().unwrap();
    let config = loaded.config;
    assert_eq!(config.listen.public.to_string(), "127.0.0.1:8080");
    assert_eq!(config.listen.ops.to_string(), "127.0.0.1:9464");
    assert!(config.listen.trusted_proxies.is_empty());
    assert!(!config.listen.proxy_protocol);
    assert_eq!(config.listen.tls, None);
    assert!(config.ops.hosts.is_empty());
    assert_eq!(config.ops.admin_token_sha256, None);
    assert_eq!(config.budget.total, Duration::from_secs(3));
    assert_eq!(config.limits.request_body_bytes, 65_536);
    assert_eq!(config.limits.answer_body_bytes, 4_194_304);
    assert_eq!(config.limits.head_timeout, Duration::from_secs(5));
    assert_eq!(config.limits.idle_timeout, Duration::from_secs(75));
    assert_eq!(config.limits.connections, 10_000);
    assert_eq!(config.limits.connections_per_address, 1_000);
    assert_eq!(config.limits.drain, Duration::from_secs(10));
    assert_eq!(config.circuit.failures.get(), 20);
    assert_eq!(config.circuit.open_for, Duration::from_secs(5));
    assert_eq!(config.kakao.base_url.scheme(), Scheme::Http);
    assert_eq!(config.kakao.client_certificates, []);
    assert_eq!(config.kakao.tls, UpstreamTls::default());
    assert_eq!(config.ledger.path, folder.path("data/ledger"));
    assert_eq!(config.ledger.retention, Duration::from_hours(9_600));
    assert_eq!(config.ledger.retention_paid, Duration::from_hours(43_848));
    assert_eq!(config.ledger.keep_bodies, Duration::from_hours(2_160));
    assert_eq!(config.ledger.cache_bytes, 256 << 20);
    assert_eq!(config.ledger.low_disk_bytes, 1 << 30);
    assert_eq!(config.ledger.copies, Copies::Two);
    assert_eq!(config.ledger.redis, None);
    assert_eq!(config.tracing.otlp_endpoint, None);
    assert_eq!(config.billers.directory, folder.path("billers"));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_biller_needs_only_its_code_and_base_url() {
    let folder = Folder::new();
    folder.write(
        "billers/B0001.toml",
        "code = 'B0001'\nbase_url = 'https://bill.example/relay/'",
    );
    let loaded = folder.load().unwrap();
    let biller = &loaded.billers[0];
    assert_eq!(biller.code.as_str(), "B0001");
    assert_eq!(biller.name, "B0001");
    assert_eq!(biller.status, Status::Active);
    assert_eq!(biller.base_url.to_string(), "https://bill.example/relay");
    assert_eq!(biller.authorization_sha256, []);
    assert_eq!(biller.allow_from, []);
    assert_eq!(biller.client_certificates, []);
    assert_eq!(biller.max_in_flight, 64);
    assert_eq!(biller.requests_per_second, NonZeroU32::new(200).unwrap());
    assert_eq!(biller.burst, NonZeroU32::new(400).unwrap());
    assert_eq!(biller.parameter_max_length, 8);
    assert_eq!(biller.identity_parameters, Vec::<String>::new());
    assert_eq!(biller.identity_parameters_changed_on, None);
    assert_eq!(biller.redeliver, Redeliver::Off);
    assert_eq!(biller.tls, UpstreamTls::default());
}

#[test]
fn every_key_can_be_set() {
    let folder = Folder::with_main(include_str!("all_keys.toml"));
    std::fs::create_dir(folder.path("tls")).unwrap();
    for file in ["gateway.pem", "gateway.key", "ca.pem", "redis.key"] {
        folder.write(&format!("tls/{file}"), pem());
    }
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    let tls = config.listen.tls.as_ref().unwrap();
    assert_eq!(tls.client_auth, ClientAuth::Required);
    assert_eq!(tls.client_ca, Some(folder.path("tls/ca.pem")));
    assert_eq!(config.listen.trusted_proxies.len(), 2);
    assert_eq!(config.ops.admin_token_sha256, Some(Sha256::of(b"")));
    assert_eq!(config.budget.total, Duration::from_millis(2_500));
    assert_eq!(config.limits.request_body_bytes, 32 << 10);
    assert_eq!(config.limits.connections_per_address, 10);
    assert_eq!(config.circuit.failures.get(), 3);
    assert_eq!(config.kakao.client_certificates, [Sha256::of(b"")]);
    assert_eq!(config.kakao.tls.ca, Some(folder.path("tls/ca.pem")));
    assert_eq!(config.ledger.path, std::path::Path::new("/var/lib/relay"));
    assert_eq!(config.ledger.retention, Duration::from_hours(800 * 24));
    let retention_paid = Duration::from_hours(3_653 * 24);
    assert_eq!(config.ledger.retention_paid, retention_paid);
    assert_eq!(config.ledger.keep_bodies, Duration::from_hours(180 * 24));
    assert_eq!(config.ledger.cache_bytes, 0);
    let collector = config.tracing.otlp_endpoint.unwrap();
    assert_eq!(collector.to_string(), "https://collector.example/otlp");
    let redis = config.ledger.redis.unwrap();
    let shown = "rediss+sentinel://10.0.0.1:26379,10.0.0.2:26379/relay/2";
    assert_eq!(redis.to_string(), shown);
    assert_eq!(redis.key_prefix, "relay.test");
    assert_eq!(redis.keep, Duration::from_hours(800 * 24));
    assert_eq!(redis.stream_bytes, 1 << 20);
    assert_eq!(redis.wait_replicas, 16);
    assert!(redis.key_file.is_some());
    assert_eq!(
        redis.tls.unwrap().private_key,
        Some(folder.path("tls/gateway.key"))
    );
    let service = "relay".to_owned();
    assert_eq!(redis.topology, Topology::Sentinel { service });
}

#[test]
fn redis_needs_only_its_url() {
    let folder = Folder::with_main(&format!("{KAKAO}[ledger.redis]\nurl = 'redis://h'"));
    let redis = folder.load().unwrap().config.ledger.redis.unwrap();
    assert_eq!(redis.to_string(), "redis://h:6379/0");
    assert_eq!(redis.username, None);
    assert_eq!(redis.password, None);
    assert_eq!(redis.key_prefix, "relay");
    assert_eq!(redis.keep, Duration::from_hours(45 * 24));
    assert_eq!(redis.stream_bytes, 256 << 20);
    assert_eq!(redis.wait_replicas, 0);
    assert_eq!(redis.key_file, None);
    assert_eq!(redis.tls, None);
}

#[test]
fn a_payment_has_one_copy_or_two_before_its_biller_hears_of_it() {
    for (number, copies) in [(1, Copies::One), (2, Copies::Two)] {
        let folder = Folder::with_main(&format!(
            "{KAKAO}[ledger]\ncopies = {number}\n[ledger.redis]\nurl = 'redis://h'\nkey_file = 'redis.key'"
        ));
        folder.write("redis.key", "k".repeat(32));
        let loaded = folder.load().unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.ledger.copies, copies);
    }
}

#[test]
fn a_password_comes_from_the_url_a_file_or_the_environment_and_is_never_shown() {
    let password_of_environment = std::env::var("CARGO_PKG_NAME").unwrap();
    for (keys, username, password) in [
        ("url = 'redis://h'", None, None),
        (
            "url = 'redis://relay:from%20url@h'",
            Some("relay"),
            Some("from url"),
        ),
        (
            "url = 'redis://h'\npassword_file = 'p'\nusername = 'u'",
            Some("u"),
            Some(" from file"),
        ),
        (
            "url = 'redis://u@h'\npassword_env = 'CARGO_PKG_NAME'",
            Some("u"),
            Some(&*password_of_environment),
        ),
    ] {
        let folder = Folder::with_main(&format!(
            "{KAKAO}[ledger.redis]\nkey_file = 'redis.key'\n{keys}"
        ));
        folder.write("p", " from file\n");
        folder.write("redis.key", "k".repeat(32));
        let loaded = folder.load().unwrap();
        assert_eq!(loaded.warnings, []);
        let redis = loaded.config.ledger.redis.unwrap();
        assert_eq!(redis.username.as_deref(), username);
        assert_eq!(redis.password.as_ref().map(Secret::expose), password);
        let shown = format!("{redis:?} {redis}");
        if let Some(password) = password {
            assert!(!shown.contains(password), "{shown}");
            assert!(shown.contains("password: Some(***)"), "{shown}");
        }
    }
}

#[test]
fn only_visible_toml_files_are_billers_and_they_are_sorted() {
    let folder = Folder::new();
    for name in [".B9.toml", "B9.toml~", "B9.toml.bak", "README.md"] {
        folder.write(&format!("billers/{name}"), "not = [ toml");
    }
    folder.write("billers/A1.toml", biller("A1"));
    let billers = folder.load().unwrap().billers;
    let codes: Vec<&str> = billers.iter().map(|biller| biller.code.as_str()).collect();
    assert_eq!(codes, ["A1", "B0001", "B0002"]);
}
