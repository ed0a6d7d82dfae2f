//! The newest of a stream of things, and how many there were in all.

use std::collections::VecDeque;

/// A bounded memory: the oldest goes when the newest does not fit.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    items: VecDeque<T>,
    limit: usize,
    total: u64,
}

impl<T> Kept<T> {
    pub(crate) fn newest(limit: usize) -> Self {
        Self {
            items: VecDeque::new(),
            limit,
            total: 0,
        }
    }

    /// The number that the next item will have, counted from 1.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.total + 1
    }

    /// Keeps the item and gives back the one that it pushed out.
    pub(crate) fn push(&mut self, item: T) -> Option<T> {
        let oldest = if self.items.len() == self.limit {
            self.items.pop_front()
        } else {
            None
        };
        self.items.push_back(item);
        self.total += 1;
        oldest
    }

    /// Takes the oldest item out, but never the last one.
    pub(crate) fn forget_oldest(&mut self) -> Option<T> {
        if self.items.len() > 1 {
            self.items.pop_front()
        } else {
            None
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    /// How many there were, the forgotten ones included.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_all_are_counted() {
        let mut kept = Kept::newest(2);
        for number in 1..=5 {
            assert_eq!(kept.next_sequence(), number);
            kept.push(number);
        }
        assert_eq!(kept.iter().copied().collect::<Vec<_>>(), [4, 5]);
        assert_eq!(kept.total(), 5);
    }
}
