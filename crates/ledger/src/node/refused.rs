//! The index of all refused pay-results that this node keeps.
//!
//! The journal has them whole. The index has their digests only; with it a call decides without waiting whether there
//! is room for one more, and what leaves for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Bill, BillerCode};

use crate::{MessageDigest, Timestamp};

/// Refused pay-results that a node keeps at most.
pub const REFUSED_BOUND: usize = 10_000;

/// Bytes of all of them at most.
pub const REFUSED_BYTES_BOUND: usize = 256 << 20;

/// What became of a refused pay-result that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is a new entry, or one that is open again; these leave for it.
    Opened { leaving: Vec<MessageDigest> },
    /// It is known; only its count grows.
    Known { is_open: bool },
    /// There is no room, and no closed one that could leave.
    NoRoom,
}

/// The index of a node's refused pay-results.
#[derive(Debug, Default)]
pub(crate) struct RefusedIndex {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<MessageDigest, Indexed>,
    /// Those that may leave, oldest closing first.
    closed: BTreeSet<(Timestamp, MessageDigest)>,
    bytes: usize,
}

#[derive(Debug)]
struct Indexed {
    /// The biller that the pay-result named.
    biller: Option<BillerCode>,
    bytes: usize,
    closed_at: Option<Timestamp>,
    /// The bills that are error bills because of it.
    bills: Vec<Bill>,
}

impl RefusedIndex {
    /// Takes an entry over that the journal has.
    pub(crate) fn load(
        &self,
        message: MessageDigest,
        biller: Option<BillerCode>,
        bytes: usize,
        closed_at: Option<Timestamp>,
    ) {
        let mut state = self.lock();
        state.bytes += bytes;
        state
            .closed
            .extend(closed_at.map(|closed_at| (closed_at, message)));
        let indexed = Indexed {
            biller,
            bytes,
            closed_at,
            bills: Vec::new(),
        };
        state.entries.insert(message, indexed);
    }

    /// Returns the digest under which a pay-result is kept: that of its bytes. Where the entry with that digest is
    /// another biller's, the biller's code is part of it: to deliver or close one must not end the other.
    pub(crate) fn identity(&self, biller: Option<BillerCode>, body: &[u8]) -> MessageDigest {
        let digest = MessageDigest::of(body);
        match self.lock().entries.get(&digest) {
            Some(known) if known.biller != biller => {
                let named = biller.as_ref().map_or("", BillerCode::as_str);
                MessageDigest::of_named(named, body)
            }
            _ => digest,
        }
    }

    /// Decides about a pay-result of `bytes` bytes that was refused. One that is not whole opens again: its bytes do
    /// not tell it from another one.
    pub(crate) fn arrive(
        &self,
        message: MessageDigest,
        biller: Option<BillerCode>,
        bytes: usize,
        is_whole: bool,
    ) -> Arrival {
        let mut state = self.lock();
        if let Some(known) = state.entries.get_mut(&message) {
            return match known.closed_at {
                Some(closed_at) if !is_whole => {
                    known.closed_at = None;
                    state.closed.remove(&(closed_at, message));
                    Arrival::Opened {
                        leaving: Vec::new(),
                    }
                }
                closed_at => Arrival::Known {
                    is_open: closed_at.is_none(),
                },
            };
        }
        let Some(leaving) = state.make_room(bytes) else {
            return Arrival::NoRoom;
        };
        state.bytes += bytes;
        let indexed = Indexed {
            biller,
            bytes,
            closed_at: None,
            bills: Vec::new(),
        };
        state.entries.insert(message, indexed);
        Arrival::Opened { leaving }
    }

    /// Notes that a bill is an error bill because of this entry; answers whether that is new.
    pub(crate) fn mark(&self, message: &MessageDigest, bill: &Bill) -> bool {
        let mut state = self.lock();
        let Some(indexed) = state.entries.get_mut(message) else {
            return false;
        };
        let is_new = indexed.closed_at.is_none() && !indexed.bills.contains(bill);
        if is_new {
            indexed.bills.push(bill.clone());
        }
        is_new
    }

    /// Closes an entry; answers the bills that were error bills because of it, `None` where none is open.
    pub(crate) fn close(&self, message: &MessageDigest, now: Timestamp) -> Option<Vec<Bill>> {
        let mut state = self.lock();
        let indexed = state.entries.get_mut(message)?;
        if indexed.closed_at.is_some() {
            return None;
        }
        indexed.closed_at = Some(now);
        let bills = std::mem::take(&mut indexed.bills);
        state.closed.insert((now, *message));
        Some(bills)
    }

