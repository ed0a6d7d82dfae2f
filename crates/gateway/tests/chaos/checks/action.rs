//! What a node did with one call, and when.

use std::time::Duration;

use crate::calls::Call;
use crate::clock::Moment;
use crate::node::BUDGET;

/// The longest time that settling continues after an answer that came at the end of the budget: it
/// waits for the journal, then reads and writes Redis, 200 ms each, on a loaded machine.
const SETTLING: Duration = Duration::from_secs(1);

/// The work of a node for one call, from the call's begin to its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    pub node: usize,
    pub from: Moment,
    pub until: Moment,
}

impl Action {
    /// Returns the action of a whole call.
    pub const fn of(call: &Call) -> Self {
        Self {
            node: call.node,
            from: call.begun,
            until: call.ended,
        }
    }

    /// Returns the same action with another end.
    #[must_use]
    pub const fn ending(self, until: Moment) -> Self {
        Self { until, ..self }
    }

    /// Returns whether the answer came at the end of the budget. Such an answer is sent before its
    /// settling is shared, and perhaps before it is journalled; the settling continues afterwards.
    pub fn used_whole_budget(self) -> bool {
        self.until.saturating_sub(self.from) >= BUDGET
    }

    /// Returns when the outcome is journalled and shared if nothing fails.
    pub fn settled_by(self) -> Moment {
        if self.used_whole_budget() {
            self.until + SETTLING
        } else {
            self.until
        }
    }

    pub fn overlaps(self, from: Moment, until: Moment) -> bool {
        self.from <= until && from <= self.until
    }
}
