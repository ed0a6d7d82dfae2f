//! Journals as an older version of the gateway wrote them.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// The tables of version 1, as it made them.
const VERSION_1: &str = include_str!("../../ledger/tests/migration/version_1.sql");

/// Writes the same journal as version 1 would have: without refused pay-results, pay-results closed by hand, request
/// ids, canonical digests and what billers answered. Nobody may have the journal open.
pub fn write_version_1(journal: &Path, to: &Path) {
    let _ = fs::remove_file(to);
    let connection = Connection::open(to).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    let attached = connection.execute("ATTACH ?1 AS later", [journal.to_str().unwrap()]);
    attached.unwrap();
    let version = connection.query_row("PRAGMA later.user_version", [], |row| row.get(0));
    let (facts, messages, answers) = sources(version.unwrap());
    let copy = format!(
        "INSERT INTO node SELECT number, shared_up_to, shared_with FROM later.node;
        INSERT INTO fact SELECT seq, at, stamp, node, kind, biller_code, biller_user_key, billed_year_month, ordinal,
            biller_notice_key, identity, attempt_stamp, attempt_node, after_unknown, until,
            nullif(expire_at, '00000000000000'), pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message, delivery,
            reason, operator
            FROM {facts} WHERE kind NOT IN ('pay_result_refused', 'refusal_closed')
            AND coalesce(delivery, '') <> 'closed' ORDER BY seq;
        UPDATE sqlite_sequence SET seq = (SELECT seq FROM later.sqlite_sequence WHERE name = 'fact')
            WHERE name = 'fact';
        INSERT INTO message SELECT biller_code, message, body FROM {messages}
            WHERE (biller_code, message) IN (SELECT biller_code, message FROM fact);
        INSERT INTO answer SELECT biller_code, message, status, content_type, body FROM {answers}
            WHERE (biller_code, message) IN (SELECT biller_code, message FROM fact);
        DETACH later;"
    );
    connection.execute_batch(&copy).unwrap();
    close(&connection);
}

/// Returns where a version has the facts, the pay-results and the answers.
fn sources(version: u32) -> (&'static str, &'static str, &'static str) {
    if version == 2 {
        return ("later.fact", "later.message", "later.answer");
    }
    let answers = "(SELECT biller.code AS biller_code, message.digest AS message, answer.status,
        coalesce(answer.content_type, CAST('application/json;charset=utf-8' AS BLOB)) AS content_type,
        coalesce(answer.body, x'') AS body FROM later.answer JOIN later.message ON message.id = answer.message
        JOIN later.biller ON biller.id = message.biller)";
    ("later.facts", "later.messages", answers)
}

/// Brings what the write-ahead log holds into the file, which is then all of the journal.
pub fn close(connection: &Connection) {
    connection
        .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
}
