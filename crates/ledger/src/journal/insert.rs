//! Entries as rows.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::column::{self, USUAL_CONTENT_TYPE};
use super::effect::{Effect, ends_others, event_of};
use super::end_open::end_open;
use super::first_request::FirstRequests;
use super::intern::{KnownBill, Numbers};
use super::load;
use super::optional::Optional;
use super::packed::Packed;
use super::pay_result::{Named, NamedBy};
use super::{Entry, Forgotten, ForgottenFacts, JournalError, Rows, forget, identity, refused};
use crate::{BillState, Digests, Fact, FactContext, FactKind, KeptAnswer, Timestamp};

/// Bills whose states are remembered within one transaction.
const STATES: usize = 4_096;

const INSERT_FACT: &str = "INSERT INTO fact (seq, bill, kind, stamp, node, open, attempt, attempt_node, after_unknown,
    until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message, delivery, reason, operator, request,
    answer_status, answer_code, answer_message)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24)";

/// Writes entries, one transaction after the other.
#[derive(Debug)]
pub(super) struct Inserter {
    node: u32,
    numbers: Numbers,
    requests: FirstRequests,
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
            requests: FirstRequests::new(),
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
                .keep_of_facts(connection, &entry.facts, (biller, &digests, body))?;
        }
        for (place, fact) in entry.facts.iter().enumerate() {
            let effect = entry.effects.get(place).copied().flatten();
            self.insert_fact(connection, fact, (&entry.context, effect))?;
        }
        let last = self.last_row;
        let facts = i64::try_from(entry.facts.len()).unwrap_or(i64::MAX);
        if let Some((biller, message, answer)) = &entry.answer {
            let biller = self.numbers.biller(connection, *biller)?;
            let message = match self.numbers.remembered_message(&(biller, message.bytes)) {
                Some(known) => known.id,
                // No fact of the entry names it.
                None => self
                    .numbers
                    .make_message(connection, biller, message, None)?,
            };
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
        self.requests = FirstRequests::new();
        let (numbers, before) = (&mut self.numbers, forgotten.before);
        for bill in &forgotten.bills {
            let undelivered = forget::undelivered(connection, bill)?;
            match &forgotten.what {
                ForgottenFacts::All => forget::all(connection, numbers, bill, before)?,
                ForgottenFacts::Part(rows) => forget::part(connection, numbers, bill, rows)?,
                ForgottenFacts::RefusedLinks => {
                    forget::refused_links(connection, numbers, bill, before)?;
                }
            }
            let left = forget::undelivered(connection, bill)?;
            self.undelivered += left - undelivered;
            if left < undelivered {
                tracing::warn!(
                    biller = bill.biller_code().as_str(),
                    pay_results = undelivered - left,
                    "pay-results that their biller never accepted are forgotten: the time of their bill is over"
                );
            }
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
                let named = Named {
                    biller: known.biller,
                    digests: &digests,
                    by: NamedBy::of(&fact.kind, known.id),
                };
                Some(self.numbers.named_message(connection, named)?)
            }
            None => None,
        };
        // Beside deliveries only: a payment's classification has no answer.
        let answer = context.answer.as_ref().filter(|_| more.delivery.is_some());
        let answer = answer.map(column::answer_values);
        let request_id = context.request_id.as_deref();
        let request = (self.requests).value(fact, (known.id, message), request_id);
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
            request,
            answer.map(|(status, ..)| status),
            answer.and_then(|(_, res_code, _)| res_code),
            answer.and_then(|(.., message)| message),
        ])?;
        self.last_row = connection.last_insert_rowid();
        self.latest_stamp = self.latest_stamp.max(fact.stamp.time);
        Ok(())
    }
}

/// Keeps the answer with which a biller accepted a pay-result.
pub(super) fn insert_answer(
    connection: &Connection,
    message: i64,
    answer: &KeptAnswer,
) -> Result<(), JournalError> {
    let content_type = answer.content_type.as_ref();
    let body = (!answer.body.is_empty()).then(|| Packed::of(&answer.body));
    let unpacked = body.as_ref().and_then(|body| body.unpacked);
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO answer (message, status, content_type, body, unpacked)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            message,
            answer.status,
            (content_type != USUAL_CONTENT_TYPE).then_some(content_type),
            body.map(|body| body.bytes),
            unpacked,
        ])?;
    Ok(())
}
