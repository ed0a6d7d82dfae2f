//! Which of the journal's facts are in the shared state.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::Rows;

/// The cursor, and what is shared beyond it: calls share their own facts at once and in any order,
/// the catch-up shares what they could not.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// All facts up to this row are shared.
    up_to: i64,
    /// Rows beyond it that are shared; bounded by what is journalled during one round of catch-up.
    beyond: BTreeSet<i64>,
    /// The last row of the journal.
    last: i64,
}

impl Marks {
    pub(crate) fn new(up_to: i64, last: i64) -> Self {
        Self(Mutex::new(State {
            up_to,
            beyond: BTreeSet::new(),
            last,
        }))
    }

    /// These rows are in the journal.
    pub(crate) fn journalled(&self, rows: Rows) {
        let mut state = self.lock();
        state.last = state.last.max(rows.last);
    }

    /// These rows are in the shared state.
    pub(crate) fn shared(&self, rows: Rows) {
        let mut state = self.lock();
        if rows.first <= state.up_to + 1 {
            state.up_to = state.up_to.max(rows.last);
            let next = state.up_to + 1;
            state.beyond = state.beyond.split_off(&next);
        } else {
            state.beyond.extend(rows.first..=rows.last);
        }
        while state.beyond.first() == Some(&(state.up_to + 1)) {
            state.beyond.pop_first();
            state.up_to += 1;
        }
    }

    /// Whether a row is in the shared state.
    pub(crate) fn is_shared(&self, row: i64) -> bool {
        let state = self.lock();
        row <= state.up_to || state.beyond.contains(&row)
    }

    /// All facts up to this row are shared.
    pub(crate) fn up_to(&self) -> i64 {
        self.lock().up_to
    }

    /// Nothing is shared any more: another, or a wiped, server.
    pub(crate) fn rewind(&self) {
        let mut state = self.lock();
        state.up_to = 0;
        state.beyond.clear();
    }

    /// Facts that are journalled and not shared.
    pub(crate) fn unshared(&self) -> i64 {
        let state = self.lock();
        let beyond = i64::try_from(state.beyond.len()).unwrap_or(i64::MAX);
        (state.last - state.up_to - beyond).max(0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_moves_over_what_is_shared_without_a_gap() {
        let marks = Marks::new(10, 12);
        let rows = |first, last| Rows { first, last };
        marks.journalled(rows(13, 15));
        assert_eq!(marks.unshared(), 5);
        marks.shared(rows(13, 13));
        assert_eq!((marks.up_to(), marks.unshared()), (10, 4));
        assert!(marks.is_shared(13) && !marks.is_shared(12));
        marks.shared(rows(11, 12));
        assert_eq!((marks.up_to(), marks.unshared()), (13, 2));
        marks.rewind();
        assert_eq!((marks.up_to(), marks.unshared()), (0, 15));
        assert!(!marks.is_shared(13));
    }
}
