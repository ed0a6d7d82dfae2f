//! One biller's bills in memory, its pay-results under way, and its accepted answers that the journal does not have yet.
//!
//! One lock per biller, so that a busy biller waits only for itself. Nothing is read from the disk under it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashSet};
use hashbrown::HashTable;
use protocol::{Bill, CanonicalDigest};
use tokio::sync::watch;

use super::cache::Cache;
use super::hash::hash_of;
use super::links::{LinkKey, LinkMoment, LinkRegister};
use super::local::Local;
use super::slot::BillSlot;
use crate::journal::Effect;
use crate::{BillState, BillView, Digests, Fact, KeptAnswer, MessageDigest, Stamp, Timestamp};

/// Slots that one eviction looks at, at most, for each that it is asked for.
const LOOKS_PER_EVICTION: usize = 8;

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
    cache: Arc<Cache>,
    slots: HashTable<Box<BillSlot>>,
    /// The hashes of slots without pins, in the order in which eviction looks at them.
    order: VecDeque<u64>,
    bytes: usize,
    links: LinkRegister,
    /// The answers of billers that accepted a pay-result, until the journal has them.
    accepted: HashMap<MessageDigest, Arc<KeptAnswer>>,
    accepted_as: HashMap<CanonicalDigest, MessageDigest>,
    /// Bills with queued facts that have undelivered events.
    undelivered: HashSet<Bill>,
    /// Bills of which a payment was queued while their other facts could not be read.
    unjudged: HashSet<Bill>,
    /// Bills that the retention is about to forget, of which nothing was queued since it looked at them; as many as
    /// leave in one step.
    leaving: HashSet<Bill>,
    /// Pay-results that this node relays; bounded by the allowance in flight.
    under_way: HashMap<MessageDigest, watch::Receiver<()>>,
    /// The same by canonical form.
    forms_under_way: HashMap<CanonicalDigest, watch::Receiver<()>>,
}

