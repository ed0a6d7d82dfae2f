//! What the journal's index of registered bills does not show yet.
//!
//! `E811` and `E005` ask which other bills are registered under a notice key, or in a group. The journal's index answers,
//! read without the biller's lock. Under the lock this register says which bills have link facts that are queued, and
//! whether one was committed since the index was read.

use std::collections::VecDeque;

use foldhash::HashMap;
use protocol::Bill;

use super::hash::hash_of;

/// Commits that are remembered. A decision whose read of the index is older than that reads again.
const COMMITS_KEPT: usize = 1_024;

/// Which bills a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LinkKey<'a> {
    /// Those with this `biller_notice_key`.
    Notice(&'a str),
    /// Those that differ in their notice keys only.
    Group(&'a str),
}

impl<'a> LinkKey<'a> {
    /// Returns the question that a `link_create` or `link_recreate` of this bill asks.
    pub(crate) fn of(bill: &'a Bill) -> Self {
        match bill.biller_notice_key() {
            "" => Self::Group(bill.key_without_notice_key()),
            notice_key => Self::Notice(notice_key),
        }
    }

    /// Returns whether the bill may be a part of the answer.
    pub(super) fn is_about(self, bill: &Bill) -> bool {
        match self {
            Self::Notice(key) => bill.biller_notice_key() == key,
            Self::Group(key) => bill.key_without_notice_key() == key,
        }
    }

    /// Every question that the bill is a part of the answer of.
    fn all(bill: &'a Bill) -> impl Iterator<Item = Self> {
        let notice_key = bill.biller_notice_key();
        let group = Self::Group(bill.key_without_notice_key());
        let notice = (!notice_key.is_empty()).then_some(Self::Notice(notice_key));
        notice.into_iter().chain([group])
    }

    fn hash(self) -> u64 {
        // Equal hashes of two keys only make a decision read once more, or look at a bill too many.
        hash_of(&self)
    }
}

/// A moment in the life of a register, to be taken before the index is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkMoment(u64);

/// Link facts of one biller that are queued or were committed lately.
#[derive(Debug, Default)]
pub(super) struct LinkRegister {
    queued: HashMap<u64, Vec<Bill>>,
    committed: VecDeque<u64>,
    /// How many commits there were before the first one in `committed`.
    forgotten: u64,
}

impl LinkRegister {
    pub(super) fn now(&self) -> LinkMoment {
        LinkMoment(self.forgotten + self.committed.len() as u64)
    }

    /// A link fact of the bill is queued.
    pub(super) fn queue(&mut self, bill: &Bill) {
        for key in LinkKey::all(bill) {
            self.queued
                .entry(key.hash())
                .or_default()
                .push(bill.clone());
        }
    }

    /// A link fact of the bill is committed.
    pub(super) fn commit(&mut self, bill: &Bill) {
        for key in LinkKey::all(bill) {
            let hash = key.hash();
            if let Some(queued) = self.queued.get_mut(&hash) {
                if let Some(place) = queued.iter().position(|one| one == bill) {
                    queued.swap_remove(place);
                }
                if queued.is_empty() {
                    self.queued.remove(&hash);
                }
            }
            if self.committed.len() == COMMITS_KEPT {
                self.committed.pop_front();
                self.forgotten += 1;
            }
            self.committed.push_back(hash);
        }
    }

    /// Returns whether a link fact that concerns the question may have been committed since `moment`.
    pub(super) fn has_changed(&self, key: LinkKey<'_>, moment: LinkMoment) -> bool {
        let Some(seen) = moment.0.checked_sub(self.forgotten) else {
            return true;
        };
        let hash = key.hash();
        let seen = usize::try_from(seen).unwrap_or(usize::MAX);
        self.committed.iter().skip(seen).any(|one| *one == hash)
    }

    /// Returns the bills with queued link facts that may concern the question.
    pub(super) fn queued(&self, key: LinkKey<'_>) -> &[Bill] {
        self.queued.get(&key.hash()).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use protocol::BillerCode;

    use super::*;

    fn bill(user_key: &str, notice_key: &str) -> Bill {
        let biller = BillerCode::parse("B0001").unwrap();
        Bill::from_parts(biller, user_key, "", "", notice_key, &[])
    }

    #[test]
    fn a_commit_is_seen_by_whoever_asked_before_it() {
        let mut register = LinkRegister::default();
        let (one, other) = (bill("1", "n"), bill("2", "m"));
        let before = register.now();
        register.queue(&one);
        assert_eq!(
            register.queued(LinkKey::Notice("n")),
            std::slice::from_ref(&one)
        );
        assert!(!register.has_changed(LinkKey::of(&one), before));
        register.commit(&one);
        assert!(register.queued(LinkKey::Notice("n")).is_empty());
        assert!(register.has_changed(LinkKey::of(&one), before));
        assert!(!register.has_changed(LinkKey::of(&other), before));
        assert!(!register.has_changed(LinkKey::of(&one), register.now()));
        for _ in 0..COMMITS_KEPT {
            register.commit(&other);
        }
        assert!(register.has_changed(LinkKey::of(&bill("3", "")), before));
    }
}
