//! The exact texts of all faults.

use super::folder::{Folder, KAKAO, biller, pem};

#[test]
fn unknown_keys_and_wrong_types_are_faults() {
    assert_faults(&[
        // Unknown keys.
        (
            "colour = 1",
            "colour: unknown key; known here: listen, ops, budget, limits, circuit, kakao, ledger, tracing, billers (line 4)",
        ),
        (
            "[limit]\n",
            "limit: unknown key; did you mean `limits`? (line 4)",
        ),
        (
            "[limits]\nrequest-body = 1",
            "limits.request-body: unknown key; did you mean `request_body`? (line 5)",
        ),
        (
            "\n\nlimits.\"a\\nb\" = 1",
            "limits.a\\nb: unknown key; known here: request_body, answer_body, head_timeout, idle_timeout, connections, connections_per_address, drain (line 6)",
        ),
        // Wrong types.
        (
            "budget = 3",
            "budget: must be a table, not an integer (line 4)",
        ),
        (
            "[[limits]]",
            "limits: must be a table, not an array (line 4)",
        ),
        (
            "[budget]\ntotal = 3",
            "budget.total: must be a duration such as \"3s\" (units ms, s, m, h, d), not an integer (line 5)",
        ),
        (
            "[listen]\npublic = 8080",
            "listen.public: must be a string, not an integer (line 5)",
        ),
        (
            "[listen]\ntrusted_proxies = '10.0.0.1'",
            "listen.trusted_proxies: must be an array, not a string (line 5)",
        ),
    ]);
}

#[test]
fn values_out_of_bounds_are_faults() {
    assert_faults(&[
        (
            "[budget]\ntotal = '61s'",
            "budget.total: must be from 100ms to 1m, not 61s (line 5)",
        ),
        (
            "[limits]\nrequest_body = 0",
            "limits.request_body: must be from 1KiB to 16MiB, not 0 (line 5)",
        ),
        (
            "[limits]\nanswer_body = '65MiB'",
            "limits.answer_body: must be from 1KiB to 64MiB, not 65MiB (line 5)",
        ),
        (
            "[limits]\nhead_timeout = '1h'",
            "limits.head_timeout: must be from 100ms to 1m, not 1h (line 5)",
        ),
        (
            "[limits]\nidle_timeout = '0s'",
            "limits.idle_timeout: must be from 100ms to 1h, not 0s (line 5)",
        ),
        (
            "[limits]\nconnections = 0",
            "limits.connections: must be from 1 to 1000000, not 0 (line 5)",
        ),
        (
            "[limits]\nconnections_per_address = -1",
            "limits.connections_per_address: must be from 1 to 1000000, not -1 (line 5)",
        ),
        (
            "[limits]\ndrain = '11m'",
            "limits.drain: must be from 0s to 10m, not 11m (line 5)",
        ),
        (
            "[circuit]\nfailures = 0",
            "circuit.failures: must be from 1 to 1000000, not 0 (line 5)",
        ),
        (
            "[circuit]\nopen_for = '1ms'",
            "circuit.open_for: must be from 100ms to 10m, not 1ms (line 5)",
        ),
        (
            "[ops]\nadmin_token_sha256 = 's3cret'",
            "ops.admin_token_sha256: must be a SHA-256 digest of 64 hexadecimal digits, not other characters: `gateway token` makes a token and its digest, `printf %s \"$TOKEN\" | sha256sum` the digest of one (line 5)",
        ),
    ]);
}

