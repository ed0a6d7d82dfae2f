//! Sorted lists that are small where they are short and fast where they are long.
//!
//! Nearly every bill has one payment, so a list of up to [`FEW`] entries is a plain vector. A longer one is a tree whose
//! branches keep the totals of the entries below them (as a B+ tree does with counts): a change touches one path, and a
//! question about all entries is answered by the root. Both forms answer alike. Entries are never removed.

mod tree;
mod walk;

pub(crate) use walk::Walk;

use std::fmt::Debug;

use tree::Branch;

use crate::state::codec::Encode;
use crate::state::heap_bytes::{self, HeapBytes};

/// The most entries of a plain vector, and of a node of the tree.
const FEW: usize = 16;

/// An entry of a sorted list.
pub(crate) trait Keyed: HeapBytes {
    /// What the entries are sorted by. No two entries of a list have the same key.
    type Key: Copy + Debug + Ord;
    /// What is known of several entries together.
    type Totals: Summary;

    fn key(&self) -> Self::Key;

    /// The totals of this entry alone.
    fn totals(&self) -> Self::Totals;

    /// Merges another entry with the same key.
    fn merge(&mut self, other: Self);
}

/// Summary of entries. Neither the order of additions matters nor how they are grouped.
pub(crate) trait Summary: Clone + Debug + Default {
    fn add(&mut self, other: &Self);
}

/// Entries sorted by their keys.
#[derive(Clone, Debug)]
pub(crate) enum Sorted<T: Keyed> {
    /// At most [`FEW`].
    Few(Vec<T>),
    /// More.
    Many(Box<Branch<T>>),
}

impl<T: Keyed> Default for Sorted<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T: Keyed + PartialEq> PartialEq for Sorted<T> {
    /// Compares the entries: the form of a tree depends on the order in which they came.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Keyed + Eq> Eq for Sorted<T> {}

impl<T: Keyed> Sorted<T> {
    /// Returns the list of one entry.
    pub(crate) fn of(entry: T) -> Self {
        // No room for others is kept: nearly every list has only one entry.
        Self::Few(Vec::from([entry]))
    }

    /// Returns the list of entries that were written in order; of two with the same key, the merged one.
    pub(crate) fn from_written(entries: Vec<T>) -> Self {
        if !entries.is_sorted_by(|one, next| one.key() < next.key()) {
            let mut sorted = Self::default();
            for entry in entries {
                sorted.put(entry);
            }
            return sorted;
        }
        if entries.len() <= FEW {
            Self::Few(entries)
        } else {
            Self::Many(Box::new(Branch::from_sorted(entries)))
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(entries) => entries.len(),
            Self::Many(root) => root.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the entry with this key.
    pub(crate) fn get(&self, key: &T::Key) -> Option<&T> {
        match self {
            Self::Few(entries) => find(entries, key).ok().map(|index| &entries[index]),
            Self::Many(root) => root.get(key),
        }
    }

    /// Returns the totals of all entries.
    #[inline]
    pub(crate) fn totals(&self) -> T::Totals {
        let mut totals = T::Totals::default();
        match self {
            Self::Few(entries) => entries.iter().for_each(|one| totals.add(&one.totals())),
            Self::Many(root) => totals.add(root.totals()),
        }
        totals
    }

    /// Returns the totals of all entries but the one with this key.
    pub(crate) fn totals_without(&self, key: &T::Key) -> T::Totals {
        let mut totals = T::Totals::default();
        match self {
            Self::Few(entries) => add_others(entries, key, &mut totals),
            Self::Many(root) => root.add_others(key, &mut totals),
        }
        totals
    }

    /// Returns the entries in the order of their keys.
    pub(crate) fn iter(&self) -> Walk<'_, T> {
        self.iter_where(|_| true)
    }

    /// Returns the entries in the order of their keys, without those below a branch whose totals are not `wanted`.
    /// Single entries are not judged.
    pub(crate) fn iter_where(&self, wanted: fn(&T::Totals) -> bool) -> Walk<'_, T> {
        match self {
            Self::Few(entries) => Walk::of_entries(entries, wanted),
            Self::Many(root) => Walk::of_branch(root, wanted),
        }
    }

    /// Adds an entry, or merges it into the one with its key.
    pub(crate) fn put(&mut self, entry: T) {
        self.change(entry.key(), entry, |entry| entry, T::merge);
    }

    /// Changes the entry with this key; where there is none, inserts the new one. `cause` is what either is made from.
    pub(crate) fn change<C>(
        &mut self,
        key: T::Key,
        cause: C,
        new: impl FnOnce(C) -> T,
        change: impl FnOnce(&mut T, C),
    ) {
        match self {
            Self::Few(entries) => match find(entries, &key) {
                Ok(index) => change(&mut entries[index], cause),
                Err(_) if entries.is_empty() => *self = Self::of(new(cause)),
                Err(index) if entries.len() < FEW => entries.insert(index, new(cause)),
                Err(_) => {
                    let mut root = Branch::from_sorted(std::mem::take(entries));
                    root.change_as_root(key, cause, new, change);
                    *self = Self::Many(Box::new(root));
                }
            },
            Self::Many(root) => root.change_as_root(key, cause, new, change),
        }
    }

    /// Merges another list. The cost is that of the shorter one.
    pub(crate) fn merge(&mut self, mut other: Self) {
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        other.for_each_owned(&mut |entry| self.put(entry));
    }

    /// Writes the entries as [`encode_list`](crate::state::codec::encode_list) does.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, mut encode: impl FnMut(&T, &mut Vec<u8>)) {
        (self.len() as u64).encode(out);
        self.iter().for_each(|entry| encode(entry, out));
    }

    fn for_each_owned(self, take: &mut impl FnMut(T)) {
        match self {
            Self::Few(entries) => entries.into_iter().for_each(take),
            Self::Many(root) => root.for_each_owned(take),
        }
    }
}

impl<T: Keyed> HeapBytes for Sorted<T> {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Few(entries) => of_entries(entries),
            Self::Many(root) => root.boxed_bytes(),
        }
    }
}

/// Returns the bytes of entries and of what they own.
fn of_entries<T: Keyed>(entries: &Vec<T>) -> usize {
    heap_bytes::of_entries(entries) + entries.iter().map(T::heap_bytes).sum::<usize>()
}

fn find<T: Keyed>(entries: &[T], key: &T::Key) -> Result<usize, usize> {
    entries.binary_search_by(|entry| entry.key().cmp(key))
}

fn add_others<T: Keyed>(entries: &[T], key: &T::Key, totals: &mut T::Totals) {
    let others = entries.iter().filter(|entry| entry.key() != *key);
    others.for_each(|entry| totals.add(&entry.totals()));
}
