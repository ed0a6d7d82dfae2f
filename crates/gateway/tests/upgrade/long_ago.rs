//! Facts of long ago in a journal of version 2.

use std::path::Path;

use rusqlite::{Connection, params};

/// Moves everything that is known of a user key's bills into the past, as if it had been written then.
pub fn backdate(journal: &Path, user_key: &str, days: i64) {
    let millis = days * 24 * 3_600_000;
    let changed = Connection::open(journal).unwrap().execute(
        "UPDATE fact SET stamp = stamp - (?2 << 20), attempt_stamp = attempt_stamp - (?2 << 20),
            until = until - ?2, mark_ends_at = mark_ends_at - ?2,
            at = strftime('%Y-%m-%dT%H:%M:%fZ', at, '-' || (?2 / 1000) || ' seconds')
            WHERE biller_user_key = ?1",
        params![user_key, millis],
    );
    assert!(changed.unwrap() > 0, "no facts of {user_key}");
}

/// Brings what the write-ahead log holds into the file.
pub fn close(journal: &Path) {
    test_support::former_version::close(&Connection::open(journal).unwrap());
}
