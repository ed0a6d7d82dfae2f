//! The exact texts of all warnings.

use super::folder::{Folder, KAKAO, biller, pem};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
#[allow(clippy::too_many_lines)]
fn questionable_settings_of_the_main_file_are_warnings() {
    let pinned = "pins certificates that `listen.tls` does not request: \
        every call of this party will be refused with E003";
    let tls = "[listen.tls]\ncertificate = 'pem'\nprivate_key = 'pem'";
    let kakao = "[kakao]\nbase_url = 'http://127.0.0.1:9001'";
    let table = [
        (kakao.to_owned(), "kakao.allow_from: is empty: every call of Kakao Pay will be answered E003".to_owned()),
        (
            format!("{kakao}\nallow_from = ['0.0.0.0/0']"),
            "kakao.allow_from: admits every address and no certificate is pinned: anyone can report a payment (line 3)".to_owned(),
        ),
        (
            KAKAO.replace("127.0.0.1", "10.0.0.1"),
            "kakao.base_url: is http: bills and payments are sent unencrypted (line 2)".to_owned(),
        ),
        (format!("{KAKAO}[kakao.tls]"), "kakao.tls: is not used: `base_url` is http (line 4)".to_owned()),
        (format!("{KAKAO}client_certificates = ['{DIGEST}']"), format!("kakao.client_certificates: {pinned}")),
        (format!("{KAKAO}client_certificates = ['{DIGEST}']\n{tls}"), format!("kakao.client_certificates: {pinned}")),
        (
            KAKAO.replace(":9001", ":9001/external/inquiry-payment/one-time/url/"),
            "kakao.base_url: ends in `/external/inquiry-payment/one-time/url`, which the gateway appends itself: \
             `http://127.0.0.1:9001/external/inquiry-payment/one-time/url/external/inquiry-payment/one-time/url` \
             would be called; `http://127.0.0.1:9001` is probably meant (line 2)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[budget]\ntotal = '3001ms'"),
            "budget.total: is above 3 s, after which Kakao Pay itself gives up: it does not hear answers that come \
             later (line 5)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[listen]\nops = '0.0.0.0:9464'\n[ops]\nadmin_token_sha256 = '{DIGEST}'"),
            "ops.admin_token_sha256: is used over plain HTTP beyond loopback (`listen.ops`): who listens on that \
             network reads the token; use a loopback address, and a tunnel or a TLS proxy to it (line 7)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[listen]\nops = '0.0.0.0:9464'"),
            "ops.admin_token_sha256: is missing: `listen.ops` is reachable from outside and the admin API is off".to_owned(),
        ),
        (
            format!("{KAKAO}[listen]\ntrusted_proxies = ['::/0']"),
            "listen.trusted_proxies: trusts every address: any caller can claim any source address (line 5)".to_owned(),
        ),
        (
            format!("{KAKAO}[listen]\nproxy_protocol = true"),
            "listen.proxy_protocol: has no effect: `trusted_proxies` is empty, and a PROXY header is read from these only (line 5)".to_owned(),
        ),
        (
            format!("{KAKAO}[limits]\ndrain = '2s'"),
            "limits.drain: is shorter than `budget.total`: SIGTERM can cut calls in flight (line 5)".to_owned(),
        ),
        (
            format!("{KAKAO}[ledger.redis]\nurl = 'redis://h'\nca = 'pem'\nkey_file = 'redis.key'"),
            "ledger.redis.ca: is not used: only rediss URLs are encrypted (line 6)".to_owned(),
        ),
        (
            format!("{KAKAO}[ledger.redis]\nurl = 'redis://h'"),
            "ledger.redis.key_file: is missing: whoever can write to Redis can make a paid bill payable again, or an \
             unpaid one paid"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[ledger]\ncopies = 2"),
            "ledger.copies: has no effect: without `[ledger.redis]` the journal is the only copy (line 5)".to_owned(),
        ),
        (
            format!("{KAKAO}[ledger]\nretention = '29d'\n[ledger.redis]\nurl = 'redis://h'\nkey_file = 'redis.key'\nkeep = '30d'"),
            "ledger.redis.keep: is longer than `ledger.retention`: bills that were never paid are forgotten before it \
             ends (line 9)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[ledger]\ncopies = 1\n[ledger.redis]\nurl = 'redis://h'\nkey_file = 'redis.key'\nwait_replicas = 1"),
            "ledger.redis.wait_replicas: has no effect: with `ledger.copies = 1` no payment waits for Redis (line 9)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[ledger]\nretention_paid = '1826d'"),
            "ledger.retention_paid: is below 1827d: records of payments above 10,000 won are to be kept for five years \
             (전자금융거래법 시행령 제12조), and a paid bill that is forgotten can be paid again (line 5)"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[ledger]\nretention = '1828d'"),
            "ledger.retention_paid: is below `retention`: paid bills would be forgotten before bills that were never \
             paid"
                .to_owned(),
        ),
        (
            format!("{KAKAO}[billers]\ndirectory = 'none'"),
            "billers.directory: contains no biller's file: every call will be answered E003".to_owned(),
        ),
    ];
    for (toml, expected) in table {
        let folder = Folder::with_main(&toml);
        std::fs::create_dir(folder.path("none")).unwrap();
        folder.write("pem", pem());
        folder.write("redis.key", "k".repeat(32));
        assert_eq!(
            folder.warnings(),
            format!("gateway.toml: {expected}"),
            "{toml}"
        );
    }
}

