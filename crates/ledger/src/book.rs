//! One biller's book: its families, its notice keys, and the pay-results it accepted.
//!
//! All decisions about a biller's bills are taken here under one lock, in memory and without
//! waiting, so that two calls can never both find a bill free.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Bill, ResCode};
use tokio::sync::watch;

use crate::claim::{Claim, ClaimGuard, UnderWay};
use crate::{BillState, Fact, Family, KeptAnswer, LinkState, MessageDigest, Timestamp};

/// Why the ledger refuses a link call (contract section 4, "Links").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// `E817`: the bill is classified as an error bill.
    ErrorBill,
    /// `E811`: the `biller_notice_key` belongs to another bill of that biller.
    NoticeKeyTaken,
    /// `E005`: no notice key, and two or more registered bills share the rest.
    NoticeKeyNeeded,
    /// `E818`: the link is made, or being made at this moment.
    AlreadyLinked,
    /// `E812`: nothing linked or unknown to re-create.
    NotRegistered,
    /// The journal cannot be written: `E801`.
    Unavailable,
}

impl LinkRefusal {
    /// The guide's code for it.
    pub const fn res_code(self) -> ResCode {
        match self {
            Self::ErrorBill => ResCode::E817,
            Self::NoticeKeyTaken => ResCode::E811,
            Self::NoticeKeyNeeded => ResCode::E005,
            Self::AlreadyLinked => ResCode::E818,
            Self::NotRegistered => ResCode::E812,
            Self::Unavailable => ResCode::E801,
        }
    }
}

/// A biller's bills and accepted pay-results, shared by all workers of the node.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

/// What a book holds; reached only under its lock.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    families: HashMap<Box<str>, Family>,
    /// Bills that have, or had, a link under a `biller_notice_key`.
    notice_keys: HashMap<Box<str>, Vec<Bill>>,
    accepted: HashMap<MessageDigest, AcceptedAnswer>,
    /// Pay-results being relayed by this node; bounded by the allowance in flight.
    under_way: HashMap<MessageDigest, watch::Receiver<()>>,
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

    /// Claims the relay of one pay-result.
    pub(crate) fn claim(self: &Arc<Self>, message: MessageDigest) -> Claim {
        let mut pages = self.lock();
        match pages.accepted.get(&message) {
            Some(AcceptedAnswer::Held(answer)) => return Claim::Accepted(Arc::clone(answer)),
            Some(AcceptedAnswer::InJournal) => return Claim::AcceptedInJournal,
            None => {}
        }
        if let Some(wait) = pages.under_way.get(&message) {
            return Claim::UnderWay(UnderWay(wait.clone()));
        }
        let (wake, wait) = watch::channel(());
        pages.under_way.insert(message, wait);
        Claim::Mine(ClaimGuard {
            book: Arc::clone(self),
            message,
            _wake: wake,
        })
    }

    pub(crate) fn end_claim(&self, message: &MessageDigest) {
        self.lock().under_way.remove(message);
    }
}

impl Pages {
    /// Folds a fact in; answers how many undelivered events that added (or took away).
    pub(crate) fn fold(&mut self, fact: &Fact) -> i64 {
        let bill = &fact.bill;
        if fact.kind.concerns_link() && !bill.biller_notice_key().is_empty() {
            let owners = match self.notice_keys.get_mut(bill.biller_notice_key()) {
                Some(owners) => owners,
                None => self.notice_keys.entry(bill.biller_notice_key().into()).or_default(),
            };
            if !owners.contains(bill) {
                owners.push(bill.clone());
            }
        }
        let Some(state) = self.entry(bill) else {
            return 0;
        };
        let before = state.undelivered();
        state.fold(fact);
        count(state.undelivered()) - count(before)
    }

    /// The state of exactly this bill.
    pub(crate) fn get(&self, bill: &Bill) -> Option<&BillState> {
        self.families.get(bill.family())?.get(bill)
    }

    fn entry(&mut self, bill: &Bill) -> Option<&mut BillState> {
        if !self.families.contains_key(bill.family()) {
            self.families.insert(bill.family().into(), Family::default());
        }
        self.families.get_mut(bill.family()).map(|family| family.entry(bill))
    }

    /// Decides a `link_create`; where it may go on, how the link stood before.
    pub(crate) fn may_create(&self, bill: &Bill, now: Timestamp) -> Result<LinkState, LinkRefusal> {
        let state = self.get(bill);
        if state.is_some_and(BillState::is_error_bill) {
            return Err(LinkRefusal::ErrorBill);
        }
        if self.notice_key_is_taken(bill, now) {
            return Err(LinkRefusal::NoticeKeyTaken);
        }
        if bill.biller_notice_key().is_empty() && self.registered_like(bill, now).nth(1).is_some() {
            return Err(LinkRefusal::NoticeKeyNeeded);
        }
        match state.map_or(LinkState::Unregistered, |state| state.link_state(now)) {
            LinkState::Linked | LinkState::Reserved => Err(LinkRefusal::AlreadyLinked),
            free => Ok(free),
        }
    }

    /// Decides a `link_recreate`; answers the bill whose link is made anew.
    pub(crate) fn may_recreate(&self, bill: &Bill, now: Timestamp) -> Result<Bill, LinkRefusal> {
        let exact = self.get(bill).map(|state| (bill, state));
        let found = if bill.biller_notice_key().is_empty() {
            let mut alike = self.registered_like(bill, now);
            match (alike.next(), alike.next()) {
                (Some(_), Some(_)) => return Err(LinkRefusal::NoticeKeyNeeded),
                (Some(only), None) => Some(only),
                (None, _) => exact,
            }
        } else {
            exact
        };
        let classified = |known: Option<(&Bill, &BillState)>| {
            known.is_some_and(|(_, state)| state.is_error_bill())
        };
        if classified(found) || classified(exact) {
            return Err(LinkRefusal::ErrorBill);
        }
        match found {
            Some((found, state))
                if matches!(state.link_state(now), LinkState::Linked | LinkState::Unknown) =>
            {
                Ok(found.clone())
            }
            _ => Err(LinkRefusal::NotRegistered),
        }
    }

    pub(crate) fn accept(&mut self, message: MessageDigest, answer: AcceptedAnswer) {
        self.accepted.insert(message, answer);
    }

    /// The answer of an accepted pay-result is on durable storage: memory can let it go.
    pub(crate) fn answer_is_journalled(&mut self, message: &MessageDigest) {
        if let Some(answer) = self.accepted.get_mut(message) {
            *answer = AcceptedAnswer::InJournal;
        }
    }

    fn notice_key_is_taken(&self, bill: &Bill, now: Timestamp) -> bool {
        let Some(owners) = self.notice_keys.get(bill.biller_notice_key()) else {
            return false;
        };
        owners.iter().any(|owner| {
            owner != bill
                && self.get(owner).is_some_and(|state| state.link_state(now).is_registered())
        })
    }

    fn registered_like<'a>(
        &'a self,
        bill: &'a Bill,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Bill, &'a BillState)> {
        self.families
            .get(bill.family())
            .into_iter()
            .flat_map(move |family| family.registered_like(bill, now))
    }
}

fn count(events: usize) -> i64 {
    i64::try_from(events).unwrap_or(i64::MAX)
}