#[test]
fn values_of_the_ledger_out_of_bounds_are_faults() {
    assert_faults(&[
        (
            "[ledger]\nretention = '23h'",
            "ledger.retention: must be from 1d to 3650d, not 23h (line 5)",
        ),
        (
            "[ledger]\nretention_paid = '0d'",
            "ledger.retention_paid: must be from 1d to 7305d, not 0d (line 5)",
        ),
        (
            "[ledger]\nkeep_bodies = '7306d'",
            "ledger.keep_bodies: must be from 1d to 7305d, not 7306d (line 5)",
        ),
        (
            "[ledger]\ncache = '2048GiB'",
            "ledger.cache: must be from 0B to 1024GiB, not 2048GiB (line 5)",
        ),
        (
            "[ledger]\ncache = '256MB'",
            "ledger.cache: must be a size such as \"64KiB\" (units B, KiB, MiB, GiB) or a number of bytes, not `256MB` (line 5)",
        ),
        (
            "[ledger]\ncopies = 0",
            "ledger.copies: must be from 1 to 2, not 0 (line 5)",
        ),
        (
            "[ledger]\ncopies = 3",
            "ledger.copies: must be from 1 to 2, not 3 (line 5)",
        ),
        (
            "[ledger]\ncopies = '2'",
            "ledger.copies: must be an integer, not a string (line 5)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\nkeep = '999ms'",
            "ledger.redis.keep: must be from 1s to 3650d, not 999ms (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\nstream = '1023KiB'",
            "ledger.redis.stream: must be from 1MiB to 64GiB, not 1023KiB (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\nwait_replicas = 17",
            "ledger.redis.wait_replicas: must be from 0 to 16, not 17 (line 6)",
        ),
        (
            "[ledger]\npath = ''",
            "ledger.path: must be a path that is not empty and has no NUL (line 5)",
        ),
    ]);
}

#[test]
fn faulty_entries_files_and_contradictions_are_faults() {
    assert_faults(&[
        // Entries.
        (
            "[listen]\ntrusted_proxies = [\n  '10.0.0.1',\n  'lb',\n]",
            "listen.trusted_proxies: entry 2: must be an IP address or a network such as `192.0.2.0/24` or `2001:db8::/32`, not `lb` (line 7)",
        ),
        // Several tables.
        (
            "[listen]\npublic = '0.0.0.0:8080'",
            "listen.public: `0.0.0.0:8080` is not a loopback address: the table [listen.tls] is needed (line 5)",
        ),
        (
            "[listen]\nops = '127.0.0.1:8080'",
            "listen.ops: `127.0.0.1:8080` conflicts with `public` `127.0.0.1:8080` (line 5)",
        ),
        (
            "[listen]\nops = '0.0.0.0:8080'\n[ops]\nadmin_token_sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
            "listen.ops: `0.0.0.0:8080` conflicts with `public` `127.0.0.1:8080` (line 5)",
        ),
        // Files.
        (
            "[listen.tls]\ncertificate = 'there.pem'\nprivate_key = 'gone.key'",
            "listen.tls.private_key: `gone.key` cannot be read: No such file or directory (os error 2) (line 6)",
        ),
        (
            "[listen.tls]\ncertificate = 'there.pem'\nprivate_key = 'billers'",
            "listen.tls.private_key: `billers` is not a file (line 6)",
        ),
        (
            "[listen.tls]\nprivate_key = 'there.pem'",
            "listen.tls.certificate: is missing and has no default",
        ),
        (
            "[listen.tls]\ncertificate = 'there.pem'\nprivate_key = 'there.pem'\nclient_auth = 'optional'",
            "listen.tls.client_ca: is missing: `client_auth` needs it",
        ),
        (
            "[listen.tls]\ncertificate = 'there.pem'\nprivate_key = 'there.pem'\nclient_auth = 'on'",
            "listen.tls.client_auth: must be one of `off`, `optional`, `required`, not `on` (line 7)",
        ),
        (
            "[kakao.tls]\ncertificate = 'there.pem'",
            "kakao.tls.certificate: needs `private_key` beside it (line 5)",
        ),
        (
            "[kakao.tls]\nprivate_key = 'there.pem'",
            "kakao.tls.private_key: needs `certificate` beside it (line 5)",
        ),
        (
            "[billers]\ndirectory = 'gone'",
            "billers.directory: the directory `gone` cannot be read: No such file or directory (os error 2) (line 5)",
        ),
        (
            "[billers]\ndirectory = 7",
            "billers.directory: must be a string, not an integer (line 5)",
        ),
    ]);
}

