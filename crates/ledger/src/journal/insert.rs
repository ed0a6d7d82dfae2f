//! Entries as rows.

use std::collections::HashMap;

use protocol::{Decimal, PaymentEvent};
use rusqlite::{Connection, params};

use super::column::{self, USUAL_CONTENT_TYPE};
use super::effect::{Effect, ends_others, event_of};
use super::intern::{KnownBill, Numbers};
use super::load;
use super::optional::Optional;
use super::{Entry, Forgotten, ForgottenFacts, JournalError, Rows, forget, identity, refused};
use crate::{BillState, Digests, Fact, FactContext, FactKind, KeptAnswer, Timestamp};

/// Bills whose states are remembered within one transaction.
const STATES: usize = 4_096;

const INSERT_FACT: &str = "INSERT INTO fact (seq, bill, kind, stamp, node, open, attempt, attempt_node, after_unknown,
    until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message, delivery, reason, operator, request,
    answer_status, answer_code, answer_message)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24)";

/// What is open of an event: a payment whatever its amount, a cancel with its amount in either sign.
const OPEN_ROWS: &str =
    "SELECT seq, kind FROM fact INDEXED BY fact_open WHERE open = 1 AND bill = ?1 AND pay_id = ?2
    AND paid_at = ?3 AND pay_type = ?4 AND (pay_type = 0 OR pay_amount = ?5 OR pay_amount = ?6)";

/// Writes entries, one transaction after the other.
#[derive(Debug)]
pub(super) struct Inserter {
    node: u32,
    numbers: Numbers,
    /// States of bills that were read in this transaction, by number.
    states: HashMap<i64, BillState>,
    /// Number of the last fact that was written.
    last_row: i64,
    /// The greatest stamp time of this transaction.
    latest_stamp: i64,
    /// By how many events the undelivered ones grow with this transaction.
    undelivered: i64,
}

impl Inserter {
    /// For the journal of this node.
    pub(super) fn new(node: u32) -> Self {
        Self {
            node,
            numbers: Numbers::default(),
            states: HashMap::new(),
            last_row: 0,
            latest_stamp: 0,
            undelivered: 0,
        }
    }

    /// Writes entries inside the caller's transaction; answers the rows of the facts of each. After an error, or where
    /// the transaction does not commit, the caller calls [`Self::reset`].
    pub(super) fn insert_all<'a>(
        &mut self,
        connection: &Connection,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Vec<Rows>, JournalError> {
        self.states.clear();
        self.undelivered = 0;
        let rows = entries
            .map(|entry| self.insert(connection, entry))
            .collect::<Result<_, _>>()?;
        self.end(connection)?;
        Ok(rows)
    }

    /// Returns by how many events the undelivered ones grew with the last transaction.
    pub(super) const fn undelivered(&self) -> i64 {
        self.undelivered
    }

