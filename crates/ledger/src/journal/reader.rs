//! Reading the journal: at start-up all of it, later single messages and answers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use protocol::{Bill, BillerCode, PaymentEvent};
use rusqlite::{Connection, OptionalExtension, params};

use super::{JournalError, row, schema};
use crate::{Fact, FactKind, KeptAnswer, MessageDigest};

/// A pay-result as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The body, byte for byte.
    pub body: Bytes,
}

/// A payment of which nobody knows whether its biller heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecidedPayment {
    /// Of which bill.
    pub bill: Bill,
    /// What was paid or cancelled.
    pub event: PaymentEvent,
    /// The pay-result that said so.
    pub message: MessageDigest,
}

/// A connection of its own, so that reading never waits for a commit.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
}

impl Reader {
    pub(super) fn open(file: &Path) -> Result<Self, JournalError> {
        let connection = schema::connect(file)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Hands every fact to `take`, in the order of the rows; answers the highest stamp's time.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn for_each_fact(&self, mut take: impl FnMut(Fact)) -> Result<i64, JournalError> {
        let connection = self.lock();
        let query = format!("SELECT {} FROM fact ORDER BY seq", row::FACT_COLUMNS);
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let mut highest = 0;
        while let Some(row) = rows.next()? {
            let fact = row::fact(row)?;
            highest = highest.max(fact.stamp.time);
            take(fact);
        }
        Ok(highest)
    }

    /// Payments that have no delivery at all: the process ended while their billers were told.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn undecided_payments(&self) -> Result<Vec<UndecidedPayment>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {} FROM fact AS told WHERE kind = 'payment' AND NOT EXISTS (
                 SELECT 1 FROM fact WHERE kind = 'delivery' AND message = told.message
                 AND biller_code = told.biller_code)
             GROUP BY biller_code, message ORDER BY seq",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let mut undecided = Vec::new();
        while let Some(row) = rows.next()? {
            let fact = row::fact(row)?;
            if let FactKind::Payment { event, message, .. } = fact.kind {
                undecided.push(UndecidedPayment {
                    bill: fact.bill,
                    event,
                    message,
                });
            }
        }
        Ok(undecided)
    }

    /// Hands every accepted pay-result's biller and digest to `take`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn for_each_accepted(
        &self,
        mut take: impl FnMut(BillerCode, MessageDigest),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT biller_code, message FROM answer")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let code: String = row.get(0)?;
            let message: Vec<u8> = row.get(1)?;
            if let (Some(code), Some(message)) =
                (BillerCode::parse(&code), MessageDigest::from_slice(&message))
            {
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
        let found = self
            .lock()
            .prepare_cached(
                "SELECT status, content_type, body FROM answer WHERE biller_code = ?1 AND message = ?2",
            )?
            .query_row(params![biller.as_str(), message.as_bytes()], |row| {
                Ok(KeptAnswer {
                    status: row.get(0)?,
                    content_type: row.get::<_, Vec<u8>>(1)?.into(),
                    body: row.get::<_, Vec<u8>>(2)?.into(),
                })
            })
            .optional()?;
        Ok(found)
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
