//! The state of one bill from its rows: the snapshot, where it has one, and the facts behind it.

use std::path::PathBuf;
use std::sync::LazyLock;

use protocol::Bill;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{self, IS_BILL, KIND_COLUMNS, REFUSED_DIGEST};
use super::{JournalError, Reader, Snapshot};
use crate::state::codec;
use crate::{BillGroup, BillState, Fact, FactKind, MessageDigest, Stamp};

static BILL_NUMBER: LazyLock<String> =
    LazyLock::new(|| format!("SELECT bill.id FROM bill WHERE {IS_BILL}"));

static FACTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {KIND_COLUMNS}, {REFUSED_DIGEST} FROM fact WHERE bill = ?1 AND seq > ?2 ORDER BY seq"
    )
});

/// What the journal has of a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The fold of its facts.
    pub state: BillState,
    /// How many facts were folded, behind the snapshot where there is one.
    pub facts: usize,
    /// Number of its last fact; 0 where it has none.
    pub last_row: i64,
}

impl Reader {
    /// Reads the state of one bill.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn load(&self, bill: &Bill) -> Result<Loaded, JournalError> {
        let connection = self.lock();
        let Some(number) = bill_number(&connection, bill)? else {
            return Ok(Loaded::default());
        };
        let loaded = load(&connection, number, bill)?;
        // One that has just left is not there any more; each other one has a fact, or what finds its facts is damaged.
        if loaded.last_row == 0 && bill_number(&connection, bill)? == Some(number) {
            let what = format!("the facts of bill {number} are not found");
            return Err(JournalError::Damaged(PathBuf::new(), what));
        }
        Ok(loaded)
    }
}

/// Returns the number of a bill that has facts.
pub(super) fn bill_number(
    connection: &Connection,
    bill: &Bill,
) -> Result<Option<i64>, JournalError> {
    let mut statement = connection.prepare_cached(&BILL_NUMBER)?;
    row::bill_parameters(bill).bind(&mut statement, &[])?;
    let mut rows = statement.raw_query();
    Ok(match rows.next()? {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// Reads the state of the bill with this number. Numbers of bills never come again, so that the steps of a read need
/// no transaction: what leaves between them is missing whole.
pub(super) fn load(
    connection: &Connection,
    number: i64,
    bill: &Bill,
) -> Result<Loaded, JournalError> {
    let snapshot: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT up_to, state FROM snapshot WHERE bill = ?1")?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (mut last_row, mut state) = match snapshot {
        // One that cannot be read, as after a downgrade, is made again from the facts.
        Some((up_to, bytes)) => read_snapshot(&bytes, bill)
            .map(|state| (up_to, state))
            .unwrap_or_default(),
        None => (0, BillState::default()),
    };
    let mut statement = connection.prepare_cached(&FACTS)?;
    let mut rows = statement.query(params![number, last_row])?;
    let mut fact = Fact {
        stamp: Stamp::default(),
        bill: bill.clone(),
        kind: FactKind::PayResultRefused {
            message: MessageDigest::NONE,
        },
    };
    let mut facts = 0;
    while let Some(row) = rows.next()? {
        row::fold_input(row, &mut fact)?;
        state.fold(&fact);
        last_row = row::seq(row)?;
        facts += 1;
    }
    Ok(Loaded {
        state,
        facts,
        last_row,
    })
}

/// A snapshot lies in the format of the shared state: a bill group with one bill.
pub(super) fn put_snapshot(
    connection: &Connection,
    snapshot: &Snapshot,
) -> Result<(), JournalError> {
    let Some(number) = bill_number(connection, &snapshot.bill)? else {
        return Ok(());
    };
    // One that was made before the bill was forgotten would bring it back.
    let has_fact = connection
        .prepare_cached("SELECT 1 FROM fact WHERE seq = ?1 AND bill = ?2")?
        .exists([snapshot.up_to, number])?;
    if !has_fact {
        return Ok(());
    }
    let mut group = BillGroup::default();
    *group.entry(&snapshot.bill) = snapshot.state.clone();
    // A bill that was forgotten since, and is known again, has no such fact: nothing of before comes back.
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO snapshot (bill, up_to, state)
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM fact WHERE seq = ?2 AND bill = ?1)",
        )?
        .execute(params![number, snapshot.up_to, codec::to_bytes(&group)])?;
    Ok(())
}

/// Reads a snapshot; `None` where this version cannot.
pub(super) fn read_snapshot(bytes: &[u8], bill: &Bill) -> Option<BillState> {
    let group = BillGroup::from_bytes(bytes, bill, None).ok()?;
    group.get(bill).cloned()
}
