//! Which changed keys a reload applies, and which need a restart.

use super::folder::{Folder, KAKAO};

const REDIS: &str = "[ledger.redis]\nurl = 'redis://h'\n";

#[test]
fn every_changed_key_of_the_ledger_needs_a_restart_and_is_named() {
    let before = Folder::with_main(&format!("{KAKAO}{REDIS}"))
        .load()
        .unwrap();
    // key that is named | the tables
    let table = [
        ("ledger.path", format!("[ledger]\npath = '/other'\n{REDIS}")),
        (
            "ledger.retention",
            format!("[ledger]\nretention = '401d'\n{REDIS}"),
        ),
        (
            "ledger.retention_paid",
            format!("[ledger]\nretention_paid = '1828d'\n{REDIS}"),
        ),
        (
            "ledger.keep_bodies",
            format!("[ledger]\nkeep_bodies = '91d'\n{REDIS}"),
        ),
        ("ledger.cache", format!("[ledger]\ncache = '1MiB'\n{REDIS}")),
        (
            "ledger.low_disk",
            format!("[ledger]\nlow_disk = '2GiB'\n{REDIS}"),
        ),
        ("ledger.copies", format!("[ledger]\ncopies = 1\n{REDIS}")),
        ("ledger.redis", format!("{REDIS}key_prefix = 'other'")),
        ("ledger.redis", format!("{REDIS}keep = '44d'")),
        ("ledger.redis", format!("{REDIS}stream = '255MiB'")),
        ("ledger.redis", format!("{REDIS}wait_replicas = 1")),
        ("ledger.redis", String::new()),
    ];
    for (key, tables) in table {
        let folder = Folder::with_main(&format!("{KAKAO}{tables}"));
        let mut after = folder.load().unwrap().config;
        // The folder is another one: relative paths differ for that reason alone.
        if key != "ledger.path" {
            after.ledger.path.clone_from(&before.config.ledger.path);
        }
        let (reloaded, changed) = before.config.reloaded_with(after);
        assert_eq!(changed, [key], "{tables}");
        assert_eq!(reloaded.ledger, before.config.ledger, "{tables}");
    }
}
