//! Which row of the journal is a pay-result.

use protocol::{CanonicalDigest, PaymentEvent};
use rusqlite::{Connection, OptionalExtension, params};

use super::{JournalError, column};
use crate::Digests;

/// One form at a time: an `IN` and an `ORDER BY` would each make a table in every call.
const FIND_MESSAGE: &str = "SELECT id, canonical IS NOT NULL, body IS NOT NULL FROM message
    WHERE substr(coalesce(canonical, digest), 1, 8) = ?1 AND digest = ?2 AND biller = ?3";

/// A pay-result without its canonical form is known by it all the same where the bill's payment has it.
const FIND_PAID: &str = "SELECT message.id FROM fact CROSS JOIN message ON message.id = fact.message
    WHERE fact.kind = 6 AND fact.pay_id = ?1 AND fact.paid_at = ?2 AND fact.bill = ?3 AND message.digest = ?4 LIMIT 1";

/// Returns the number of a pay-result that the journal has; its row learns the canonical form where it lacked it.
pub(super) fn find_message(
    connection: &Connection,
    biller: i64,
    digests: &Digests,
    paid: Option<(i64, &PaymentEvent)>,
) -> Result<Option<i64>, JournalError> {
    let bytes = digests.bytes.as_bytes();
    let canonical = digests.canonical.as_ref().map(CanonicalDigest::as_bytes);
    let mut found = find_under(connection, canonical.unwrap_or(bytes), bytes, biller)?;
    if canonical.is_some() && !found.as_ref().is_some_and(|found| found.has_body) {
        // A row that lacks the canonical form lies under the digest of the bytes.
        let other = find_under(connection, bytes, bytes, biller)?;
        if found.is_none() || other.as_ref().is_some_and(|other| other.has_body) {
            found = other;
        }
    }
    match (found, canonical, paid) {
        (Some(found), Some(canonical), _) if !found.has_canonical => {
            connection
                .prepare_cached("UPDATE message SET canonical = ?2 WHERE id = ?1")?
                .execute(params![found.id, canonical])?;
            Ok(Some(found.id))
        }
        (Some(found), ..) => Ok(Some(found.id)),
        (None, None, Some((bill, event))) => Ok(connection
            .prepare_cached(FIND_PAID)?
            .query_row(
                params![
                    column::pay_id_value(event.pay_id),
                    column::digits_number(event.paid_at.as_str()),
                    bill,
                    bytes
                ],
                |row| row.get(0),
            )
            .optional()?),
        (None, ..) => Ok(None),
    }
}

/// A row of a pay-result.
struct FoundMessage {
    id: i64,
    has_canonical: bool,
    has_body: bool,
}

/// Returns the row of a pay-result that lies under this digest, preferably one with its bytes.
fn find_under(
    connection: &Connection,
    form: &[u8; 32],
    bytes: &[u8; 32],
    biller: i64,
) -> Result<Option<FoundMessage>, JournalError> {
    let mut statement = connection.prepare_cached(FIND_MESSAGE)?;
    let mut rows = statement.query(params![column::form(form), bytes, biller])?;
    let mut found = None;
    while let Some(row) = rows.next()? {
        let one = FoundMessage {
            id: row.get(0)?,
            has_canonical: row.get(1)?,
            has_body: row.get(2)?,
        };
        if one.has_body {
            return Ok(Some(one));
        }
        found = found.or(Some(one));
    }
    Ok(found)
}