    /// Returns whether an entry is open.
    pub(crate) fn is_open(&self, message: &MessageDigest) -> bool {
        let state = self.lock();
        let known = state.entries.get(message);
        known.is_some_and(|known| known.closed_at.is_none())
    }

    /// Returns the bills that are error bills because of this entry.
    pub(crate) fn bills(&self, message: &MessageDigest) -> Vec<Bill> {
        let state = self.lock();
        let known = state.entries.get(message);
        known.map_or_else(Vec::new, |known| known.bills.clone())
    }

    /// Returns how many entries are open.
    pub(crate) fn open(&self) -> usize {
        let state = self.lock();
        state.entries.len() - state.closed.len()
    }

    /// Takes the entries out that were closed before `before`.
    pub(crate) fn forget_closed_before(&self, before: Timestamp) -> Vec<MessageDigest> {
        let mut state = self.lock();
        let mut leaving = Vec::new();
        while let Some((closed_at, message)) = state.closed.first().copied()
            && closed_at < before
        {
            state.remove_closed((closed_at, message));
            leaving.push(message);
        }
        leaving
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes closed entries out, the oldest first, until there is room for `bytes` more; `None`, with all of them
    /// still there, where that is not enough.
    fn make_room(&mut self, bytes: usize) -> Option<Vec<MessageDigest>> {
        let closed_bytes = |message| self.entries.get(message).map_or(0, |known| known.bytes);
        let (mut entries, mut left) = (self.entries.len(), self.bytes);
        let mut leaving = Vec::new();
        let mut closed = self.closed.iter();
        while entries >= REFUSED_BOUND || left + bytes > REFUSED_BYTES_BOUND {
            let one = closed.next()?;
            entries -= 1;
            left -= closed_bytes(&one.1);
            leaving.push(*one);
        }
        for one in &leaving {
            self.remove_closed(*one);
        }
        Some(leaving.into_iter().map(|(_, message)| message).collect())
    }

    fn remove_closed(&mut self, one: (Timestamp, MessageDigest)) {
        self.closed.remove(&one);
        let gone = self.entries.remove(&one.1);
        self.bytes -= gone.map_or(0, |gone| gone.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> MessageDigest {
        MessageDigest::of(&number.to_be_bytes())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn closed_entries_leave_first_the_oldest_first_and_a_full_index_takes_no_more() {
        let index = RefusedIndex::default();
        for number in 0..REFUSED_BOUND {
            let opened = index.arrive(digest(number), None, 1, true);
            assert_eq!(
                opened,
                Arrival::Opened {
                    leaving: Vec::new()
                }
            );
        }
        let newest = digest(REFUSED_BOUND);
        assert_eq!(index.arrive(newest, None, 1, true), Arrival::NoRoom);
        assert_eq!(
            index.arrive(digest(3), None, 1, true),
            Arrival::Known { is_open: true }
        );
        index.close(&digest(7), at(20)).unwrap();
        index.close(&digest(9), at(10)).unwrap();
        assert_eq!(index.close(&digest(9), at(30)), None);
        let leaving = vec![digest(9)];
        assert_eq!(
            index.arrive(newest, None, 1, true),
            Arrival::Opened { leaving }
        );
        assert_eq!(index.open(), REFUSED_BOUND - 1);
        assert!(!index.is_open(&digest(9)) && index.is_open(&newest));
    }

    #[test]
    fn the_bytes_of_all_have_a_bound_too() {
        let index = RefusedIndex::default();
        let half = REFUSED_BYTES_BOUND / 2;
        for number in 0..2 {
            let arrival = index.arrive(digest(number), None, half, true);
            assert!(matches!(arrival, Arrival::Opened { .. }));
        }
        assert_eq!(index.arrive(digest(2), None, 1, true), Arrival::NoRoom);
        index.close(&digest(0), at(1)).unwrap();
        let leaving = vec![digest(0)];
        assert_eq!(
            index.arrive(digest(2), None, 1, true),
            Arrival::Opened { leaving }
        );
    }

    #[test]
    fn a_closed_entry_stays_closed_when_its_bytes_come_again_unless_they_are_not_whole() {
        let index = RefusedIndex::default();
        for (number, is_whole) in [(0, true), (1, false)] {
            index.arrive(digest(number), None, 1, is_whole);
            index.close(&digest(number), at(1)).unwrap();
            index.arrive(digest(number), None, 1, is_whole);
            assert_eq!(index.is_open(&digest(number)), !is_whole);
        }
        assert_eq!(index.forget_closed_before(at(2)), [digest(0)]);
        assert_eq!(index.open(), 1);
    }
}
