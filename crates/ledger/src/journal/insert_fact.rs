//! Facts as rows.

use rusqlite::{Connection, params};

use super::JournalError;
use super::column;
use super::effect::{Effect, ends_others, event_of};
use super::end_open::end_open;
use super::insert::Inserter;
use super::intern::KnownBill;
use super::load;
use super::optional::Optional;
use super::pay_result::{Named, NamedBy};
use crate::{BillState, Digests, Fact, FactContext, FactKind, Timestamp};

/// Bills whose states are remembered within one transaction.
const STATES: usize = 4_096;

const INSERT_FACT: &str = "INSERT INTO fact (seq, bill, kind, stamp, node, open, attempt, attempt_node, after_unknown,
    until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message, delivery, reason, operator, request,
    answer_status, answer_code, answer_message)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24)";

impl Inserter {
    pub(super) fn insert_fact(
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

    pub(super) fn write_row(
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