    /// Forgets what a transaction that failed has made.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.node);
    }

    /// Writes what is written once a transaction.
    pub(super) fn end(&mut self, connection: &Connection) -> Result<(), JournalError> {
        self.numbers.write_counts(connection)?;
        let latest = std::mem::take(&mut self.latest_stamp);
        if latest > 0 {
            connection
                .prepare_cached("UPDATE node SET latest_stamp = ?1 WHERE latest_stamp < ?1")?
                .execute([latest])?;
        }
        Ok(())
    }

    fn insert(&mut self, connection: &Connection, entry: &Entry) -> Result<Rows, JournalError> {
        if let Some((biller, message, body)) = &entry.message {
            let biller = self.numbers.biller(connection, *biller)?;
            let digests = Digests {
                bytes: *message,
                canonical: entry.context.canonical,
            };
            self.numbers
                .keep_message(connection, biller, &digests, body)?;
        }
        for (place, fact) in entry.facts.iter().enumerate() {
            let effect = entry.effects.get(place).copied().flatten();
            self.insert_fact(connection, fact, (&entry.context, effect))?;
        }
        let last = self.last_row;
        let facts = i64::try_from(entry.facts.len()).unwrap_or(i64::MAX);
        if let Some((biller, message, answer)) = &entry.answer {
            let biller = self.numbers.biller(connection, *biller)?;
            let message = self.numbers.message(connection, biller, message)?;
            insert_answer(connection, message, answer)?;
        }
        self.insert_rest(connection, entry)?;
        Ok(Rows {
            first: last - facts + 1,
            last,
        })
    }

    /// Writes what hardly any entry has.
    fn insert_rest(&mut self, connection: &Connection, entry: &Entry) -> Result<(), JournalError> {
        if let Some(forgotten) = &entry.forgotten {
            self.forget(connection, forgotten)?;
        }
        if let Some(walked) = &entry.walked {
            forget::walked(connection, walked)?;
        }
        if let Some(cursor) = &entry.cursor {
            connection
                .prepare_cached("UPDATE node SET shared_up_to = ?1, shared_with = ?2")?
                .execute(params![cursor.shared_up_to, cursor.shared_with])?;
        }
        if let Some(change) = &entry.refused {
            refused::change(connection, change)?;
        }
        for kept in &entry.identities {
            identity::keep(connection, kept)?;
        }
        if let Some(snapshot) = &entry.snapshot {
            load::put_snapshot(connection, snapshot)?;
        }
        Ok(())
    }

    fn forget(
        &mut self,
        connection: &Connection,
        forgotten: &Forgotten,
    ) -> Result<(), JournalError> {
        self.states.clear();
        let (numbers, before) = (&mut self.numbers, forgotten.before);
        for bill in &forgotten.bills {
            self.undelivered -= forget::undelivered(connection, bill)?;
            match &forgotten.what {
                ForgottenFacts::All => forget::all(connection, numbers, bill, before)?,
                ForgottenFacts::Part(rows) => forget::part(connection, numbers, bill, rows)?,
                ForgottenFacts::RefusedLinks => {
                    forget::refused_links(connection, numbers, bill, before)?;
                }
            }
            self.undelivered += forget::undelivered(connection, bill)?;
        }
        Ok(())
    }

    /// Writes a fact of an earlier version's journal under its number. What is open and registered is found out behind
    /// all facts, and so are the indexes that the usual way needs.
    pub(super) fn insert_moved(
        &mut self,
        connection: &Connection,
        (seq, fact, context): (i64, &Fact, &FactContext),
        known: KnownBill,
    ) -> Result<(), JournalError> {
        let row = (known, context, Effect::default());
        self.write_row(connection, Some(seq), fact, row)
    }

    /// The numbers of billers, bills and pay-results.
    pub(super) fn numbers(&mut self) -> &mut Numbers {
        &mut self.numbers
    }

    fn insert_fact(
        &mut self,
        connection: &Connection,
        fact: &Fact,
        (context, effect): (&FactContext, Option<Effect>),
    ) -> Result<(), JournalError> {
        let known = *self.numbers.bill(connection, &fact.bill)?;
        let effect = self.effect(connection, known, fact, effect)?;
        if effect.registered != known.registered {
            connection
                .prepare_cached("UPDATE bill SET registered = ?2 WHERE id = ?1")?
                .execute(params![known.id, effect.registered])?;
            self.numbers.bill(connection, &fact.bill)?.registered = effect.registered;
        }
        if let Some(event) = event_of(&fact.kind)
            && ends_others(&fact.kind, effect)
        {
            self.undelivered -= end_open(connection, known.id, event)?;
        }
        let is_delivery = matches!(fact.kind, FactKind::Delivery { .. });
        self.undelivered += i64::from(is_delivery && effect.is_open);
        self.write_row(connection, None, fact, (known, context, effect))?;
        if known.is_new {
            self.numbers.bill(connection, &fact.bill)?.is_new = false;
        }
        Ok(())
    }

    /// Returns the effect of a fact: the given one, else that of folding it into the bill as the journal has it.
    fn effect(
        &mut self,
        connection: &Connection,
        known: KnownBill,
        fact: &Fact,
        given: Option<Effect>,
    ) -> Result<Effect, JournalError> {
        if let Some(state) = self.states.get_mut(&known.id) {
            let folded = Effect::fold(state, fact);
            return Ok(given.unwrap_or(folded));
        }
        if let Some(given) = given {
            return Ok(given);
        }
        let mut state = if known.is_new {
            BillState::default()
        } else {
            load::load(connection, known.id, &fact.bill)?.state
        };
        let effect = Effect::fold(&mut state, fact);
        if self.states.len() >= STATES {
            self.states.clear();
        }
        self.states.insert(known.id, state);
        Ok(effect)
    }

    fn write_row(
        &mut self,
        connection: &Connection,
        seq: Option<i64>,
        fact: &Fact,
        (known, context, effect): (KnownBill, &FactContext, Effect),
    ) -> Result<(), JournalError> {
        let more = Optional::from(&fact.kind);
        let message = match more.message {
            Some(bytes) => {
                let digests = Digests {
                    bytes: *bytes,
                    canonical: context.canonical,
                };
                Some(self.numbers.message(connection, known.biller, &digests)?)
            }
            None => None,
        };
        // Beside deliveries only: a payment's classification has no answer.
        let answer = context.answer.as_ref().filter(|_| more.delivery.is_some());
        let foreign = |node: u32| (node != self.node).then_some(node);
        connection.prepare_cached(INSERT_FACT)?.execute(params![
            seq,
            known.id,
            column::kind_number(&fact.kind),
            fact.stamp.time,
            foreign(fact.stamp.node),
            effect.is_open.then_some(true),
            more.attempt.map(|attempt| attempt.time),
            more.attempt.and_then(|attempt| foreign(attempt.node)),
            more.after_unknown,
            more.until.map(Timestamp::millis),
            more.expire_at
                .map(|expire_at| column::digits_number(expire_at.as_str())),
            more.event.map(|event| column::pay_id_value(event.pay_id)),
            more.event
                .map(|event| column::pay_type_number(event.pay_type)),
            more.event
                .map(|event| column::digits_number(event.paid_at.as_str())),
            more.event
                .map(|event| column::amount_value(event.pay_amount)),
            more.mark_ends_at.map(Timestamp::millis),
            message,
            more.delivery.map(column::delivery_number),
            more.reason,
            more.operator,
            context.request_id.as_deref().map(column::request_value),
            answer.map(|answer| answer.status),
            answer.and_then(|answer| answer.res_code.as_deref()),
            answer.and_then(|answer| answer.message.as_deref()),
        ])?;
        self.last_row = connection.last_insert_rowid();
        self.latest_stamp = self.latest_stamp.max(fact.stamp.time);
        Ok(())
    }
}

