//! Mends a journal whose facts have stamps that no clock shows.
//!
//! A former version followed any stamp that it met, so that one forged value moved a node's clock to the end of
//! time, and everything that was journalled afterwards has a stamp from there. Such a fact keeps its place in the
//! order in which this node learned it: its stamp becomes the successor of the latest credible one before it.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, params};

use super::{JournalError, recompute};
use crate::Stamp;

/// One row to be mended.
struct Mended {
    seq: i64,
    bill: i64,
    time: i64,
    /// The time of the reservation that the row settles, where that is mended too.
    attempt: Option<i64>,
}

/// Gives every stamp beyond `believed` a credible time, all or none. Returns how many facts that were.
pub(super) fn mend(connection: &mut Connection, believed: i64) -> Result<usize, JournalError> {
    let transaction = connection.transaction()?;
    let mended = find(&transaction, believed)?;
    {
        let mut update = transaction.prepare(
            "UPDATE fact SET stamp = ?2, attempt = coalesce(?3, attempt) WHERE seq = ?1",
        )?;
        for row in &mended {
            update.execute(params![row.seq, row.time, row.attempt])?;
        }
    }
    // Other deliveries may decide now, and other states follow.
    let bills: BTreeSet<i64> = mended.iter().map(|row| row.bill).collect();
    for number in bills {
        transaction
            .prepare_cached("DELETE FROM snapshot WHERE bill = ?1")?
            .execute([number])?;
        recompute::bill_with_number(&transaction, number)?;
    }
    transaction.execute(
        "UPDATE node SET latest_stamp = (SELECT coalesce(max(stamp), 0) FROM fact)",
        [],
    )?;
    transaction.commit()?;
    Ok(mended.len())
}

fn find(connection: &Connection, believed: i64) -> Result<Vec<Mended>, JournalError> {
    let mut statement = connection.prepare(
        "SELECT seq, bill, stamp, ifnull(node, (SELECT author FROM node)) AS node, attempt,
         ifnull(attempt_node, (SELECT author FROM node)) AS attempt_node FROM fact ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    let mut mended = Vec::new();
    // A clock at the end of time gives one stamp again and again: the latest fact that had it is meant.
    let mut times: HashMap<Stamp, i64> = HashMap::new();
    let mut latest = 0_i64;
    while let Some(row) = rows.next()? {
        let stamp = Stamp {
            time: row.get("stamp")?,
            node: row.get("node")?,
        };
        let node = row.get("attempt_node")?;
        let attempt: Option<i64> = row.get("attempt")?;
        let attempt = attempt.map(|time| Stamp { time, node });
        let far_attempt = attempt.filter(|attempt| attempt.time > believed);
        let attempt = far_attempt.map(|attempt| times.get(&attempt).copied().unwrap_or(latest));
        let is_far = stamp.time > believed;
        if is_far {
            latest = latest.saturating_add(1);
            times.insert(stamp, latest);
        } else {
            latest = latest.max(stamp.time);
        }
        if is_far || attempt.is_some() {
            mended.push(Mended {
                seq: row.get("seq")?,
                bill: row.get("bill")?,
                time: if is_far { latest } else { stamp.time },
                attempt,
            });
        }
    }
    Ok(mended)
}
