//! Reading the journal: at start-up all of it, later single messages and answers.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::{Bill, PaymentEvent};
use rusqlite::{Connection, params, params_from_iter};

use super::{Cursor, JournalError, row, schema};
use crate::state::horizon::Horizon;
use crate::{Digests, Fact, FactKind, MessageDigest};

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

/// The stamps of a journal's facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StampSpan {
    /// The latest time that the own clock follows.
    pub(crate) latest: i64,
    /// Facts whose stamps the clock does not follow.
    pub(crate) ahead: u64,
    /// Of these, the facts whose stamps no clock shows.
    pub(crate) beyond_belief: u64,
}

/// Whether one of a group of facts says that a pay-result of its bill was refused which is open: while it is, the bill
/// is an error bill, and is not forgotten.
pub(super) const REFUSED: &str = "max(kind = 'pay_result_refused' AND message IN
    (SELECT message FROM refused_pay_result WHERE closed_at IS NULL))";

/// A connection of its own, so that reading never waits for a commit.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
}

impl Reader {
    /// Another reader of the same file, for work that takes long.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn another(&self) -> Result<Self, JournalError> {
        let file = self.lock().path().map(PathBuf::from);
        Self::open(&file.unwrap_or_default())
    }

    pub(super) fn open(file: &Path) -> Result<Self, JournalError> {
        let connection = schema::connect(file)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self::over(connection))
    }

    pub(super) const fn over(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
        }
    }

    /// Hands every fact to `take`, in the order of the rows. Returns what their stamps are, judged by `horizon`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn for_each_fact(
        &self,
        horizon: &Horizon,
        mut take: impl FnMut(Fact),
    ) -> Result<StampSpan, JournalError> {
        let connection = self.lock();
        let query = format!("SELECT {} FROM fact ORDER BY seq", row::FACT_COLUMNS);
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let (followed, believed) = (horizon.followed(), horizon.believed());
        let mut span = StampSpan::default();
        while let Some(row) = rows.next()? {
            let fact = row::fact(row)?;
            let time = fact.stamp.time;
            if time <= followed {
                span.latest = span.latest.max(time);
            } else {
                span.ahead += 1;
                span.beyond_belief += u64::from(time > believed);
            }
            take(fact);
        }
        Ok(span)
    }

    /// How far the facts were shared when that was last written down.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cursor(&self) -> Result<Cursor, JournalError> {
        let cursor =
            self.lock()
                .query_row("SELECT shared_up_to, shared_with FROM node", [], |row| {
                    Ok(Cursor {
                        shared_up_to: row.get(0)?,
                        shared_with: row.get(1)?,
                    })
                })?;
        Ok(cursor)
    }

    /// Number of the last fact; 0 where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_row(&self) -> Result<i64, JournalError> {
        Ok(self
            .lock()
            .query_row("SELECT coalesce(max(seq), 0) FROM fact", [], |row| {
                row.get(0)
            })?)
    }

    /// At most `most` facts behind row `after`, each with its number.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_after(&self, after: i64, most: usize) -> Result<Vec<(i64, Fact)>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {}, seq FROM fact WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![after, i64::try_from(most).unwrap_or(i64::MAX)])?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next()? {
            facts.push((row.get("seq")?, row::fact(row)?));
        }
        Ok(facts)
    }

    /// At most `most` bills of which the last fact is older than the stamp time `before`, without those with an open
    /// refused pay-result.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn stale_bills(&self, before: i64, most: usize) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let bill =
            "biller_code, biller_user_key, billed_year_month, ordinal, biller_notice_key, identity";
        let query = format!(
            "SELECT {bill} FROM fact GROUP BY {bill} HAVING max(stamp) < ?1 AND NOT {REFUSED} LIMIT ?2"
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query(params![before, i64::try_from(most).unwrap_or(i64::MAX)])?;
        let mut bills = Vec::new();
        while let Some(row) = rows.next()? {
            bills.push(row::bill(row)?);
        }
        Ok(bills)
    }

    /// Every fact of one bill, in the order of the rows.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_of(&self, bill: &Bill) -> Result<Vec<Fact>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {} FROM fact WHERE {} ORDER BY seq",
            row::FACT_COLUMNS,
            row::OF_BILL
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(row::of_bill(bill)))?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next()? {
            facts.push(row::fact(row)?);
        }
        Ok(facts)
    }

    /// The digests of one bill's pay-results.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn messages_of(&self, bill: &Bill) -> Result<Vec<Digests>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT DISTINCT message, canonical FROM fact WHERE {} AND message IS NOT NULL",
            row::OF_BILL
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(row::of_bill(bill)))?;
        let mut messages = Vec::new();
        while let Some(row) = rows.next()? {
            messages.extend(row::digests(row)?);
        }
        Ok(messages)
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

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
