//! Entries as rows.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::column::USUAL_CONTENT_TYPE;
use super::effect::Effect;
use super::first_request::FirstRequests;
use super::intern::{KnownBill, Numbers};
use super::load;
use super::packed::Packed;
use super::{
    Entry, Forgotten, ForgottenFacts, JournalError, Rows, author, forget, identity, refused,
};
use crate::{BillState, Digests, Fact, FactContext, KeptAnswer};

/// Writes entries, one transaction after the other.
#[derive(Debug)]
pub(super) struct Inserter {
    pub(super) node: u32,
    pub(super) numbers: Numbers,
    pub(super) requests: FirstRequests,
    /// States of bills that were read in this transaction, by number.
    pub(super) states: HashMap<i64, BillState>,
    /// Number of the last fact that was written.
    pub(super) last_row: i64,
    /// The greatest stamp time of this transaction.
    pub(super) latest_stamp: i64,
    /// By how many events the undelivered ones grow with this transaction.
    pub(super) undelivered: i64,
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
        if let Some(foreign) = &entry.foreign {
            return self.insert_foreign(connection, (entry, foreign));
        }
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
        if let Some((author, number)) = entry.published {
            let known = author::find_or_make(connection, author)?;
            author::set_known_to(connection, known.id, number)?;
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
