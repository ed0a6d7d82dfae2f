//! One biller's bills in memory, its pay-results under way, and its accepted answers that the journal does not have yet.
//!
//! One lock per biller, so that a busy biller waits only for itself. Nothing is read from the disk under it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashSet;
use protocol::Bill;

use super::cache::Cache;
use super::links::{LinkKey, LinkMoment, LinkRegister};
use super::local::Local;
use super::pay_results::PayResults;
use super::slots::Slots;
use crate::journal::Effect;
use crate::{BillState, BillView, Digests, Fact, KeptAnswer, Stamp, Timestamp};

/// Bills that are remembered to be judged later, at most.
const UNJUDGED_MAX: usize = 10_000;

/// A biller's part of the ledger, shared by all workers of the node.
#[derive(Debug)]
pub(crate) struct Book {
    state: Mutex<BookState>,
    cache: Arc<Cache>,
}

/// What a book holds; reached only under its lock.
#[derive(Debug)]
pub(crate) struct BookState {
    slots: Slots,
    links: LinkRegister,
    /// Bills with queued facts that have undelivered events.
    undelivered: HashSet<Bill>,
    /// Bills of which a payment was queued while their other facts could not be read.
    unjudged: HashSet<Bill>,
    /// Bills that the retention is about to forget, of which nothing was queued since it looked at them; as many as
    /// leave in one step.
    leaving: HashSet<Bill>,
    pay_results: PayResults,
}

impl Book {
    pub(crate) fn new(cache: Arc<Cache>) -> Self {
        Self {
            state: Mutex::new(BookState {
                slots: Slots::new(Arc::clone(&cache)),
                links: LinkRegister::default(),
                undelivered: HashSet::default(),
                unjudged: HashSet::default(),
                leaving: HashSet::default(),
                pay_results: PayResults::default(),
            }),
            cache,
        }
    }

    /// Locks the book. A panic under the lock cannot leave a half-made change behind, because
    /// every change is one fold; so a poisoned lock is as good as any.
    pub(crate) fn lock(&self) -> MutexGuard<'_, BookState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a bill is paid and whether it is an error bill; `None` where memory does not say.
    pub(crate) fn view(&self, bill: &Bill, now: Timestamp) -> Option<BillView> {
        let mut state = self.lock();
        let slot = state.slots.find_mut(bill).filter(|slot| slot.is_complete)?;
        slot.is_recent = true;
        Some(BillView::of(&slot.state, now))
    }

    /// Counts one look-up.
    pub(super) fn count_look_up(&self, is_hit: bool) {
        if is_hit {
            self.cache.hit();
        } else {
            self.cache.missed();
        }
    }

    /// Takes a pin of a bill away.
    pub(crate) fn unpin(&self, bill: &Bill) {
        self.lock().unpin(bill);
    }

    /// The journal has committed a fact.
    pub(crate) fn committed(&self, fact: &Fact) {
        let mut state = self.lock();
        if fact.kind.concerns_link() {
            state.links.commit(&fact.bill);
        }
        state.unpin(&fact.bill);
    }

    /// The journal has committed the answer to a pay-result.
    pub(crate) fn answer_committed(&self, message: &Digests) {
        let mut state = self.lock();
        state.pay_results.answer_committed(message);
    }
}

impl BookState {
    pub(super) const fn pay_results(&mut self) -> &mut PayResults {
        &mut self.pay_results
    }

    /// The biller accepted a pay-result; the journal does not have the answer yet.
    pub(crate) fn accept(&mut self, message: Digests, answer: Arc<KeptAnswer>) {
        self.pay_results.accept(message, answer);
    }

    /// Folds a fact in that is queued for the journal: its bill stays in memory until the commit. Returns what it changes
    /// in the journal's indexes; `None` where memory does not have the whole state.
    pub(crate) fn fold(&mut self, fact: &Fact) -> Option<Effect> {
        if fact.kind.concerns_link() {
            self.links.queue(&fact.bill);
        }
        if !self.leaving.is_empty() {
            self.leaving.remove(&fact.bill);
        }
        let slot = self.slots.slot(&fact.bill);
        slot.pins += 1;
        let before = slot.state.undelivered();
        let effect = Effect::fold(&mut slot.state, fact);
        let effect = slot.is_complete.then_some(effect);
        let after = slot.state.undelivered();
        if after > 0 {
            self.undelivered.insert(fact.bill.clone());
        } else if before > 0 {
            self.undelivered.remove(&fact.bill);
        }
        effect
    }

    /// A payment of the bill is queued while its other facts cannot be read.
    pub(crate) fn judge_later(&mut self, bill: &Bill) {
        if self.unjudged.len() < UNJUDGED_MAX {
            self.unjudged.insert(bill.clone());
        }
    }

