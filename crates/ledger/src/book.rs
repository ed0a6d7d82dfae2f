//! One biller's book: its families, its notice keys, and the pay-results it accepted.
//!
//! All decisions about a biller's bills are taken here under one lock, in memory and without
//! waiting, so that two calls can never both find a bill free.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Bill, CanonicalDigest};
use tokio::sync::watch;

use crate::claim::{Claim, ClaimGuard, UnderWay};
use crate::link_decision::DecisionInput;
use crate::owners::Owners;
use crate::{BillGroup, BillState, Digests, Fact, KeptAnswer, MessageDigest, Stamp};

/// A biller's bills and accepted pay-results, shared by all workers of the node.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

/// What a book holds; reached only under its lock.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    families: HashMap<Box<str>, BillGroup>,
    /// By `biller_notice_key`.
    notice_keys: HashMap<Box<str>, Owners>,
    accepted: HashMap<MessageDigest, AcceptedAnswer>,
    /// The accepted pay-result of each canonical form, for copies in another spelling.
    accepted_as: HashMap<CanonicalDigest, MessageDigest>,
    /// The bills with events that were told and not accepted; rare, and listed by operators.
    undelivered: HashSet<Bill>,
    /// Pay-results being relayed by this node; bounded by the allowance in flight.
    under_way: HashMap<MessageDigest, watch::Receiver<()>>,
    /// The same by canonical form.
    forms_under_way: HashMap<CanonicalDigest, watch::Receiver<()>>,
}

/// Where the answer to an accepted pay-result is.
#[derive(Debug)]
pub(crate) enum AcceptedAnswer {
    /// On durable storage, read when a copy comes: copies are rare, memory is not free.
    InJournal,
    /// Not yet on durable storage.
    Held(Arc<KeptAnswer>),
}

impl Book {
    /// Locks the book. A panic under the lock cannot leave a half-made change behind, because
    /// every change is one fold; so a poisoned lock is as good as any.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the relay of one pay-result, in whatever spelling.
    pub(crate) fn claim(self: &Arc<Self>, message: Digests) -> Claim {
        let mut pages = self.lock();
        if let Some(accepted) = pages.accepted(&message) {
            return accepted;
        }
        if let Some(wait) = pages.wait_for(&message) {
            return Claim::UnderWay(UnderWay(wait));
        }
        let (wake, wait) = watch::channel(());
        if let Some(canonical) = message.canonical {
            pages.forms_under_way.insert(canonical, wait.clone());
        }
        pages.under_way.insert(message.bytes, wait);
        Claim::Granted(ClaimGuard {
            book: Arc::clone(self),
            message,
            _wake: wake,
        })
    }

    pub(crate) fn end_claim(&self, message: &Digests) {
        let mut pages = self.lock();
        pages.under_way.remove(&message.bytes);
        if let Some(canonical) = &message.canonical {
            pages.forms_under_way.remove(canonical);
        }
    }
}

impl Pages {
    /// The claim of a pay-result that was accepted before: with these bytes, else in another spelling.
    fn accepted(&self, message: &Digests) -> Option<Claim> {
        let spelled = |canonical| self.accepted_as.get(canonical).copied();
        let others = message.canonical.as_ref().and_then(spelled);
        let (message, answer) = [Some(message.bytes), others]
            .into_iter()
            .flatten()
            .find_map(|digest| Some((digest, self.accepted.get(&digest)?)))?;
        Some(match answer {
            AcceptedAnswer::Held(answer) => Claim::Accepted {
                message,
                answer: Arc::clone(answer),
            },
            AcceptedAnswer::InJournal => Claim::AcceptedInJournal { message },
        })
    }

    /// The end of the relay of this pay-result, in whatever spelling, that is under way.
    fn wait_for(&self, message: &Digests) -> Option<watch::Receiver<()>> {
        let form = |canonical| self.forms_under_way.get(canonical);
        let same_bytes = self.under_way.get(&message.bytes);
        same_bytes
            .or_else(|| message.canonical.as_ref().and_then(form))
            .cloned()
    }

