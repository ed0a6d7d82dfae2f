//! The pay-results that the journal stores, and the answers of the billers that accepted them.

use bytes::Bytes;
use protocol::{Bill, BillerCode, CanonicalDigest, PaymentEvent};
use rusqlite::{Row, params};

use super::column::{self, USUAL_CONTENT_TYPE};
use super::{JournalError, Reader, load, packed, row};
use crate::{Digests, KeptAnswer, MessageDigest};

/// A pay-result as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The body, byte for byte.
    pub body: Bytes,
}

/// What is read of an accepted pay-result: its digests, then the answer.
const ACCEPTED: &str = "message.digest, message.canonical, answer.status, answer.content_type, answer.body, answer.unpacked";

impl Reader {
    /// Hands every accepted pay-result's biller and digests to `take`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn for_each_accepted(
        &self,
        mut take: impl FnMut(BillerCode, Digests),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT message.digest, message.canonical, biller.code FROM answer
             CROSS JOIN message ON message.id = answer.message CROSS JOIN biller ON biller.id = message.biller",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let code: String = row.get(2)?;
            if let (Some(code), Ok(message)) = (BillerCode::parse(&code), row::digests(row, 0)) {
                take(code, message);
            }
        }
        Ok(())
    }

    /// The accepted pay-result of an event of a bill that says the same as one with these digests, and the answer with
    /// which the biller accepted it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn accepted_copy(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        message: &Digests,
    ) -> Result<Option<(Digests, KeptAnswer)>, JournalError> {
        let connection = self.lock();
        let Some(number) = load::bill_number(&connection, bill)? else {
            return Ok(None);
        };
        let query = format!(
            "SELECT {ACCEPTED} FROM fact INDEXED BY fact_by_payment CROSS JOIN message ON message.id = fact.message
             CROSS JOIN answer ON answer.message = message.id
             WHERE fact.kind = 6 AND fact.pay_id = ?1 AND fact.paid_at = ?2 AND fact.bill = ?3
             AND (message.digest = ?4 OR message.canonical = ?5) ORDER BY message.digest = ?4 DESC, message.id LIMIT 1"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![
            column::pay_id_value(event.pay_id),
            column::digits_number(event.paid_at.as_str()),
            number,
            message.bytes.as_bytes(),
            message.canonical.as_ref().map(CanonicalDigest::as_bytes)
        ])?;
        rows.next()?.map(accepted).transpose()
    }

    /// The pay-result of which the fact in this row speaks, and the answer with which the biller accepted it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn accepted_in_row(
        &self,
        row: i64,
    ) -> Result<Option<(Digests, KeptAnswer)>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {ACCEPTED} FROM fact CROSS JOIN message ON message.id = fact.message
             CROSS JOIN answer ON answer.message = message.id WHERE fact.seq = ?1"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([row])?;
        rows.next()?.map(accepted).transpose()
    }

    /// The bytes of a pay-result that reports this event.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn message(
        &self,
        biller: BillerCode,
        event: &PaymentEvent,
        message: &MessageDigest,
    ) -> Result<Option<StoredMessage>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT message.body, message.unpacked FROM fact INDEXED BY fact_by_payment
             CROSS JOIN message ON message.id = fact.message
             WHERE fact.kind = 6 AND fact.pay_id = ?1 AND fact.paid_at = ?2 AND message.digest = ?3
             AND message.biller = (SELECT id FROM biller WHERE code = ?4) AND message.body IS NOT NULL LIMIT 1",
        )?;
        let mut rows = statement.query(params![
            column::pay_id_value(event.pay_id),
            column::digits_number(event.paid_at.as_str()),
            message.as_bytes(),
            biller.as_str()
        ])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let body = packed::read(row, 0)?.map(Bytes::from);
        Ok(body.map(|body| StoredMessage { body }))
    }
}

fn accepted(row: &Row<'_>) -> Result<(Digests, KeptAnswer), JournalError> {
    let content_type: Option<Vec<u8>> = row.get(3)?;
    let body = packed::read(row, 4)?;
    let answer = KeptAnswer {
        status: row.get(2)?,
        content_type: content_type.map_or(Bytes::from_static(USUAL_CONTENT_TYPE), Bytes::from),
        body: body.unwrap_or_default().into(),
    };
    Ok((row::digests(row, 0)?, answer))
}