    /// Returns the bills with queued facts that have undelivered events.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = &Bill> {
        self.undelivered.iter()
    }

    /// Pins a bill. Returns whether its state is complete; if not, it must be loaded.
    pub(super) fn pin(&mut self, bill: &Bill) -> bool {
        let slot = self.slots.slot(bill);
        slot.pins += 1;
        slot.is_recent = true;
        slot.is_complete
    }

    /// Merges what the journal has of a pinned bill. What was queued since the read began is in the slot already.
    /// Returns whether payments of it were queued unjudged.
    pub(super) fn complete(&mut self, bill: &Bill, journalled: BillState) -> bool {
        let slot = self.slots.slot(bill);
        if !slot.is_complete {
            let queued = std::mem::replace(&mut slot.state, journalled);
            slot.state.merge_owned(queued);
            slot.is_complete = true;
        }
        !self.unjudged.is_empty() && self.unjudged.remove(bill)
    }

    /// Takes a pin of a bill away.
    fn unpin(&mut self, bill: &Bill) {
        if self.slots.unpin(bill) {
            // What is free is in the journal, whose index says what is undelivered.
            self.undelivered.remove(bill);
        }
    }

    /// Evicts states that were not used lately, at most `most`.
    pub(super) fn evict(&mut self, most: usize) {
        self.slots.evict(most);
    }

    /// Returns what the states of the book take, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.slots.bytes()
    }

    /// Returns the state of a bill; `None` where memory has nothing of it.
    pub(crate) fn state(&self, bill: &Bill) -> Option<&BillState> {
        self.slots.find(bill).map(|slot| &slot.state)
    }

    /// Returns the state of a bill where memory has all of it.
    pub(crate) fn complete_state(&self, bill: &Bill) -> Option<&BillState> {
        let slot = self.slots.find(bill).filter(|slot| slot.is_complete)?;
        Some(&slot.state)
    }

    /// Returns what this node knows of a bill, for decisions and for Redis. The bill must be pinned.
    pub(crate) fn local(&self, bill: &Bill) -> Local {
        Local::of(self.state(bill).filter(|state| !state.is_empty()).cloned())
    }

    /// Returns what this node knows that a decision about the bill's link reads: the bill, and those of `others`, read
    /// from the journal at `moment`, or queued since. `None` where more was committed since.
    pub(crate) fn local_with_others(
        &self,
        bill: &Bill,
        others: &[(Bill, BillState)],
        moment: LinkMoment,
    ) -> Option<Local> {
        let key = LinkKey::of(bill);
        if self.links.has_changed(key, moment) {
            return None;
        }
        let mut local = self.local(bill);
        for (other, journalled) in others {
            match self.slots.find(other) {
                Some(slot) if slot.is_complete => local.add_other(bill, other, &slot.state),
                Some(slot) => {
                    let mut merged = journalled.clone();
                    merged.merge(&slot.state);
                    local.add_other(bill, other, &merged);
                }
                None => local.add_other(bill, other, journalled),
            }
        }
        for other in self.links.queued(key) {
            let is_read = others.iter().any(|(read, _)| read == other);
            if let Some(state) = self.state(other).filter(|_| other != bill && !is_read) {
                local.add_other(bill, other, state);
            }
        }
        Some(local)
    }

    /// Returns the moment before a read of the index of registered bills.
    pub(crate) fn link_moment(&self) -> LinkMoment {
        self.links.now()
    }

    /// Returns the latest stamp of what memory has of a bill; the default stamp where it has nothing.
    pub(crate) fn latest(&self, bill: &Bill) -> Stamp {
        self.state(bill).map(BillState::latest).unwrap_or_default()
    }

    /// Notes that the retention looks at a bill, to forget it. Returns whether the journal has all that memory has of it:
    /// a bill that a call needs does not leave.
    pub(crate) fn begin_to_leave(&mut self, bill: &Bill) -> bool {
        let is_free = self.slots.find(bill).is_none_or(|slot| slot.pins == 0);
        if is_free {
            self.leaving.insert(bill.clone());
        }
        is_free
    }

    /// The bill stays.
    pub(crate) fn stay(&mut self, bill: &Bill) {
        self.leaving.remove(bill);
    }

    /// Forgets a bill of which nothing was queued since the retention looked at it: from now on it is known to be
    /// empty, until the journal has committed that. Returns whether it is forgotten.
    pub(crate) fn leave(&mut self, bill: &Bill) -> bool {
        if !self.leaving.remove(bill) {
            return false;
        }
        self.undelivered.remove(bill);
        let slot = self.slots.slot(bill);
        slot.state = BillState::default();
        slot.is_complete = true;
        slot.pins += 1;
        true
    }

    /// The journal has committed that a bill is forgotten.
    pub(crate) fn left(&mut self, bill: &Bill) {
        self.unpin(bill);
        self.slots.drop_empty(bill);
    }
}