#[test]
fn questionable_settings_of_a_billers_file_are_warnings() {
    let link = "is empty: every link call of this biller will be refused";
    let table = [
        (
            biller("B0001").replace("allow_from = ['127.0.0.0/8']", ""),
            format!("allow_from: {link}"),
        ),
        (
            biller("B0001").replace(&format!("'{}'", "0f".repeat(32)), ""),
            format!("authorization_sha256: {link} (line 3)"),
        ),
        (
            biller("B0001").replace(":9002/", ":9002/v1/kakao/pay-result"),
            "base_url: ends in `/kakao/pay-result`, which the gateway appends itself: \
             `http://127.0.0.1:9002/v1/kakao/pay-result/kakao/pay-result` would be called; \
             `http://127.0.0.1:9002/v1` is probably meant (line 2)"
                .to_owned(),
        ),
        (
            biller("B7"),
            "code: differs from the file's name: `B7.toml` would match (line 1)".to_owned(),
        ),
        (
            format!("{}client_certificates = ['{DIGEST}']", biller("B0001")),
            "client_certificates: pins certificates that `listen.tls` does not request: \
             every call of this party will be refused with E003"
                .to_owned(),
        ),
    ];
    for (toml, expected) in table {
        let folder = Folder::new();
        folder.write("billers/B0001.toml", &toml);
        assert_eq!(
            folder.warnings(),
            format!("billers/B0001.toml: {expected}"),
            "{toml}"
        );
    }
}

#[test]
fn the_default_time_of_values_is_no_warning_beside_a_shorter_retention() {
    let folder = Folder::with_main(&format!(
        "{KAKAO}[ledger]\nretention = '30d'\n[ledger.redis]\nurl = 'redis://h'\nkey_file = 'redis.key'"
    ));
    folder.write("redis.key", "k".repeat(32));
    assert_eq!(folder.warnings(), "");
}

#[test]
fn pinned_certificates_are_no_warning_if_certificates_are_requested() {
    let folder = Folder::with_main(&format!(
        "{KAKAO}client_certificates = ['{DIGEST}']\n[listen.tls]\ncertificate = 'pem'\n\
         private_key = 'pem'\nclient_ca = 'pem'\nclient_auth = 'optional'"
    ));
    folder.write("pem", pem());
    assert_eq!(folder.warnings(), "");
}

#[test]
fn only_a_secret_that_others_can_read_is_a_warning() {
    let table = [
        (
            "gateway.toml",
            "[ledger.redis]\nurl = 'redis://:s3cret@h'\nkey_file = 'redis.key'",
            "ledger.redis.url: holds a password and the file can be read by others than its owner; 0600 is enough, or use `password_file` (line 5)",
        ),
        (
            "secret",
            "[ledger.redis]\nurl = 'redis://h'\npassword_file = 'secret'\nkey_file = 'redis.key'",
            "ledger.redis.password_file: `secret` can be read by others than its owner (mode 0640); 0600 is enough (line 6)",
        ),
        (
            "secret",
            "[listen.tls]\ncertificate = 'pem'\nprivate_key = 'secret'",
            "listen.tls.private_key: `secret` can be read by others than its owner (mode 0640); 0600 is enough (line 6)",
        ),
    ];
    for (file, toml, expected) in table {
        let folder = Folder::with_main(&format!("{KAKAO}{toml}"));
        folder.write("pem", pem());
        folder.write("redis.key", "k".repeat(32));
        folder.write("secret", pem());
        assert_eq!(folder.warnings(), "");
        folder.set_mode(file, 0o640);
        assert_eq!(folder.warnings(), format!("gateway.toml: {expected}"));
    }
}

#[test]
fn billers_that_share_a_digest_or_a_url_are_warned_of_once_for_each() {
    let folder = Folder::new();
    let twin = |code: &str| biller("B0001").replace("'B0001'", &format!("'{code}'"));
    folder.write("billers/B0003.toml", twin("B0003"));
    let shared = |more: &str| {
        format!(
            "billers/B0003.toml: authorization_sha256: is also that of `B0001`{more}: the `Authorization` value of one \
             admits calls in the other's name\n\
             billers/B0003.toml: base_url: is also that of `B0001`{more}: the bills and payments of both go to one place"
        )
    };
    assert_eq!(folder.warnings(), shared(""));
    folder.write("billers/B0004.toml", twin("B0004"));
    folder.write("billers/B0005.toml", twin("B0005"));
    assert_eq!(folder.warnings(), shared(", and 2 more have it"));
}
