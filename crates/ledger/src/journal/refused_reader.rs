//! Reading the refused pay-results of the journal.

use protocol::BillerCode;
use rusqlite::{Row, params};

use super::{JournalError, Reader};
use crate::{MessageDigest, Timestamp};
use crate::{RefusedClosing, RefusedEntry, RefusedOutcome, RefusedPayResult};

const COLUMNS: &str =
    "message, biller_code, whole, res_code, refused_for, source, request_id, count,
    first_at, last_at, closed_at, outcome, closed_for, operator, length(body) AS size";

/// Which refused pay-results are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedFilter {
    /// Those that are open.
    Open,
    /// Those that ended.
    Closed,
    /// All.
    All,
}

impl RefusedFilter {
    /// Returns the name for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }

    /// Returns the filter with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::All]
            .into_iter()
            .find(|filter| filter.name() == name)
    }
}

impl Reader {
    /// Refused pay-results without their bytes, of one biller or of all, the oldest first; at most `most`, and how
    /// many there are.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn refused(
        &self,
        filter: RefusedFilter,
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<(Vec<RefusedEntry>, usize), JournalError> {
        let connection = self.lock();
        let wanted = "(?1 = 'all' OR (closed_at IS NULL) = (?1 = 'open')) AND (?2 IS NULL OR biller_code = ?2)";
        let biller = biller.as_ref().map(BillerCode::as_str);
        let count = format!("SELECT count(*) FROM refused_pay_result WHERE {wanted}");
        let count: i64 = connection
            .prepare_cached(&count)?
            .query_row(params![filter.name(), biller], |row| row.get(0))?;
        let query = format!(
            "SELECT {COLUMNS}, x'' AS body FROM refused_pay_result WHERE {wanted} ORDER BY first_at, message LIMIT ?3"
        );
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![filter.name(), biller, limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(entry(row)?);
        }
        Ok((entries, usize::try_from(count).unwrap_or_default()))
    }

    /// The refused pay-results whose digests begin with this even number of hex digits; at most two.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn refused_beginning(
        &self,
        digits: &str,
    ) -> Result<Vec<RefusedEntry>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {COLUMNS}, body FROM refused_pay_result WHERE substr(hex(message), 1, length(?1)) = upper(?1)
             LIMIT 2"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([digits])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(entry(row)?);
        }
        Ok(entries)
    }

    /// Hands digest, size and closing time of every refused pay-result to `take`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn for_each_refused(
        &self,
        mut take: impl FnMut(MessageDigest, Option<BillerCode>, usize, Option<Timestamp>),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT message, length(body), closed_at, biller_code FROM refused_pay_result",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let size: i64 = row.get(1)?;
            let closed_at: Option<i64> = row.get(2)?;
            take(
                digest(row)?,
                BillerCode::parse(&row.get::<_, String>(3)?),
                usize::try_from(size).unwrap_or_default(),
                closed_at.map(Timestamp::from_millis),
            );
        }
        Ok(())
    }

    /// Hands digest, named biller and bytes of every open refused pay-result to `take`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn for_each_open_refused(
        &self,
        mut take: impl FnMut(MessageDigest, Option<BillerCode>, &[u8]),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT message, biller_code, body FROM refused_pay_result WHERE closed_at IS NULL",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (biller, body): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
            take(digest(row)?, BillerCode::parse(&biller), &body);
        }
        Ok(())
    }
}

fn digest(row: &Row<'_>) -> Result<MessageDigest, JournalError> {
    let message: Vec<u8> = row.get("message")?;
    MessageDigest::from_slice(&message).ok_or_else(|| unreadable("message"))
}

fn entry(row: &Row<'_>) -> Result<RefusedEntry, JournalError> {
    let text = |column: &str| row.get::<_, String>(column);
    let optional = |column: &str| row.get::<_, Option<String>>(column);
    let number = |column: &str| -> Result<u64, JournalError> {
        u64::try_from(row.get::<_, i64>(column)?).map_err(|_| unreadable(column))
    };
    let closed = match row.get::<_, Option<i64>>("closed_at")? {
        None => None,
        Some(at) => {
            let outcome = optional("outcome")?.unwrap_or_default();
            let closing = RefusedClosing {
                outcome: RefusedOutcome::parse(&outcome).ok_or_else(|| unreadable("outcome"))?,
                reason: optional("closed_for")?.unwrap_or_default(),
                operator: optional("operator")?.unwrap_or_default(),
            };
            Some((Timestamp::from_millis(at), closing))
        }
    };
    Ok(RefusedEntry {
        message: digest(row)?,
        last: RefusedPayResult {
            biller: BillerCode::parse(&text("biller_code")?),
            body: row.get::<_, Vec<u8>>("body")?.into(),
            is_whole: row.get("whole")?,
            res_code: text("res_code")?,
            reason: text("refused_for")?,
            source: text("source")?.parse().map_err(|_| unreadable("source"))?,
            request_id: text("request_id")?,
        },
        size_bytes: number("size")?,
        count: number("count")?,
        first_at: Timestamp::from_millis(row.get("first_at")?),
        last_at: Timestamp::from_millis(row.get("last_at")?),
        closed,
    })
}

fn unreadable(column: &str) -> JournalError {
    JournalError::Row(column.to_owned())
}
