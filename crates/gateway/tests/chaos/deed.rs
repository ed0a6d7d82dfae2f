//! What a node did, and when.

use std::time::Duration;

use crate::calls::Call;
use crate::clock::Moment;
use crate::node::BUDGET;

/// How long settling may go on behind an answer that came when the budget was over: the journal is
/// waited for, then Redis is read and written, 200 ms each, on a machine that has little time.
const SETTLING: Duration = Duration::from_secs(1);

/// What a node did, from the call's beginning to what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    pub node: usize,
    pub from: Moment,
    pub until: Moment,
}

impl Deed {
    /// A whole call.
    pub const fn of(call: &Call) -> Self {
        Self {
            node: call.node,
            from: call.begun,
            until: call.ended,
        }
    }

    /// The same deed, if what came of it came earlier or later.
    #[must_use]
    pub const fn ending(self, until: Moment) -> Self {
        Self { until, ..self }
    }

    /// An answer that came when the budget was over came before its settling was shared, and maybe
    /// before it was journalled: the budget is kept, and the settling goes on behind it.
    pub fn took_the_whole_budget(self) -> bool {
        self.until.saturating_sub(self.from) >= BUDGET
    }

    /// When what came of it is in the journal and shared, where nothing is in the way.
    pub fn settled_by(self) -> Moment {
        if self.took_the_whole_budget() {
            self.until + SETTLING
        } else {
            self.until
        }
    }

    pub fn overlaps(self, from: Moment, until: Moment) -> bool {
        self.from <= until && from <= self.until
    }
}
