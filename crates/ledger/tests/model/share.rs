//! The production code's account of which rows of a journal are in Redis.

#[allow(dead_code, reason = "what is not shared is for the metrics")]
#[path = "../../src/share/marks.rs"]
mod marks;

use crate::journal::Rows;

/// The real marks, as a value that a state can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Marks {
    up_to: i64,
    beyond: Vec<i64>,
    last: i64,
}

impl Marks {
    pub(crate) fn new(up_to: i64, last: i64) -> Self {
        Self {
            up_to,
            beyond: Vec::new(),
            last,
        }
    }

    pub(crate) const fn up_to(&self) -> i64 {
        self.up_to
    }

    pub(crate) fn is_shared(&self, row: i64) -> bool {
        row <= self.up_to || self.beyond.contains(&row)
    }

    pub(crate) fn journalled(&mut self, rows: Rows) {
        self.last = self.last.max(rows.last);
    }

    pub(crate) fn shared(&mut self, rows: Rows) {
        self.with_real(|real| real.shared(rows));
    }

    pub(crate) fn rewind(&mut self) {
        self.with_real(marks::Marks::rewind);
    }

    fn with_real(&mut self, change: impl FnOnce(&marks::Marks)) {
        let real = marks::Marks::new(self.up_to, self.last);
        for row in &self.beyond {
            real.shared(Rows {
                first: *row,
                last: *row,
            });
        }
        change(&real);
        // A row that was journalled without waiting for it can lie beyond `last`.
        let highest = self.last + 8;
        self.up_to = real.up_to();
        self.beyond = (self.up_to + 1..=highest)
            .filter(|row| real.is_shared(*row))
            .collect();
    }
}
