//! Journals as an older version of the gateway wrote them.

use std::fs;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::unpacked;

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
            WHERE name = 'fact';"
    );
    connection.execute_batch(&copy).unwrap();
    let message = "INSERT INTO message SELECT ?1, ?2, ?5 WHERE ?3 IS ?4";
    copy_bodies(&connection, messages, message);
    copy_bodies(
        &connection,
        answers,
        "INSERT INTO answer VALUES (?1, ?2, ?3, ?4, ?5)",
    );
    connection.execute_batch("DETACH later").unwrap();
    close(&connection);
}

/// Returns where a version has the facts, the pay-results and the answers; the last two as biller code, digest, status,
/// content type, body, and the length of the body where it is compressed.
fn sources(version: u32) -> (&'static str, &'static str, &'static str) {
    if version == 2 {
        return (
            "later.fact",
            "SELECT biller_code, message, NULL, NULL, body, NULL FROM later.message",
            "SELECT biller_code, message, status, content_type, body, NULL FROM later.answer",
        );
    }
    let answers = "SELECT biller.code AS biller_code, message.digest AS message, answer.status,
        coalesce(answer.content_type, CAST('application/json;charset=utf-8' AS BLOB)),
        coalesce(answer.body, x''), answer.unpacked FROM later.answer JOIN later.message ON message.id = answer.message
        JOIN later.biller ON biller.id = message.biller";
    (
        "later.facts",
        "SELECT biller_code, message, NULL, NULL, body, unpacked FROM later.messages",
        answers,
    )
}

/// Copies the bodies of pay-results that a fact names, or of answers to them, as they came.
fn copy_bodies(connection: &Connection, from: &str, insert: &str) {
    let named = format!(
        "SELECT * FROM ({from}) AS kept WHERE EXISTS (
             SELECT 1 FROM fact WHERE fact.biller_code = kept.biller_code AND fact.message = kept.message)"
    );
    let mut read = connection.prepare(&named).unwrap();
    let mut rows = read.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let value = |place| row.get_unwrap::<_, Value>(place);
        let body = match value(4) {
            Value::Blob(body) => Value::Blob(unpacked(body, row.get_unwrap(5))),
            other => other,
        };
        let inserted = connection.execute(
            insert,
            params![value(0), value(1), value(2), value(3), body],
        );
        assert_eq!(inserted.unwrap(), 1);
    }
}

/// Brings what the write-ahead log holds into the file, which is then all of the journal.
pub fn close(connection: &Connection) {
    connection
        .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
}