/// Ends what is open of an event. Returns how many of the rows that are not open any more are deliveries. The rows are
/// found first: an update that looks for them by what it changes, or returns them, makes a table of its own each time.
fn end_open(connection: &Connection, bill: i64, event: &PaymentEvent) -> Result<i64, JournalError> {
    let amount = event.pay_amount.abs();
    let negative = Decimal::from_parts(-amount.units(), -amount.fraction()).unwrap_or(amount);
    let open: Vec<(i64, i64)> = {
        let mut statement = connection.prepare_cached(OPEN_ROWS)?;
        let rows = statement.query_map(
            params![
                bill,
                column::pay_id_value(event.pay_id),
                column::digits_number(event.paid_at.as_str()),
                column::pay_type_number(event.pay_type),
                column::amount_value(amount),
                column::amount_value(negative),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        rows.collect::<Result<_, _>>()?
    };
    let mut deliveries = 0;
    for (seq, kind) in open {
        connection
            .prepare_cached("UPDATE fact SET open = NULL WHERE seq = ?1")?
            .execute([seq])?;
        deliveries += i64::from(kind == column::kind::DELIVERY);
    }
    Ok(deliveries)
}

/// Keeps the answer with which a biller accepted a pay-result.
pub(super) fn insert_answer(
    connection: &Connection,
    message: i64,
    answer: &KeptAnswer,
) -> Result<(), JournalError> {
    let content_type = answer.content_type.as_ref();
    let body = answer.body.as_ref();
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO answer (message, status, content_type, body) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            message,
            answer.status,
            (content_type != USUAL_CONTENT_TYPE).then_some(content_type),
            (!body.is_empty()).then_some(body),
        ])?;
    Ok(())
}