impl Book {
    pub(crate) fn new(cache: Arc<Cache>) -> Self {
        Self {
            state: Mutex::new(BookState {
                cache: Arc::clone(&cache),
                slots: HashTable::new(),
                order: VecDeque::new(),
                bytes: 0,
                links: LinkRegister::default(),
                accepted: HashMap::default(),
                accepted_as: HashMap::default(),
                undelivered: HashSet::default(),
                unjudged: HashSet::default(),
                leaving: HashSet::default(),
                under_way: HashMap::default(),
                forms_under_way: HashMap::default(),
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
        let slot = state.find_mut(bill).filter(|slot| slot.is_complete)?;
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
        self.lock().unpin(bill, 1);
    }

    /// The journal has committed a fact.
    pub(crate) fn committed(&self, fact: &Fact) {
        let mut state = self.lock();
        if fact.kind.concerns_link() {
            state.links.commit(&fact.bill);
        }
        state.unpin(&fact.bill, 1);
    }

    /// The journal has committed the answer to a pay-result.
    pub(crate) fn answer_committed(&self, message: &Digests) {
        let mut state = self.lock();
        state.accepted.remove(&message.bytes);
        if let Some(canonical) = &message.canonical
            && state.accepted_as.get(canonical) == Some(&message.bytes)
        {
            state.accepted_as.remove(canonical);
        }
    }
}

/// Whether a pay-result may be claimed, as far as memory says.
#[derive(Debug)]
pub(super) enum InMemory {
    /// The biller accepted it, and the journal does not have the answer yet.
    Accepted(MessageDigest, Arc<KeptAnswer>),
    /// A copy is under way.
    UnderWay(watch::Receiver<()>),
    /// It is under way from now on; the sender's end wakes its copies.
    Taken(watch::Sender<()>),
}

impl BookState {
    /// Takes a pay-result, unless it was accepted or is under way, in whatever spelling.
    pub(super) fn take(&mut self, message: &Digests) -> InMemory {
        let spelled = |canonical| self.accepted_as.get(canonical).copied();
        let other = message.canonical.as_ref().and_then(spelled);
        let candidates = [Some(message.bytes), other].into_iter().flatten();
        for digest in candidates {
            if let Some(answer) = self.accepted.get(&digest) {
                return InMemory::Accepted(digest, Arc::clone(answer));
            }
        }
        let form = |canonical| self.forms_under_way.get(canonical);
        let same_bytes = self.under_way.get(&message.bytes);
        if let Some(wait) = same_bytes.or_else(|| message.canonical.as_ref().and_then(form)) {
            return InMemory::UnderWay(wait.clone());
        }
        let (wake, wait) = watch::channel(());
        if let Some(canonical) = message.canonical {
            self.forms_under_way.insert(canonical, wait.clone());
        }
        self.under_way.insert(message.bytes, wait);
        InMemory::Taken(wake)
    }

    /// The pay-result is not under way any more.
    pub(super) fn give_back(&mut self, message: &Digests) {
        self.under_way.remove(&message.bytes);
        if let Some(canonical) = &message.canonical {
            self.forms_under_way.remove(canonical);
        }
    }

    /// The biller accepted a pay-result; the journal does not have the answer yet.
    pub(crate) fn accept(&mut self, message: Digests, answer: Arc<KeptAnswer>) {
        self.accepted.insert(message.bytes, answer);
        if let Some(canonical) = message.canonical {
            self.accepted_as.entry(canonical).or_insert(message.bytes);
        }
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
        let slot = self.slot(&fact.bill);
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
        let slot = self.slot(bill);
        slot.pins += 1;
        slot.is_recent = true;
        slot.is_complete
    }

    /// Merges what the journal has of a pinned bill. What was queued since the read began is in the slot already.
    /// Returns whether payments of it were queued unjudged.
    pub(super) fn complete(&mut self, bill: &Bill, journalled: BillState) -> bool {
        let slot = self.slot(bill);
        if !slot.is_complete {
            let queued = std::mem::replace(&mut slot.state, journalled);
            slot.state.merge_owned(queued);
            slot.is_complete = true;
        }
        !self.unjudged.is_empty() && self.unjudged.remove(bill)
    }

    /// Returns the state of a bill; `None` where memory has nothing of it.
    pub(crate) fn state(&self, bill: &Bill) -> Option<&BillState> {
        self.find(bill).map(|slot| &slot.state)
    }

    /// Returns the state of a bill where memory has all of it.
    pub(crate) fn complete_state(&self, bill: &Bill) -> Option<&BillState> {
        let slot = self.find(bill).filter(|slot| slot.is_complete)?;
        Some(&slot.state)
    }

    /// Returns what this node knows of a bill, for decisions and for Redis. The bill must be pinned.
    pub(crate) fn local(&self, bill: &Bill) -> Local {
        let mut local = Local::default();
        if let Some(state) = self.state(bill).filter(|state| !state.is_empty()) {
            local.add(bill, bill, state);
        }
        local
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
            match self.find(other) {
                Some(slot) if slot.is_complete => local.add(bill, other, &slot.state),
                Some(slot) => {
                    let mut merged = journalled.clone();
                    merged.merge(&slot.state);
                    local.add(bill, other, &merged);
                }
                None => local.add(bill, other, journalled),
            }
        }
        for other in self.links.queued(key) {
            if let Some(state) = self.state(other).filter(|_| other != bill) {
                local.add(bill, other, state);
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
        let is_free = self.find(bill).is_none_or(|slot| slot.pins == 0);
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
        let slot = self.slot(bill);
        slot.state = BillState::default();
        slot.is_complete = true;
        slot.pins += 1;
        true
    }

    /// The journal has committed that a bill is forgotten.
    pub(crate) fn left(&mut self, bill: &Bill) {
        self.unpin(bill, 1);
        if let Ok(entry) = self.slots.find_entry(hash_of(bill), |slot| {
            slot.bill == *bill && slot.pins == 0 && slot.state.is_empty()
        }) {
            let (slot, _) = entry.remove();
            self.recount(slot.counted_bytes, 0);
        }
    }

    /// Takes pins of a bill away. Without pins it may be evicted, and a state that is not complete is dropped: the
    /// journal has all of it.
    fn unpin(&mut self, bill: &Bill, pins: u32) {
        let Ok(mut entry) = self
            .slots
            .find_entry(hash_of(bill), |slot| slot.bill == *bill)
        else {
            return;
        };
        let slot = entry.get_mut();
        slot.pins = slot.pins.saturating_sub(pins);
        let (before, is_free) = (slot.counted_bytes, slot.pins == 0);
        slot.counted_bytes = slot.bytes();
        let after = slot.counted_bytes;
        let stays = slot.is_complete && after <= self.cache.bound();
        if is_free && !stays {
            let _ = entry.remove();
            self.recount(before, 0);
        } else {
            if is_free && !slot.is_listed {
                slot.is_listed = true;
                self.order.push_back(hash_of(bill));
            }
            self.recount(before, after);
        }
        if is_free {
            // What is free is in the journal, whose index says what is undelivered.
            self.undelivered.remove(bill);
        }
    }

    /// Evicts states that were not used lately, at most `most`. Returns whether any was.
    pub(super) fn evict(&mut self, most: usize) -> bool {
        let mut evicted = 0;
        for _ in 0..most * LOOKS_PER_EVICTION {
            let Some(hash) = self.order.pop_front() else {
                break;
            };
            let Ok(mut entry) = self
                .slots
                .find_entry(hash, |slot| slot.is_listed && hash_matches(slot, hash))
            else {
                continue;
            };
            let slot = entry.get_mut();
            if slot.pins > 0 {
                // It is listed again when its last pin goes.
                slot.is_listed = false;
            } else if slot.is_recent {
                slot.is_recent = false;
                self.order.push_back(hash);
            } else {
                let (slot, _) = entry.remove();
                self.recount(slot.counted_bytes, 0);
                evicted += 1;
                if evicted == most {
                    break;
                }
            }
        }
        evicted > 0
    }

    /// Returns what the states of the book take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn recount(&mut self, before: usize, after: usize) {
        self.bytes = (self.bytes + after).saturating_sub(before);
        self.cache.recount(before, after);
    }

    fn find(&self, bill: &Bill) -> Option<&BillSlot> {
        let slot = self.slots.find(hash_of(bill), |slot| slot.bill == *bill);
        slot.map(AsRef::as_ref)
    }

    fn find_mut(&mut self, bill: &Bill) -> Option<&mut BillSlot> {
        let slot = self
            .slots
            .find_mut(hash_of(bill), |slot| slot.bill == *bill);
        slot.map(AsMut::as_mut)
    }

    /// Returns the slot of a bill, made where it is missing.
    fn slot(&mut self, bill: &Bill) -> &mut BillSlot {
        let entry = self.slots.entry(
            hash_of(bill),
            |slot| slot.bill == *bill,
            |slot| hash_of(&slot.bill),
        );
        entry
            .or_insert_with(|| Box::new(BillSlot::new(bill.clone())))
            .into_mut()
    }
}

fn hash_matches(slot: &BillSlot, wanted: u64) -> bool {
    hash_of(&slot.bill) == wanted
}
