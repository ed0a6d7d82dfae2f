//! The tree of a long list: a B+ tree whose branches know the totals of the entries below them.

use super::{FEW, Keyed, Summary, add_others, find, of_entries};
use crate::state::heap_bytes;

/// A part of the tree, and what is known of all entries in it.
#[derive(Clone, Debug)]
pub(crate) struct Branch<T: Keyed> {
    first: T::Key,
    len: usize,
    /// The allocated bytes of the node, what is below it and what the entries own.
    bytes: usize,
    totals: T::Totals,
    pub(super) node: Node<T>,
}

/// At most [`FEW`] entries or branches, in the order of their keys.
#[derive(Clone, Debug)]
pub(super) enum Node<T: Keyed> {
    Leaf(Vec<T>),
    Inner(Vec<Branch<T>>),
}

impl<T: Keyed> Branch<T> {
    /// Returns the tree of entries in the order of their keys, at least one.
    pub(super) fn from_sorted(entries: Vec<T>) -> Self {
        let mut branches = in_parts(entries, Node::Leaf);
        while branches.len() > 1 {
            branches = in_parts(branches, Node::Inner);
        }
        branches.swap_remove(0)
    }

    /// Returns the branch of a node that is not empty.
    fn of(node: Node<T>) -> Self {
        let mut branch = Self {
            first: node.first(),
            len: 0,
            bytes: 0,
            totals: T::Totals::default(),
            node,
        };
        branch.sum_up();
        branch
    }

    /// Sums up what is directly below.
    fn sum_up(&mut self) {
        let mut totals = T::Totals::default();
        self.first = self.node.first();
        (self.len, self.bytes) = match &self.node {
            Node::Leaf(entries) => {
                for entry in entries {
                    totals.add(&entry.totals());
                }
                (entries.len(), of_entries(entries))
            }
            Node::Inner(branches) => {
                let below = branches.iter().map(|branch| branch.bytes);
                let bytes = heap_bytes::of_entries(branches) + below.sum::<usize>();
                for branch in branches {
                    totals.add(&branch.totals);
                }
                (branches.iter().map(Self::len).sum(), bytes)
            }
        };
        self.totals = totals;
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn totals(&self) -> &T::Totals {
        &self.totals
    }

    /// Returns the bytes of the tree where its root is boxed.
    pub(super) const fn boxed_bytes(&self) -> usize {
        heap_bytes::allocated(size_of::<Self>()) + self.bytes
    }

    pub(super) fn get(&self, key: &T::Key) -> Option<&T> {
        match &self.node {
            Node::Leaf(entries) => find(entries, key).ok().map(|index| &entries[index]),
            Node::Inner(branches) => branches[below(branches, key)].get(key),
        }
    }

    /// Adds the totals of all entries but the one with this key.
    pub(super) fn add_others(&self, key: &T::Key, totals: &mut T::Totals) {
        match &self.node {
            Node::Leaf(entries) => add_others(entries, key, totals),
            Node::Inner(branches) => {
                let within = below(branches, key);
                for (index, branch) in branches.iter().enumerate() {
                    if index == within {
                        branch.add_others(key, totals);
                    } else {
                        totals.add(&branch.totals);
                    }
                }
            }
        }
    }

    /// Changes or inserts an entry; the tree becomes higher where its root is split.
    pub(super) fn change_as_root<C>(
        &mut self,
        key: T::Key,
        cause: C,
        new: impl FnOnce(C) -> T,
        change: impl FnOnce(&mut T, C),
    ) {
        if let Some(right) = self.change(key, cause, new, change) {
            let left = std::mem::replace(&mut self.node, Node::Inner(Vec::new()));
            self.node = Node::Inner(vec![Self::of(left), right]);
            self.sum_up();
        }
    }

    /// Changes or inserts an entry; returns the right half where that made the node too long.
    fn change<C>(
        &mut self,
        key: T::Key,
        cause: C,
        new: impl FnOnce(C) -> T,
        change: impl FnOnce(&mut T, C),
    ) -> Option<Self> {
        let right = match &mut self.node {
            Node::Leaf(entries) => {
                match find(entries, &key) {
                    Ok(index) => change(&mut entries[index], cause),
                    Err(index) => entries.insert(index, new(cause)),
                }
                right_half(entries).map(Node::Leaf)
            }
            Node::Inner(branches) => {
                let within = below(branches, &key);
                if let Some(right) = branches[within].change(key, cause, new, change) {
                    branches.insert(within + 1, right);
                }
                right_half(branches).map(Node::Inner)
            }
        };
        self.sum_up();
        right.map(Self::of)
    }

    pub(super) fn for_each_owned(self, take: &mut impl FnMut(T)) {
        match self.node {
            Node::Leaf(entries) => entries.into_iter().for_each(take),
            Node::Inner(branches) => {
                let below = branches.into_iter();
                below.for_each(|branch| branch.for_each_owned(take));
            }
        }
    }
}

impl<T: Keyed> Node<T> {
    fn first(&self) -> T::Key {
        match self {
            Self::Leaf(entries) => entries[0].key(),
            Self::Inner(branches) => branches[0].first,
        }
    }
}

/// Returns the place of the branch in which an entry with this key is, or would be.
fn below<T: Keyed>(branches: &[Branch<T>], key: &T::Key) -> usize {
    let not_behind = branches.partition_point(|branch| branch.first <= *key);
    not_behind.saturating_sub(1)
}

/// Takes the right half of a node that is too long.
fn right_half<T>(entries: &mut Vec<T>) -> Option<Vec<T>> {
    if entries.len() <= FEW {
        return None;
    }
    let right = entries.split_off(entries.len() / 2);
    // Where entries come in order, nothing is added to the left half any more.
    entries.shrink_to_fit();
    Some(right)
}

/// Returns the branches of as many nodes as `entries` fill.
fn in_parts<E, T: Keyed>(entries: Vec<E>, node: fn(Vec<E>) -> Node<T>) -> Vec<Branch<T>> {
    let mut entries = entries.into_iter();
    let parts = std::iter::from_fn(|| {
        let part: Vec<E> = entries.by_ref().take(FEW).collect();
        (!part.is_empty()).then(|| Branch::of(node(part)))
    });
    parts.collect()
}
