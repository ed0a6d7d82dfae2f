//! Facts that other nodes made, folded in and queued for the journal as this node's own are.

use std::collections::BTreeMap;

use super::{Node, bill_hash};
use crate::journal::{Commit, Effect, Entry, ForeignFacts};
use crate::{Author, FactRecord};

impl Node {
    /// Folds facts of another author in and queues them as one entry: they and the number up to which the author is
    /// known stand or fall together.
    pub(crate) fn record_foreign(
        &self,
        author: Author,
        span: (i64, i64),
        records: Vec<(i64, FactRecord)>,
    ) -> Commit {
        let (facts, foreign) = ForeignFacts::of(author, span, records);
        let billers = facts.iter().map(|fact| fact.bill.biller_code());
        let books: BTreeMap<_, _> = billers.map(|biller| (biller, self.book(biller))).collect();
        // All at once and in one order, so that the journal has each biller's facts as they were decided. Nobody else
        // holds two of these locks.
        let mut states: BTreeMap<_, _> = books
            .iter()
            .map(|(biller, book)| (*biller, book.lock()))
            .collect();
        let mut effects: Vec<Option<Effect>> = Vec::with_capacity(facts.len());
        for fact in &facts {
            self.observe(fact.stamp);
            self.refused_links.note(fact);
            self.filter().insert(bill_hash(&fact.bill));
            let state = states.get_mut(&fact.bill.biller_code());
            effects.push(state.and_then(|state| state.fold(fact)));
        }
        let entry = Entry::of_author(facts, foreign).with_effects(effects);
        self.journal.append(entry)
    }
}
