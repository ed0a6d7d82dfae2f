//! Pay-results and answers of versions 1 and 2.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::insert::{Inserter, insert_answer};
use super::super::{JournalError, row};
use super::old_row::{self, OldFact};
use crate::{Digests, FactKind, KeptAnswer, MessageDigest};

/// Moves the pay-result of which a fact speaks, with its answer, where the fact is the first.
pub(super) fn move_message(
    connection: &Connection,
    inserter: &mut Inserter,
    old: &OldFact,
) -> Result<(), JournalError> {
    let bytes = match &old.fact.kind {
        FactKind::Payment { message, .. }
        | FactKind::Delivery { message, .. }
        | FactKind::DeliveryClosed { message, .. }
        | FactKind::PayResultRefused { message }
        | FactKind::RefusalClosed { message, .. } => *message,
        _ => return Ok(()),
    };
    let code = old.fact.bill.biller_code();
    let biller = inserter.numbers().biller(connection, code)?;
    let digests = Digests {
        bytes,
        canonical: old.context.canonical,
    };
    let numbers = inserter.numbers();
    if numbers
        .find_message(connection, biller, &digests)?
        .is_none()
    {
        let body = body_of(connection, code.as_str(), &bytes)?;
        let id = numbers.make_message(connection, biller, &digests, body.as_deref())?;
        if let Some(answer) = answer_of(connection, code.as_str(), &bytes)? {
            insert_answer(connection, id, &answer)?;
        }
    }
    Ok(())
}

fn body_of(
    connection: &Connection,
    code: &str,
    bytes: &MessageDigest,
) -> Result<Option<Vec<u8>>, JournalError> {
    Ok(connection
        .prepare_cached("SELECT body FROM old_message WHERE biller_code = ?1 AND message = ?2")?
        .query_row(params![code, bytes.as_bytes()], |row| row.get(0))
        .optional()?)
}

fn answer_of(
    connection: &Connection,
    code: &str,
    bytes: &MessageDigest,
) -> Result<Option<KeptAnswer>, JournalError> {
    Ok(connection
        .prepare_cached(
            "SELECT status, content_type, body FROM old_answer WHERE biller_code = ?1 AND message = ?2",
        )?
        .query_row(params![code, bytes.as_bytes()], |row| {
            Ok(KeptAnswer {
                status: row.get(0)?,
                content_type: row.get::<_, Vec<u8>>(1)?.into(),
                body: row.get::<_, Vec<u8>>(2)?.into(),
            })
        })
        .optional()?)
}

/// Moves pay-results and answers of which no fact speaks. There are hardly ever any, so they are counted first.
pub(super) fn move_left_over(
    connection: &Transaction<'_>,
    inserter: &mut Inserter,
) -> Result<(), JournalError> {
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let messages = count("SELECT count(*) FROM old_message")?;
    let answers = count("SELECT count(*) FROM old_answer")?;
    if messages == count("SELECT count(*) FROM message WHERE body IS NOT NULL")?
        && answers == count("SELECT count(*) FROM answer")?
    {
        return Ok(());
    }
    let mut statement = connection.prepare(
        "SELECT biller_code, message FROM old_message UNION SELECT biller_code, message FROM old_answer",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let code = old_row::biller(row, 0)?;
        let bytes = row::digest(row, 1)?;
        let digests = Digests::from(bytes);
        let numbers = inserter.numbers();
        let biller = numbers.biller(connection, code)?;
        if let Some(body) = body_of(connection, code.as_str(), &bytes)? {
            numbers.keep_message(connection, biller, &digests, &body)?;
        }
        if let Some(answer) = answer_of(connection, code.as_str(), &bytes)? {
            let id = numbers.message(connection, biller, &digests)?;
            insert_answer(connection, id, &answer)?;
        }
    }
    Ok(())
}