    /// Folds a fact in; answers how many undelivered events that added (or took away).
    pub(crate) fn fold(&mut self, fact: &Fact) -> i64 {
        let bill = &fact.bill;
        if fact.kind.concerns_link() && !bill.biller_notice_key().is_empty() {
            self.notice_keys
                .entry(bill.biller_notice_key().into())
                .or_default()
                .fold(fact);
        }
        let Some(state) = self.entry(bill) else {
            return 0;
        };
        let before = state.undelivered();
        state.fold(fact);
        let after = state.undelivered();
        if before == 0 && after > 0 {
            self.undelivered.insert(bill.clone());
        } else if before > 0 && after == 0 {
            self.undelivered.remove(bill);
        }
        count(after) - count(before)
    }

    /// The bills with events that were told and not accepted.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = &Bill> {
        self.undelivered.iter()
    }

    /// The state of every bill.
    pub(crate) fn bills(&self) -> impl Iterator<Item = &BillState> {
        let families = self.families.values();
        families.flat_map(|family| family.bills().map(|(_, state)| state))
    }

    /// Every bill with its state.
    pub(crate) fn bills_and_states(&self) -> impl Iterator<Item = (&Bill, &BillState)> {
        self.families.values().flat_map(BillGroup::bills)
    }

    /// How many families the book has.
    pub(crate) fn families(&self) -> usize {
        self.families.len()
    }

    /// What this node knows of a bill.
    pub(crate) fn decision_input(&self, bill: &Bill) -> DecisionInput<'_> {
        DecisionInput {
            bill_group: self.families.get(bill.group_key()),
            owners: self.notice_keys.get(bill.biller_notice_key()),
        }
    }

    /// Returns the latest stamp of what this node knows of a bill; the default stamp where it knows nothing.
    pub(crate) fn latest(&self, bill: &Bill) -> Stamp {
        let state = self.decision_input(bill).get(bill);
        state.map(BillState::latest).unwrap_or_default()
    }

    fn entry(&mut self, bill: &Bill) -> Option<&mut BillState> {
        if !self.families.contains_key(bill.group_key()) {
            self.families
                .insert(bill.group_key().into(), BillGroup::default());
        }
        self.families
            .get_mut(bill.group_key())
            .map(|family| family.entry(bill))
    }

    /// Forgets a bill and the pay-results of it; answers how many undelivered events went with it.
    pub(crate) fn forget(&mut self, bill: &Bill, messages: &[Digests]) -> i64 {
        let gone = self
            .families
            .get_mut(bill.group_key())
            .and_then(|family| family.remove(bill));
        if self
            .families
            .get(bill.group_key())
            .is_some_and(BillGroup::is_empty)
        {
            self.families.remove(bill.group_key());
        }
        if let Some(owners) = self.notice_keys.get_mut(bill.biller_notice_key()) {
            owners.remove(bill);
            if owners.is_empty() {
                self.notice_keys.remove(bill.biller_notice_key());
            }
        }
        for message in messages {
            self.accepted.remove(&message.bytes);
            if let Some(canonical) = &message.canonical
                && self.accepted_as.get(canonical) == Some(&message.bytes)
            {
                self.accepted_as.remove(canonical);
            }
        }
        self.undelivered.remove(bill);
        gone.map_or(0, |state| count(state.undelivered()))
    }

    /// Forgets a bill of which nothing is known but attempts before a stamp's time that made no link. Returns whether
    /// it was one.
    pub(crate) fn forget_refused_links(&mut self, bill: &Bill, before: i64) -> bool {
        let state = self.decision_input(bill).get(bill);
        let is_settled = state
            .is_some_and(|state| state.is_settled_to_nothing() && state.latest().time < before);
        if is_settled {
            self.forget(bill, &[]);
        }
        is_settled
    }

    pub(crate) fn accept(&mut self, message: Digests, answer: AcceptedAnswer) {
        self.accepted.insert(message.bytes, answer);
        if let Some(canonical) = message.canonical {
            self.accepted_as.entry(canonical).or_insert(message.bytes);
        }
    }

    /// The answer of an accepted pay-result is on durable storage: memory can let it go.
    pub(crate) fn answer_is_journalled(&mut self, message: &MessageDigest) {
        if let Some(answer) = self.accepted.get_mut(message) {
            *answer = AcceptedAnswer::InJournal;
        }
    }
}

fn count(events: usize) -> i64 {
    i64::try_from(events).unwrap_or(i64::MAX)
}
