//! A walk through the entries of a sorted list.

use std::slice;

use super::Keyed;
use super::tree::{Branch, Node};

/// The entries of a sorted list, in the order of their keys.
pub(crate) struct Walk<'a, T: Keyed> {
    leaf: slice::Iter<'a, T>,
    /// What is left of the nodes above the leaf, the lowest last.
    above: Vec<slice::Iter<'a, Branch<T>>>,
    wanted: fn(&T::Totals) -> bool,
}

impl<'a, T: Keyed> Walk<'a, T> {
    pub(super) fn of_entries(entries: &'a [T], wanted: fn(&T::Totals) -> bool) -> Self {
        Self {
            leaf: entries.iter(),
            above: Vec::new(),
            wanted,
        }
    }

    pub(super) fn of_branch(root: &'a Branch<T>, wanted: fn(&T::Totals) -> bool) -> Self {
        Self {
            leaf: [].iter(),
            above: vec![slice::from_ref(root).iter()],
            wanted,
        }
    }

    /// Goes on to the next leaf; returns `None` behind the last one.
    fn next_leaf(&mut self) -> Option<()> {
        loop {
            let wanted = self.wanted;
            let level = self.above.last_mut()?;
            match level.find(|branch| wanted(branch.totals())) {
                Some(branch) => match &branch.node {
                    Node::Inner(branches) => self.above.push(branches.iter()),
                    Node::Leaf(entries) => {
                        self.leaf = entries.iter();
                        return Some(());
                    }
                },
                None => {
                    self.above.pop();
                }
            }
        }
    }
}

impl<'a, T: Keyed> Iterator for Walk<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(entry) = self.leaf.next() {
                return Some(entry);
            }
            self.next_leaf()?;
        }
    }
}
