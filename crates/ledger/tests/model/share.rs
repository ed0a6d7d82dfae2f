//! The production code's account of which rows of a journal are in Redis.

#[allow(dead_code, reason = "what is not shared is for the metrics")]
#[path = "../../src/node/cursor.rs"]
mod marks;

use crate::journal::Rows;

/// The real marks, as a value that a state can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Marks {
    up_to: i64,
    beyond: Vec<i64>,
    last: i64,
    rewound: u8,
}

impl Marks {
    pub(crate) fn new(up_to: i64, last: i64) -> Self {
        Self {
            up_to,
            beyond: Vec::new(),
            last,
            rewound: 0,
        }
    }

    /// How often they were rewound: what `Marks::epoch` stands for.
    pub(crate) const fn epoch(&self) -> u8 {
        self.rewound
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

    pub(crate) fn shared(&mut self, epoch: u8, rows: Rows) {
        self.with_real(|real, epochs| real.shared(epochs[usize::from(epoch)], rows));
    }

    pub(crate) fn rewind(&mut self) {
        self.with_real(|real, _| real.rewind());
        self.rewound += 1;
    }

    fn with_real(&mut self, change: impl FnOnce(&marks::Marks, &[marks::Epoch])) {
        let real = marks::Marks::new(0, self.last);
        let mut epochs = vec![real.epoch()];
        for _ in 0..self.rewound {
            real.rewind();
            epochs.push(real.epoch());
        }
        let rows = (1..=self.up_to).chain(self.beyond.iter().copied());
        for row in rows {
            let only = Rows {
                first: row,
                last: row,
            };
            real.shared(real.epoch(), only);
        }
        change(&real, &epochs);
        // A row that was journalled without waiting for it can lie beyond `last`.
        let highest = self.last + 8;
        self.up_to = real.up_to();
        self.beyond = (self.up_to + 1..=highest)
            .filter(|row| real.is_shared(*row))
            .collect();
    }
}
