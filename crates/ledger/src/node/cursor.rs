//! Which of the journal's facts are in the shared state.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::Rows;

/// Stretches of shared rows that are remembered behind the cursor. What lies beyond is shared once
/// more, which changes nothing.
const STRETCHES_BOUND: usize = 65_536;

/// The cursor, and what is shared beyond it: calls share their own facts at once and in any order,
/// the resync shares what they could not.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<State>);

/// How often the marks were rewound. What was read or written before a rewind says nothing of the
/// server that is there after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Epoch(u64);

#[derive(Debug, Default)]
struct State {
    epoch: Epoch,
    /// All facts up to this row are shared.
    up_to: i64,
    /// Stretches of rows beyond it that are shared, by their first row; they never touch.
    beyond: BTreeMap<i64, i64>,
    /// The last row of the journal.
    last: i64,
}

impl Marks {
    pub(crate) fn new(up_to: i64, last: i64) -> Self {
        Self(Mutex::new(State {
            epoch: Epoch::default(),
            up_to,
            beyond: BTreeMap::new(),
            last,
        }))
    }

    /// To be asked before the shared state is, and given back with what is marked then.
    pub(crate) fn epoch(&self) -> Epoch {
        self.lock().epoch
    }

    /// These rows are in the journal.
    pub(crate) fn journalled(&self, rows: Rows) {
        let mut state = self.lock();
        state.last = state.last.max(rows.last);
    }

    /// These rows were in the shared state at some moment after `epoch` was asked for. Where the
    /// marks were rewound meanwhile, nobody knows whether they still are.
    pub(crate) fn shared(&self, epoch: Epoch, rows: Rows) {
        let mut state = self.lock();
        if state.epoch == epoch && rows.first <= rows.last {
            state.add(rows);
        }
    }

    /// Whether a row is in the shared state.
    pub(crate) fn is_shared(&self, row: i64) -> bool {
        self.lock().end_of_stretch(row).is_some()
    }

    /// The row before the first one behind `after` that is not shared.
    pub(crate) fn shared_behind(&self, after: i64) -> i64 {
        self.lock().end_of_stretch(after + 1).unwrap_or(after)
    }

    /// The last row of the journal that is known here.
    pub(crate) fn last(&self) -> i64 {
        self.lock().last
    }

    /// All facts up to this row are shared.
    pub(crate) fn up_to(&self) -> i64 {
        self.lock().up_to
    }

    /// Nothing is shared any more: another, or a wiped, server.
    pub(crate) fn rewind(&self) {
        let mut state = self.lock();
        state.epoch.0 += 1;
        state.up_to = 0;
        state.beyond.clear();
    }

    /// Facts that are journalled and not shared.
    pub(crate) fn unshared(&self) -> i64 {
        let state = self.lock();
        let lengths = state.beyond.iter().map(|(first, last)| last - first + 1);
        (state.last - state.up_to - lengths.sum::<i64>()).max(0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The last row of the stretch that `row` is in; `None` where it is not shared.
    fn end_of_stretch(&self, row: i64) -> Option<i64> {
        if row <= self.up_to {
            return Some(self.up_to);
        }
        let (_, last) = self.beyond.range(..=row).next_back()?;
        (row <= *last).then_some(*last)
    }

    fn add(&mut self, rows: Rows) {
        let Rows {
            mut first,
            mut last,
        } = rows;
        if let Some((begin, end)) = copied(self.beyond.range(..first).next_back())
            && end >= first - 1
        {
            first = begin;
            last = last.max(end);
        }
        while let Some((begin, end)) = copied(self.beyond.range(first..).next())
            && begin <= last + 1
        {
            last = last.max(end);
            self.beyond.remove(&begin);
        }
        if first > self.up_to + 1 {
            if self.beyond.len() < STRETCHES_BOUND {
                self.beyond.insert(first, last);
            }
            return;
        }
        self.up_to = self.up_to.max(last);
        while let Some((begin, end)) = copied(self.beyond.first_key_value())
            && begin <= self.up_to + 1
        {
            self.up_to = self.up_to.max(end);
            self.beyond.remove(&begin);
        }
    }
}

fn copied(stretch: Option<(&i64, &i64)>) -> Option<(i64, i64)> {
    stretch.map(|(first, last)| (*first, *last))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn rows(first: i64, last: i64) -> Rows {
        Rows { first, last }
    }

    #[test]
    fn the_cursor_moves_over_what_is_shared_without_a_gap() {
        let marks = Marks::new(10, 12);
        let epoch = marks.epoch();
        marks.journalled(rows(13, 15));
        assert_eq!(marks.unshared(), 5);
        marks.shared(epoch, rows(13, 13));
        assert_eq!((marks.up_to(), marks.unshared()), (10, 4));
        assert!(marks.is_shared(13) && !marks.is_shared(12));
        marks.shared(epoch, rows(11, 12));
        assert_eq!((marks.up_to(), marks.unshared()), (13, 2));
        marks.rewind();
        assert_eq!((marks.up_to(), marks.unshared()), (0, 15));
        assert!(!marks.is_shared(13));
    }

    #[test]
    fn what_was_shared_before_a_rewind_is_not_marked_after_it() {
        let marks = Marks::new(0, 3);
        let before = marks.epoch();
        marks.rewind();
        marks.shared(before, rows(1, 3));
        assert_eq!(marks.unshared(), 3);
        marks.shared(marks.epoch(), rows(1, 3));
        assert_eq!(marks.unshared(), 0);
    }

    proptest! {
        #[test]
        fn stretches_say_what_single_rows_would_say(
            shared in proptest::collection::vec((1..40_i64, 0..6_i64), 0..20),
        ) {
            let marks = Marks::new(0, 50);
            let mut single = BTreeSet::new();
            for (first, more) in shared {
                marks.shared(marks.epoch(), rows(first, first + more));
                single.extend(first..=first + more);
                let up_to = (1..50).take_while(|row| single.contains(row)).last();
                prop_assert_eq!(marks.up_to(), up_to.unwrap_or(0));
                prop_assert_eq!(marks.unshared(), 50 - i64::try_from(single.len()).unwrap());
                for row in 1..50 {
                    prop_assert_eq!(marks.is_shared(row), single.contains(&row));
                    let behind = (row..51).find(|next| !single.contains(&(next + 1)));
                    prop_assert_eq!(Some(marks.shared_behind(row)), behind);
                }
            }
        }
    }
}
