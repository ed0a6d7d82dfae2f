//! What the retention would forget now.

use rusqlite::params;

use super::reader::REFUSED;
use super::{JournalError, Reader};
use crate::{Stamp, Timestamp};

/// Bills or bodies whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Their time is over if the last that was heard of them is before this.
    pub before: Timestamp,
    /// How many there are.
    pub count: u64,
    /// The last that was heard of the one that has waited longest; `None` where there is none.
    pub oldest: Option<Timestamp>,
}

impl Reader {
    /// Returns the bills that were paid, or that were never paid, of which nothing was heard since `before`. A bill
    /// with an open refused pay-result is none of them. Reads every fact.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn due_bills(&self, paid: bool, before: Timestamp) -> Result<Due, JournalError> {
        let query = format!(
            "SELECT count(*), min(latest) FROM (
                 SELECT max(stamp) AS latest FROM fact GROUP BY bill
                 HAVING latest < ?1 AND max(kind = 6) = ?2 AND NOT {REFUSED})"
        );
        self.due(&query, Some(paid), before)
    }

    /// Returns the accepted pay-results whose bytes were last needed before `before`. Reads every fact.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn due_bodies(&self, before: Timestamp) -> Result<Due, JournalError> {
        let query = "SELECT count(DISTINCT message), min(stamp) FROM fact
             WHERE kind = 7 AND delivery = 0 AND stamp < ?1 AND ?2 IS NULL";
        self.due(query, None, before)
    }

    fn due(&self, query: &str, paid: Option<bool>, before: Timestamp) -> Result<Due, JournalError> {
        let connection = self.lock();
        let parameters = params![Stamp::time_of(before), paid];
        let (count, oldest): (i64, Option<i64>) =
            connection.query_row(query, parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let oldest = oldest.map(|time| Stamp { time, node: 0 }.timestamp());
        Ok(Due {
            before,
            count: u64::try_from(count).unwrap_or_default(),
            oldest,
        })
    }
}
