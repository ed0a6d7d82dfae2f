//! Refused pay-results in the journal: a table of its own.

use protocol::BillerCode;
use rusqlite::{Connection, params};

use super::JournalError;
use crate::{MessageDigest, Timestamp};
use crate::{RefusedClosing, RefusedPayResult};

/// The table. Without row numbers, so that the numbers of facts are the only ones.
pub(super) const TABLE: &str = "
-- Pay-results that a check refused, one per digest of the bytes, as they came the last time.
CREATE TABLE IF NOT EXISTS refused_pay_result (
    message        BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of `body`
    biller_code    TEXT    NOT NULL,             -- as the call named it, '' where it named none
    body           BLOB    NOT NULL,             -- personal data
    whole          INTEGER NOT NULL,             -- 0: only the beginning came
    res_code       TEXT    NOT NULL,
    refused_for    TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    request_id     TEXT    NOT NULL,
    count          INTEGER NOT NULL,
    first_at       INTEGER NOT NULL,             -- Unix milliseconds, as all times here
    last_at        INTEGER NOT NULL,
    closed_at      INTEGER,                      -- NULL while it is open
    outcome        TEXT,                         -- delivered, passed, closed
    closed_for     TEXT,
    operator       TEXT
) STRICT, WITHOUT ROWID;
";

/// A change of the table, as a part of an entry.
#[derive(Clone, Debug)]
pub(crate) enum RefusedChange {
    /// One came.
    Came(Box<CameRefused>),
    /// One ended.
    Ended {
        message: MessageDigest,
        closing: RefusedClosing,
        at: Timestamp,
    },
    /// These leave.
    Leave(Vec<MessageDigest>),
}

/// A refused pay-result that came.
#[derive(Clone, Debug)]
pub(crate) struct CameRefused {
    pub(crate) message: MessageDigest,
    pub(crate) refused: RefusedPayResult,
    pub(crate) at: Timestamp,
    /// A closed one opens again.
    pub(crate) opens: bool,
    /// Those that leave for it.
    pub(crate) leaving: Vec<MessageDigest>,
}

pub(super) fn change(connection: &Connection, change: &RefusedChange) -> Result<(), JournalError> {
    match change {
        RefusedChange::Came(came) => {
            leave(connection, &came.leaving)?;
            came_in(connection, came)
        }
        RefusedChange::Ended {
            message,
            closing,
            at,
        } => {
            connection
                .prepare_cached(
                    "UPDATE refused_pay_result SET closed_at = ?2, outcome = ?3, closed_for = ?4, operator = ?5
                     WHERE message = ?1",
                )?
                .execute(params![
                    message.as_bytes(),
                    at.millis(),
                    closing.outcome.name(),
                    closing.reason,
                    closing.operator,
                ])?;
            Ok(())
        }
        RefusedChange::Leave(leaving) => leave(connection, leaving),
    }
}

fn came_in(connection: &Connection, came: &CameRefused) -> Result<(), JournalError> {
    let refused = &came.refused;
    connection
        .prepare_cached(
            "INSERT INTO refused_pay_result (message, biller_code, body, whole, res_code, refused_for, source,
             request_id, count, first_at, last_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?9)
             ON CONFLICT (message) DO UPDATE SET count = count + 1, last_at = excluded.last_at,
             biller_code = excluded.biller_code, whole = max(whole, excluded.whole),
             res_code = excluded.res_code, refused_for = excluded.refused_for, source = excluded.source,
             request_id = excluded.request_id",
        )?
        .execute(params![
            came.message.as_bytes(),
            refused.biller.as_ref().map_or("", BillerCode::as_str),
            refused.body.as_ref(),
            refused.is_whole,
            refused.res_code,
            refused.reason,
            refused.source.to_string(),
            refused.request_id,
            came.at.millis(),
        ])?;
    if came.opens {
        connection
            .prepare_cached(
                "UPDATE refused_pay_result SET closed_at = NULL, outcome = NULL, closed_for = NULL, operator = NULL
                 WHERE message = ?1 AND closed_at IS NOT NULL",
            )?
            .execute([came.message.as_bytes()])?;
    }
    Ok(())
}

fn leave(connection: &Connection, leaving: &[MessageDigest]) -> Result<(), JournalError> {
    let mut delete =
        connection.prepare_cached("DELETE FROM refused_pay_result WHERE message = ?1")?;
    for message in leaving {
        delete.execute([message.as_bytes()])?;
    }
    Ok(())
}
