//! What leaves the journal: facts of a bill, with the pay-results and answers that nothing refers to any more.

use protocol::Bill;
use rusqlite::{Connection, params};

use super::intern::Numbers;
use super::{JournalError, load, recompute};

/// Pay-results of facts that leave, but for those that other facts name: the same bytes may be another bill's, under
/// other identity parameters.
const MESSAGES: &str = "SELECT DISTINCT message FROM fact AS gone
    WHERE bill = ?1 AND stamp < ?2 AND message IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fact WHERE bill = ?1 AND stamp >= ?2 AND message = gone.message)
    AND NOT EXISTS (SELECT 1 FROM fact WHERE kind = 6 AND pay_id = gone.pay_id AND paid_at = gone.paid_at
        AND message = gone.message AND bill <> ?1)
    AND NOT EXISTS (SELECT 1 FROM fact WHERE kind = 8 AND message = gone.message AND bill <> ?1)";

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
        connection
            .prepare_cached("DELETE FROM answer WHERE message = ?1")?
            .execute([message])?;
        connection
            .prepare_cached("DELETE FROM message WHERE id = ?1")?
            .execute([message])?;
    }
    numbers.forget_messages();
    connection
        .prepare_cached("DELETE FROM fact WHERE bill = ?1 AND stamp < ?2")?
        .execute(params![number, before])?;
    after(connection, numbers, bill, number)
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