#[test]
fn faults_of_redis_do_not_contain_its_password() {
    assert_faults(&[
        (
            "[ledger.redis]\n",
            "ledger.redis.url: is missing and has no default",
        ),
        (
            "[ledger]\nredis = 'redis://:s3cret@h'",
            "ledger.redis: must be a table, not a string (line 5)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://:s3/cret@h'",
            "ledger.redis.url: the URL has a `/` before its `@` (in a password: %2F) (line 5)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://:s3cret'",
            "ledger.redis.url: the URL names no host (line 5)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://user:s3cret'",
            "ledger.redis.url: the URL must have a port from 1 to 65535 (line 5)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\nkey_prefix = '{relay}'",
            "ledger.redis.key_prefix: must be 1 to 64 characters of [A-Za-z0-9_.-], not `{relay}` (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\npassword = 's3cret'",
            "ledger.redis.password: unknown key; did you mean `password_env`? (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\npassword_env = 's3cret/'",
            "ledger.redis.password_env: must be the name of an environment variable (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\npassword_env = 's3cret'",
            "ledger.redis.password_env: names an environment variable that is not set (its name is not shown, for it may be the password itself) (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\npassword_env = 'RELAY_NO_SUCH_VARIABLE'",
            "ledger.redis.password_env: the environment variable `RELAY_NO_SUCH_VARIABLE` is not set for this process: set it (systemd: `EnvironmentFile=`), or use `password_file` (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://h'\npassword_file = 'empty'",
            "ledger.redis.password_file: `empty` is empty (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://:s3cret@h'\npassword_file = 'there.pem'",
            "ledger.redis.password_file: is a second password: `url` gives one (line 6)",
        ),
        (
            "[ledger.redis]\nurl = 'redis://s3cret@h'\nusername = 'u'",
            "ledger.redis.username: is a second user: `url` gives one (line 6)",
        ),
    ]);
}

/// Asserts the one fault of each part of a main file.
fn assert_faults(table: &[(&str, &str)]) {
    for (toml, expected) in table {
        let folder = Folder::with_main(&format!("{KAKAO}{toml}\n"));
        if !toml.starts_with('[') {
            // A key of the root table precedes the first table.
            folder.write("gateway.toml", format!("\n\n\n{toml}\n{KAKAO}"));
        }
        folder.write("there.pem", pem());
        folder.write("empty", "\n");
        let faults = folder.faults();
        assert_eq!(faults, format!("gateway.toml: {expected}"), "{toml}");
        assert!(!faults.contains("s3cret"), "{faults}");
    }
}

#[test]
fn a_main_file_without_a_valid_base_url_of_kakao_pay_is_faulty() {
    let missing = "gateway.toml: kakao.base_url: is missing and has no default";
    let table = [
        ("", missing.to_owned()),
        ("[kakao]", missing.to_owned()),
        (
            "kakao = true",
            format!("{missing}\ngateway.toml: kakao: must be a table, not a boolean (line 1)"),
        ),
        (
            "[kakao]\nbase_url = 'kakao.example'",
            "gateway.toml: kakao.base_url: the URL must begin with `http://` or `https://` (line 2)"
                .to_owned(),
        ),
        (
            "[kakao]\nbase_url = 'https://u:s3cret@kakao.example'",
            "gateway.toml: kakao.base_url: the URL must have no user or password (`@`) (line 2)"
                .to_owned(),
        ),
    ];
    for (toml, expected) in table {
        assert_eq!(Folder::with_main(toml).faults(), expected, "{toml}");
    }
}

