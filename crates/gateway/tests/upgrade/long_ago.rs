//! Facts of long ago in a journal of version 2 or 3.

use std::path::Path;

use rusqlite::{Connection, params};

/// Moves everything that is known of a user key's bills into the past, as if it had been written then.
pub fn backdate(journal: &Path, user_key: &str, days: i64) {
    let millis = days * 24 * 3_600_000;
    let moved = if version(journal) == 2 {
        "UPDATE fact SET stamp = stamp - (?2 << 20), attempt_stamp = attempt_stamp - (?2 << 20),
            until = until - ?2, mark_ends_at = mark_ends_at - ?2,
            at = strftime('%Y-%m-%dT%H:%M:%fZ', at, '-' || (?2 / 1000) || ' seconds')
            WHERE biller_user_key = ?1"
    } else {
        "UPDATE fact SET stamp = stamp - (?2 << 20), attempt = attempt - (?2 << 20),
            until = until - ?2, mark_ends_at = mark_ends_at - ?2
            WHERE bill IN (SELECT id FROM bill WHERE biller_user_key = ?1)"
    };
    let connection = Connection::open(journal).unwrap();
    let changed = connection.execute(moved, params![user_key, millis]);
    assert!(changed.unwrap() > 0, "no facts of {user_key}");
}

/// Returns the version of a journal's tables.
pub fn version(journal: &Path) -> u32 {
    let connection = Connection::open(journal).unwrap();
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.unwrap()
}

/// Brings what the write-ahead log holds into the file.
pub fn close(journal: &Path) {
    test_support::former_version::close(&Connection::open(journal).unwrap());
}
