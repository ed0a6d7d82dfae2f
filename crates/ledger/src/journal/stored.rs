//! The pay-results that the journal stores, and the answers of the billers that accepted them.

use bytes::Bytes;
use protocol::BillerCode;
use rusqlite::{OptionalExtension, params};

use super::{JournalError, Reader, row};
use crate::{Digests, KeptAnswer, MessageDigest};

/// A pay-result as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The body, byte for byte.
    pub body: Bytes,
}

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
        let mut statement =
            connection.prepare("SELECT biller_code, message, canonical FROM answer")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let code: String = row.get(0)?;
            if let (Some(code), Some(message)) = (BillerCode::parse(&code), row::digests(row)?) {
                take(code, message);
            }
        }
        Ok(())
    }

    /// The answer with which the biller accepted this pay-result.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn answer(
        &self,
        biller: BillerCode,
        message: &MessageDigest,
    ) -> Result<Option<KeptAnswer>, JournalError> {
        let accepted = self.accepted(biller, message)?;
        Ok(accepted.map(|(_, answer)| answer))
    }

    /// The same, with both digests of the pay-result.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accepted(
        &self,
        biller: BillerCode,
        message: &MessageDigest,
    ) -> Result<Option<(Digests, KeptAnswer)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT status, content_type, body, canonical FROM answer
             WHERE biller_code = ?1 AND message = ?2",
        )?;
        let mut rows = statement.query(params![biller.as_str(), message.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let digests = Digests {
            bytes: *message,
            canonical: row::canonical(row)?,
        };
        let answer = KeptAnswer {
            status: row.get(0)?,
            content_type: row.get::<_, Vec<u8>>(1)?.into(),
            body: row.get::<_, Vec<u8>>(2)?.into(),
        };
        Ok(Some((digests, answer)))
    }

    /// The bytes of a pay-result.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn message(
        &self,
        biller: BillerCode,
        message: &MessageDigest,
    ) -> Result<Option<StoredMessage>, JournalError> {
        let found = self
            .lock()
            .prepare_cached("SELECT body FROM message WHERE biller_code = ?1 AND message = ?2")?
            .query_row(params![biller.as_str(), message.as_bytes()], |row| {
                Ok(StoredMessage {
                    body: row.get::<_, Vec<u8>>(0)?.into(),
                })
            })
            .optional()?;
        Ok(found)
    }
}
