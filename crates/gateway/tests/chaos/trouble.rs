//! When something was out of order with the state that the nodes share, and for whom.

use crate::clock::Moment;
use crate::node::BUDGET;

/// Whose knowledge may lag behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// This node was started: until it has reached Redis it goes by what its own journal knows.
    Start(usize),
    /// Redis was out of reach or slow for a node, or forgot.
    Redis,
}

/// From just before the blow until the journals have restored everything: see
/// [`Recovery`](crate::recovery::Recovery).
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub breach: Breach,
    pub from: Moment,
    pub until: Moment,
}

/// A stretch of time, from a call's beginning to what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub from: Moment,
    pub until: Moment,
}

impl Trouble {
    fn touches(&self, stretch: Stretch) -> bool {
        self.from <= stretch.until && stretch.from <= self.until
    }
}

/// Every trouble of a run.
///
/// The promises between two nodes (contract section 4) hold where both reach Redis and it has not
/// forgotten; what it missed or forgot is restored from the journals. So what a node did is excused
/// where, *while it was deciding*, a trouble lasted that could keep the other node's facts from it.
/// What one node did itself it always knows, whatever happens to Redis: nothing of that is excused.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    pub fn add(&mut self, trouble: Trouble) {
        self.0.push(trouble);
    }

    pub fn all(&self) -> &[Trouble] {
        &self.0
    }

    /// Whether Redis was out of order at any time of a stretch.
    pub fn redis_in(&self, stretch: Stretch) -> bool {
        let mut troubles = self.0.iter();
        troubles.any(|trouble| trouble.breach == Breach::Redis && trouble.touches(stretch))
    }

    /// Whether at any time of a stretch this node may not have known what the other does, or the
    /// other way round.
    pub fn between_nodes_in(&self, stretch: Stretch) -> bool {
        self.0.iter().any(|trouble| trouble.touches(stretch))
    }
}

/// An answer that came when the budget was over came before the gateway had settled it, by the
/// contract's own order: the budget is kept, and the settling goes on behind it.
pub fn took_the_whole_budget(call: Stretch) -> bool {
    call.until.saturating_sub(call.from) >= BUDGET
}