#[test]
fn a_biller_without_code_or_base_url_is_faulty() {
    assert_biller_faults(&[
        (
            "base_url = 'http://a'".to_owned(),
            "code: is missing and has no default",
        ),
        (
            "code = 'B0001'".to_owned(),
            "base_url: is missing and has no default",
        ),
        (
            "code = 'B 1'\nbase_url = 'http://a'".to_owned(),
            "code: must be 1 to 32 characters of [A-Za-z0-9_-], not `B 1` (line 1)",
        ),
        (
            format!("code = '{}'\nbase_url = 'http://a'", "x".repeat(33)),
            "code: must be 1 to 32 characters of [A-Za-z0-9_-], not `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` (line 1)",
        ),
    ]);
}

#[test]
fn each_fault_of_a_billers_file_names_that_file() {
    let digest = "0f".repeat(32);
    assert_biller_faults(&[
        (
            biller("B0001") + "status = 'paused'",
            "status: must be one of `active`, `suspended`, not `paused` (line 5)",
        ),
        (
            biller("B0001") + "name = ''",
            "name: must be 1 to 100 characters, none of them a control character (line 5)",
        ),
        (
            biller("B0001") + "max_in_flight = 0",
            "max_in_flight: must be from 1 to 10000, not 0 (line 5)",
        ),
        (
            biller("B0001") + "requests_per_second = 0",
            "requests_per_second: must be from 1 to 1000000, not 0 (line 5)",
        ),
        (
            biller("B0001") + "burst = '5'",
            "burst: must be an integer, not a string (line 5)",
        ),
        (
            biller("B0001") + "parameter_max_length = 0",
            "parameter_max_length: must be from 1 to 1000, not 0 (line 5)",
        ),
        (
            biller("B0001") + "identity_parameters = ['dong', 'ho', 'dong']",
            "identity_parameters: names `dong` twice (line 5)",
        ),
        (
            biller("B0001") + "identity_parameters = ['']",
            "identity_parameters: entry 1: must be 1 to 100 characters, none of them a control character (line 5)",
        ),
        (
            biller("B0001") + "redeliver = 'on'",
            "redeliver: must be one of `off`, `backoff`, not `on` (line 5)",
        ),
        (
            biller("B0001") + "max_inflight = 1",
            "max_inflight: unknown key; did you mean `max_in_flight`? (line 5)",
        ),
        (
            biller("B0001") + "[tls]\nca = 'gone.pem'",
            "tls.ca: `billers/gone.pem` cannot be read: No such file or directory (os error 2) (line 6)",
        ),
        (
            biller("B0001").replace(&digest, "KakaoAK s3cret"),
            "authorization_sha256: entry 1: must be a SHA-256 digest of 64 hexadecimal digits, not other characters: `printf %s 'THE HEADER VALUE' | sha256sum` makes it of the header's whole value (line 3)",
        ),
        (
            biller("B0001").replace(&digest, &digest[1..]),
            "authorization_sha256: entry 1: must be a SHA-256 digest of 64 hexadecimal digits, not 63 of them: `printf %s 'THE HEADER VALUE' | sha256sum` makes it of the header's whole value (line 3)",
        ),
    ]);
}

/// Asserts the one fault of each biller's file.
fn assert_biller_faults(table: &[(String, &str)]) {
    for (toml, expected) in table {
        let folder = Folder::new();
        folder.write("billers/B0001.toml", toml);
        let expected = format!("billers/B0001.toml: {expected}");
        assert_eq!(folder.faults(), expected, "{toml}");
    }
}

#[test]
fn too_many_entries_are_a_fault() {
    let many = "'10.0.0.1',".repeat(1_001);
    let folder = Folder::with_main(&format!("{KAKAO}[listen]\ntrusted_proxies = [{many}]"));
    let expected =
        "gateway.toml: listen.trusted_proxies: must have at most 1000 entries, not 1001 (line 5)";
    assert_eq!(folder.faults(), expected);
}
