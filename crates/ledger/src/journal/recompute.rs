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
    apply(connection, number, (found.registered, &found.changes()))
}

/// Writes what is registered of a bill, and which marks of its rows change. Returns whether something was changed.
pub(super) fn apply(
    connection: &Connection,
    number: i64,
    (registered, marks): (Option<bool>, &[(i64, bool)]),
) -> Result<bool, JournalError> {
    let mut has_changed = false;
    for (seq, is_open) in marks {
        connection
            .prepare_cached("UPDATE fact SET open = ?2 WHERE seq = ?1")?
            .execute(params![seq, is_open.then_some(true)])?;
        has_changed = true;
    }
    let changed = connection
        .prepare_cached("UPDATE bill SET registered = ?2 WHERE id = ?1 AND registered IS NOT ?2")?
        .execute(params![number, registered])?;
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
pub(super) struct Recomputed {
    state: BillState,
    registered: Option<bool>,
    open: HashMap<Event, i64>,
    marked: HashSet<i64>,
}

impl Recomputed {
    /// Adds the next fact, whose row is marked as open or not.
    pub(super) fn add(&mut self, seq: i64, is_marked: bool, fact: &Fact) {
        if is_marked {
            self.marked.insert(seq);
        }
        let effect = Effect::fold(&mut self.state, fact);
        self.registered = effect.registered;
        if let Some(event) = event_of(&fact.kind) {
            let event = key(event);
            if ends_others(&fact.kind, effect) {
                self.open.remove(&event);
            }
            if effect.is_open {
                self.open.insert(event, seq);
            }
        }
    }

    /// Returns the fold of the facts.
    pub(super) const fn state(&self) -> &BillState {
        &self.state
    }

    /// Returns what the bill's row should say.
    pub(super) const fn registered(&self) -> Option<bool> {
        self.registered
    }

    /// Returns the rows whose marks are wrong, and how they should be.
    pub(super) fn changes(&self) -> Vec<(i64, bool)> {
        let open: HashSet<i64> = self.open.values().copied().collect();
        let ended = self.marked.difference(&open).map(|seq| (*seq, false));
        let opened = open.difference(&self.marked).map(|seq| (*seq, true));
        ended.chain(opened).collect()
    }
}

/// Reads the facts of a bill.
pub(super) fn read(
    connection: &Connection,
    number: i64,
    bill: &Bill,
) -> Result<Recomputed, JournalError> {
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
    let mut found = Recomputed::default();
    while let Some(row) = rows.next()? {
        row::fold_input(row, &mut fact)?;
        let seq = row::seq(row)?;
        let is_marked = row.get::<_, Option<bool>>(row::BEHIND_DIGEST)? == Some(true);
        found.add(seq, is_marked, &fact);
    }
    Ok(found)
}

fn key(event: &PaymentEvent) -> Event {
    let amount = (event.pay_type == PayType::C).then(|| event.pay_amount.abs());
    (event.pay_id, event.paid_at, event.pay_type, amount)
}
