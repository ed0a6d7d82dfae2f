//! Facts of the old tables, read ahead with the pay-results that come with them.

use protocol::BillerCode;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{JournalError, row};
use super::known::MovedKey;
use super::old_row::{self, OldFact};
use crate::{FactKind, KeptAnswer, MessageDigest};

/// A chunk ends behind so many bytes of pay-results and answers: each may have 64 KiB.
const BYTES: usize = 16 << 20;

/// Facts in the order of their numbers.
pub(super) struct Chunk {
    pub(super) facts: Vec<ReadFact>,
}

/// A fact, and the keys of what it names.
pub(super) struct ReadFact {
    pub(super) old: OldFact,
    pub(super) bill: MovedKey,
    pub(super) message: Option<ReadMessage>,
}

/// The pay-result that a fact names.
pub(super) struct ReadMessage {
    pub(super) key: MovedKey,
    pub(super) bytes: MessageDigest,
    /// Read ahead where the fact is likely to be the first that names it.
    pub(super) kept: Option<OldMessage>,
}

/// What was kept of a pay-result.
pub(super) struct OldMessage {
    pub(super) body: Option<Vec<u8>>,
    pub(super) answer: Option<KeptAnswer>,
}

impl Chunk {
    /// Reads the facts behind number `after`, at most `most`.
    pub(super) fn read(
        connection: &Connection,
        after: i64,
        most: usize,
    ) -> Result<Self, JournalError> {
        let query = format!(
            "SELECT {} FROM old_fact WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            old_row::COLUMNS
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![after, row::limit(most)])?;
        let (mut facts, mut bytes) = (Vec::new(), 0);
        while let (true, Some(row)) = (bytes < BYTES, rows.next()?) {
            let fact = ReadFact::of(connection, old_row::read(row)?)?;
            let kept = fact.message.as_ref().and_then(|read| read.kept.as_ref());
            bytes += kept.map_or(0, OldMessage::bytes);
            facts.push(fact);
        }
        Ok(Self { facts })
    }
}

impl ReadFact {
    fn of(connection: &Connection, old: OldFact) -> Result<Self, JournalError> {
        let biller = old.fact.bill.biller_code();
        let message = match &old.fact.kind {
            FactKind::Payment { message, .. } | FactKind::PayResultRefused { message } => Some((
                *message,
                Some(OldMessage::read(connection, biller, message)?),
            )),
            FactKind::Delivery { message, .. }
            | FactKind::DeliveryClosed { message, .. }
            | FactKind::RefusalClosed { message, .. } => Some((*message, None)),
            _ => None,
        };
        Ok(Self {
            bill: MovedKey::of_bill(&old.fact.bill),
            message: message.map(|(bytes, kept)| ReadMessage {
                key: MovedKey::of_message(biller, &bytes),
                bytes,
                kept,
            }),
            old,
        })
    }
}

impl OldMessage {
    /// Reads what was kept of a pay-result of this biller.
    pub(super) fn read(
        connection: &Connection,
        biller: BillerCode,
        bytes: &MessageDigest,
    ) -> Result<Self, JournalError> {
        let named = params![biller.as_str(), bytes.as_bytes()];
        let body = connection
            .prepare_cached("SELECT body FROM old_message WHERE biller_code = ?1 AND message = ?2")?
            .query_row(named, |row| row.get(0))
            .optional()?;
        let answer = connection
            .prepare_cached(
                "SELECT status, content_type, body FROM old_answer WHERE biller_code = ?1 AND message = ?2",
            )?
            .query_row(named, |row| {
                Ok(KeptAnswer {
                    status: row.get(0)?,
                    content_type: row.get::<_, Vec<u8>>(1)?.into(),
                    body: row.get::<_, Vec<u8>>(2)?.into(),
                })
            })
            .optional()?;
        Ok(Self { body, answer })
    }

    fn bytes(&self) -> usize {
        let body = self.body.as_ref().map_or(0, Vec::len);
        body + self.answer.as_ref().map_or(0, |answer| answer.body.len())
    }
}
