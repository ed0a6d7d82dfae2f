//! Reading any file ends with a configuration or with faults.

use proptest::prelude::*;

use super::folder::{Folder, biller};

const TABLES: &str = "listen listen.tls ops budget limits circuit kakao kakao.tls ledger \
    ledger.redis billers tls \"\" \"\\u0000\"";
const KEYS: &str = "public ops trusted_proxies proxy_protocol hosts certificate private_key client_auth client_ca \
    admin_token_sha256 total request_body head_timeout connections failures base_url allow_from \
    client_certificates path retention retention_paid keep_bodies cache \
    low_disk copies url key_prefix keep stream wait_replicas key_file password_file password_env username \
    directory code name burst authorization_sha256 identity_parameters \
    identity_parameters_changed_on max_in_flight redeliver";

fn word_of(words: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words.split_whitespace().collect::<Vec<_>>())
}

/// Random lines of known tables and keys, with values that resemble valid ones.
fn toml_like() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\\PC{0,20}",
        "[0-9]{0,25}(ms|s|m|h|d|KiB|MiB|GiB|B)?",
        "(redis|rediss|http|https)(\\+sentinel|\\+cluster)?://[a-z@:,/%0-9.\\[\\]]{0,20}",
        "[0-9a-f:.]{0,12}(/[0-9]{1,3})?",
        "[0-9a-fA-F]{64}",
    ]
    .prop_map(|text| toml::Value::String(text).to_string());
    let scalar = prop_oneof![
        text,
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f32>().prop_map(|number| format!("{number:?}")),
        Just("true".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
    ];
    let list = prop::collection::vec(scalar.clone(), 0..4);
    let value = prop_oneof![
        scalar,
        list.prop_map(|list| format!("[{}]", list.join(", ")))
    ];
    let line = prop_oneof![
        4 => (word_of(KEYS), value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => word_of(TABLES).prop_map(|table| format!("[{table}]")),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

/// Reads the text as the main file and as a biller's file. Each fault must be one line.
fn read_as_both_files(text: &[u8]) {
    for file in ["gateway.toml", "billers/B0001.toml"] {
        let folder = Folder::new();
        folder.write(file, text);
        match folder.load() {
            Ok(loaded) => assert!(!format!("{loaded:?}").is_empty()),
            Err(faults) => {
                let lines = faults.to_string().lines().count();
                assert_eq!(lines, faults.iter().count(), "{faults}");
                assert!(lines > 0);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_both_files(&bytes);
    }

    #[test]
    fn arbitrary_keys_and_values_never_panic(text in toml_like()) {
        read_as_both_files(text.as_bytes());
    }

    #[test]
    fn a_valid_file_with_one_byte_changed_never_panics(at in 0..160_usize, byte in any::<u8>()) {
        let mut text = biller("B0001").into_bytes();
        let at = at % text.len();
        text[at] = byte;
        read_as_both_files(&text);
    }
}
