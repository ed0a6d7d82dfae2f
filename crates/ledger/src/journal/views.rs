//! What the journal has, in plain words, for operators who read the file with `sqlite3`.

use rusqlite::Connection;

use super::JournalError;
use super::first_request::REQUEST;

/// Facts, but for where they are from.
const FACTS: &str = "SELECT
    fact.seq,
    strftime('%Y-%m-%dT%H:%M:%fZ', (fact.stamp >> 20) / 1000.0, 'unixepoch') AS at,
    fact.stamp,
    ifnull(fact.node, (SELECT author FROM node)) AS node,
    CASE fact.kind WHEN 1 THEN 'reserved' WHEN 2 THEN 'released' WHEN 3 THEN 'uncertain' WHEN 4 THEN 'linked'
        WHEN 5 THEN 'relinked' WHEN 6 THEN 'payment' WHEN 7 THEN 'delivery' WHEN 8 THEN 'pay_result_refused'
        WHEN 9 THEN 'refusal_closed' WHEN 10 THEN 'classified' WHEN 11 THEN 'cleared' END AS kind,
    biller.code AS biller_code, bill.biller_user_key, bill.billed_year_month, bill.ordinal, bill.biller_notice_key,
    bill.identity,
    fact.attempt AS attempt_stamp,
    CASE WHEN fact.attempt IS NOT NULL THEN ifnull(fact.attempt_node, (SELECT author FROM node)) END AS attempt_node,
    fact.after_unknown, fact.until, CASE WHEN fact.expire_at IS NOT NULL THEN printf('%014d', fact.expire_at) END AS expire_at,
    CAST(fact.pay_id AS TEXT) AS pay_id,
    CASE fact.pay_type WHEN 0 THEN 'P' WHEN 1 THEN 'C' END AS pay_type,
    CASE WHEN fact.paid_at IS NOT NULL THEN printf('%014d', fact.paid_at) END AS paid_at,
    CAST(fact.pay_amount AS TEXT) AS pay_amount,
    fact.mark_ends_at, message.digest AS message,
    CASE fact.delivery WHEN 0 THEN 'accepted' WHEN 1 THEN 'refused' WHEN 2 THEN 'unknown' WHEN 3 THEN 'pending'
        WHEN 4 THEN 'closed' END AS delivery,
    fact.open, fact.reason, fact.operator,
    CASE WHEN typeof(fact.of_call) = 'blob' THEN lower(printf('%s-%s-%s-%s-%s', substr(hex(fact.of_call), 1, 8),
        substr(hex(fact.of_call), 9, 4), substr(hex(fact.of_call), 13, 4), substr(hex(fact.of_call), 17, 4),
        substr(hex(fact.of_call), 21))) ELSE fact.of_call END AS request_id,
    message.canonical, CASE fact.answer_status WHEN 0 THEN 200 ELSE fact.answer_status END AS answer_status,
    CASE fact.answer_status WHEN 0 THEN 'OK' ELSE fact.answer_code END AS answer_code,
    CASE fact.answer_status WHEN 0 THEN '성공' ELSE fact.answer_message END AS answer_message";

const MESSAGES: &str = "CREATE VIEW messages AS SELECT biller.code AS biller_code, message.digest AS message,
    message.canonical, message.body, message.unpacked FROM message JOIN biller ON biller.id = message.biller";

/// Makes the views.
pub(super) fn make(connection: &Connection) -> Result<(), JournalError> {
    connection.execute_batch(&format!(
        "CREATE VIEW facts AS {FACTS}
         FROM (SELECT fact.*, {REQUEST} AS of_call FROM fact) AS fact JOIN bill ON bill.id = fact.bill
         JOIN biller ON biller.id = bill.biller LEFT JOIN message ON message.id = fact.message;
         {MESSAGES};"
    ))?;
    Ok(())
}
