//! A bounded history: the newest items of a sequence, and the number of all items.

use std::collections::VecDeque;

/// The newest items of a sequence. A new item replaces the oldest one if the limit is reached.
#[derive(Debug)]
pub(crate) struct History<T> {
    items: VecDeque<T>,
    limit: usize,
    total: u64,
}

impl<T> History<T> {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self {
            items: VecDeque::new(),
            limit,
            total: 0,
        }
    }

    /// The number of the next item, counted from 1.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.total + 1
    }

    /// Adds an item and returns the one that it replaces.
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

    /// Removes and returns the oldest item, unless it is the only one.
    pub(crate) fn remove_oldest(&mut self) -> Option<T> {
        if self.items.len() > 1 {
            self.items.pop_front()
        } else {
            None
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    /// The number of all items, including removed ones.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_items_remain_and_all_are_counted() {
        let mut history = History::with_limit(2);
        for number in 1..=5 {
            assert_eq!(history.next_sequence(), number);
            history.push(number);
        }
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [4, 5]);
        assert_eq!(history.total(), 5);
    }
}
