//! What leaves the journal: facts of a bill, with the pay-results and answers that nothing refers to any more.

use protocol::Bill;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::intern::Numbers;
use super::{JournalError, Walked, author, load, recompute};

/// Pay-results of facts that leave, but for those that other facts name: the same bytes may be another bill's, under
/// other identity parameters.
const MESSAGES: &str = "SELECT DISTINCT message FROM fact AS gone
    WHERE bill = ?1 AND stamp < ?2 AND message IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fact WHERE bill = ?1 AND stamp >= ?2 AND message = gone.message)
    AND NOT EXISTS (SELECT 1 FROM fact WHERE kind = 6 AND pay_id = gone.pay_id AND paid_at = gone.paid_at
        AND message = gone.message AND bill <> ?1)
    AND NOT EXISTS (SELECT 1 FROM fact WHERE kind = 8 AND message = gone.message AND bill <> ?1)";

/// A pay-result that a fact names which stays: a payment, or one that was refused.
const IS_NAMED: &str = "SELECT EXISTS (
        SELECT 1 FROM fact INDEXED BY fact_by_payment WHERE kind = 6 AND pay_id = ?2 AND paid_at = ?3 AND message = ?1)
    OR EXISTS (SELECT 1 FROM fact INDEXED BY fact_refused WHERE kind = 8 AND message = ?1)";

/// A pay-result whose bytes are needed: it came again behind the delivery `?4`, or a delivery of it is open, of this
/// bill or, under other identity parameters, of another one.
const IS_NEEDED: &str = "SELECT EXISTS (
        SELECT 1 FROM fact AS payment INDEXED BY fact_by_payment
        WHERE payment.kind = 6 AND payment.pay_id = ?2 AND payment.paid_at = ?3 AND payment.message = ?1
        AND (payment.seq > ?4 OR EXISTS (SELECT 1 FROM fact AS event INDEXED BY fact_open WHERE event.open = 1
            AND event.bill = payment.bill AND event.pay_id = ?2 AND event.paid_at = ?3 AND event.message = ?1)))";

/// Returns how many events of a bill are undelivered.
pub(super) fn undelivered(connection: &Connection, bill: &Bill) -> Result<i64, JournalError> {
    let Some(number) = load::bill_number(connection, bill)? else {
        return Ok(0);
    };
    let count = connection
        .prepare_cached("SELECT count(*) FROM fact WHERE bill = ?1 AND open = 1 AND kind = 7")?
        .query_row([number], |row| row.get(0))?;
    Ok(count)
}

/// Deletes all facts of a bill from before a stamp's time.
pub(super) fn all(
    connection: &Connection,
    numbers: &mut Numbers,
    bill: &Bill,
    before: i64,
) -> Result<(), JournalError> {
    let Some(number) = load::bill_number(connection, bill)? else {
        return Ok(());
    };
    let messages: Vec<i64> = {
        let mut statement = connection.prepare_cached(MESSAGES)?;
        let rows = statement.query_map(params![number, before], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for message in messages {
        delete_message(connection, message)?;
    }
    numbers.forget_messages();
    connection
        .prepare_cached("DELETE FROM fact WHERE bill = ?1 AND stamp < ?2")?
        .execute(params![number, before])?;
    after(connection, numbers, bill, number)
}

/// Deletes some facts of a bill ahead of the others, with the pay-results that no fact names any more. What the bill's
/// row and the other facts say of it stays as it is until they leave too.
pub(super) fn part(
    connection: &Connection,
    numbers: &mut Numbers,
    bill: &Bill,
    rows: &[i64],
) -> Result<(), JournalError> {
    let Some(number) = load::bill_number(connection, bill)? else {
        return Ok(());
    };
    connection
        .prepare_cached("DELETE FROM snapshot WHERE bill = ?1")?
        .execute([number])?;
    for seq in rows {
        let named: Option<(Option<i64>, Value, Option<i64>)> = connection
            .prepare_cached(
                "DELETE FROM fact WHERE seq = ?1 AND bill = ?2 RETURNING message, pay_id, paid_at",
            )?
            .query_row([*seq, number], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((Some(message), pay_id, paid_at)) = named else {
            continue;
        };
        let is_named: bool = connection
            .prepare_cached(IS_NAMED)?
            .query_row(params![message, pay_id, paid_at], |row| row.get(0))?;
        if !is_named {
            delete_message(connection, message)?;
        }
    }
    numbers.forget_messages();
    Ok(())
}

/// Takes out the bytes that a walk of the retention found, and writes down how far it has come.
pub(super) fn walked(connection: &Connection, walked: &Walked) -> Result<(), JournalError> {
    author::forget_runs(connection)?;
    for seq in &walked.deliveries {
        let found: Option<(i64, Value, Option<i64>)> = connection
            .prepare_cached(
                "SELECT message, pay_id, paid_at FROM fact WHERE seq = ?1 AND message IS NOT NULL",
            )?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((message, pay_id, paid_at)) = found else {
            continue;
        };
        let is_needed: bool = connection
            .prepare_cached(IS_NEEDED)?
            .query_row(params![message, pay_id, paid_at, seq], |row| row.get(0))?;
        if is_needed {
            continue;
        }
        for table in [
            "UPDATE message SET body = NULL WHERE id = ?1 AND body IS NOT NULL",
            "UPDATE answer SET body = NULL WHERE message = ?1 AND body IS NOT NULL",
        ] {
            connection.prepare_cached(table)?.execute([message])?;
        }
    }
    let cursor = walked.class.cursor();
    connection
        .prepare_cached(&format!("UPDATE node SET {cursor} = ?1"))?
        .execute([walked.next])?;
    Ok(())
}

fn delete_message(connection: &Connection, message: i64) -> Result<(), JournalError> {
    for table in [
        "DELETE FROM answer WHERE message = ?1",
        "DELETE FROM message WHERE id = ?1",
    ] {
        connection.prepare_cached(table)?.execute([message])?;
    }
    Ok(())
}

/// Deletes the reservations of a bill from before a stamp's time, with their releases.
pub(super) fn refused_links(
    connection: &Connection,
    numbers: &mut Numbers,
    bill: &Bill,
    before: i64,
) -> Result<(), JournalError> {
    let Some(number) = load::bill_number(connection, bill)? else {
        return Ok(());
    };
    connection
        .prepare_cached("DELETE FROM fact WHERE bill = ?1 AND stamp < ?2 AND kind IN (1, 2)")?
        .execute(params![number, before])?;
    after(connection, numbers, bill, number)
}

/// Deletes a bill that has no fact any more; what is left of another one says anew what it is.
fn after(
    connection: &Connection,
    numbers: &mut Numbers,
    bill: &Bill,
    number: i64,
) -> Result<(), JournalError> {
    numbers.forget_bill(bill);
    // It has what was deleted.
    connection
        .prepare_cached("DELETE FROM snapshot WHERE bill = ?1")?
        .execute([number])?;
    let has_facts = connection
        .prepare_cached("SELECT 1 FROM fact WHERE bill = ?1")?
        .exists([number])?;
    if has_facts {
        recompute::bill(connection, number, bill)?;
        return Ok(());
    }
    let biller = connection
        .prepare_cached("DELETE FROM bill WHERE id = ?1 RETURNING biller")?
        .query_row([number], |row| row.get(0))?;
    numbers.count_gone(biller);
    Ok(())
}
