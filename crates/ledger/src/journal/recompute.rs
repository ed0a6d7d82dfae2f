//! Whether a bill is registered and which of its rows are open, made again from its facts.

use std::collections::{HashMap, HashSet};

use protocol::{Bill, Decimal, PaidAt, PayId, PayType, PaymentEvent};
use rusqlite::{Connection, params};

use super::JournalError;
use super::effect::{Effect, ends_others, event_of};
use super::row::{self, BILL_COLUMNS, KIND_COLUMNS, REFUSED_DIGEST};
use crate::{BillState, Fact, FactKind, MessageDigest, Stamp};

/// What is one event: a payment whatever its amount, a cancel with its amount.
type Event = (PayId, PaidAt, PayType, Option<Decimal>);

/// Brings the row of a bill and those of its facts up to what its facts say. Returns whether something was changed.
pub(super) fn bill(
    connection: &Connection,
    number: i64,
    bill: &Bill,
) -> Result<bool, JournalError> {
    let found = read(connection, number, bill)?;
    let mut has_changed = false;
    for (seq, is_open) in found.changes() {
        connection
            .prepare_cached("UPDATE fact SET open = ?2 WHERE seq = ?1")?
            .execute(params![seq, is_open.then_some(true)])?;
        has_changed = true;
    }
    let changed = connection
        .prepare_cached("UPDATE bill SET registered = ?2 WHERE id = ?1 AND registered IS NOT ?2")?
        .execute(params![number, found.registered])?;
    Ok(has_changed || changed > 0)
}

/// The same for a bill of which the number alone is known.
pub(super) fn bill_with_number(connection: &Connection, number: i64) -> Result<bool, JournalError> {
    let query = format!(
        "SELECT {BILL_COLUMNS} FROM bill CROSS JOIN biller ON biller.id = bill.biller WHERE bill.id = ?1"
    );
    let named = {
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([number])?;
        match rows.next()? {
            Some(row) => row::bill(row, 0)?,
            None => return Ok(false),
        }
    };
    bill(connection, number, &named)
}

/// What the facts of a bill say, and which rows are marked as open.
#[derive(Default)]
struct Found {
    registered: Option<bool>,
    open: HashMap<Event, i64>,
    marked: HashSet<i64>,
}

impl Found {
    fn changes(&self) -> Vec<(i64, bool)> {
        let open: HashSet<i64> = self.open.values().copied().collect();
        let ended = self.marked.difference(&open).map(|seq| (*seq, false));
        let opened = open.difference(&self.marked).map(|seq| (*seq, true));
        ended.chain(opened).collect()
    }
}

fn read(connection: &Connection, number: i64, bill: &Bill) -> Result<Found, JournalError> {
    let query = format!(
        "SELECT {KIND_COLUMNS}, {REFUSED_DIGEST}, open FROM fact WHERE bill = ?1 ORDER BY seq"
    );
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([number])?;
    let mut fact = Fact {
        stamp: Stamp::default(),
        bill: bill.clone(),
        kind: FactKind::PayResultRefused {
            message: MessageDigest::NONE,
        },
    };
    let (mut state, mut found) = (BillState::default(), Found::default());
    while let Some(row) = rows.next()? {
        row::fold_input(row, &mut fact)?;
        let seq = row::seq(row)?;
        if row.get::<_, Option<bool>>(row::BEHIND_DIGEST)? == Some(true) {
            found.marked.insert(seq);
        }
        let effect = Effect::fold(&mut state, &fact);
        found.registered = effect.registered;
        if let Some(event) = event_of(&fact.kind) {
            let event = key(event);
            if ends_others(&fact.kind, effect) {
                found.open.remove(&event);
            }
            if effect.is_open {
                found.open.insert(event, seq);
            }
        }
    }
    Ok(found)
}

fn key(event: &PaymentEvent) -> Event {
    let amount = (event.pay_type == PayType::C).then(|| event.pay_amount.abs());
    (event.pay_id, event.paid_at, event.pay_type, amount)
}
