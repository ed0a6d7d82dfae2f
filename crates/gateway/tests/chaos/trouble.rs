//! When something was out of order with the state that the nodes share, and what it may hide.
//!
//! The promises between two nodes (contract section 4) hold where both reach Redis and it has not
//! forgotten; what it missed or forgot is restored from the journals. So what a node did is excused
//! where it cannot have known what the other node did, and only there. What a node did itself it
//! always knows, whatever happens to Redis: nothing of that is ever excused.

use crate::calls::Call;
use crate::clock::Moment;
use crate::node::BUDGET;

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// This node was started: until it has reached Redis it goes by what its own journal knows.
    Start(usize),
    /// A node could not reach Redis in time. Redis has what was shared before.
    Apart,
    /// Redis lost what it held.
    Forgot,
}

/// One trouble; see [`Recovery`](crate::recovery::Recovery) for how it ends.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub breach: Breach,
    /// Just before the blow.
    pub from: Moment,
    /// From here on both nodes reach Redis again, which has what was shared before `from`, unless it
    /// forgot.
    pub in_touch: Moment,
    /// Here it has everything again.
    pub until: Moment,
}

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

    /// An answer that came when the budget was over came before its settling was shared, and maybe
    /// before it was journalled: the budget is kept, and the settling goes on behind it.
    pub fn took_the_whole_budget(self) -> bool {
        self.until.saturating_sub(self.from) >= BUDGET
    }

    fn overlaps(self, from: Moment, until: Moment) -> bool {
        self.from <= until && from <= self.until
    }
}

impl Trouble {
    /// Whether a pay-result's `deed` may have been taken without the knowledge of `earlier`, of the
    /// other node. A pay-result is taken whether or not Redis can be reached.
    fn hides_from_payment(&self, earlier: Deed, deed: Deed) -> bool {
        let is_under_way = deed.overlaps(self.from, self.until);
        let cannot_look = deed.overlaps(self.from, self.in_touch);
        let was_not_told = earlier.overlaps(self.from, self.until);
        match self.breach {
            Breach::Start(node) if deed.node == node => is_under_way && cannot_look,
            Breach::Start(_) => is_under_way && was_not_told,
            Breach::Apart => is_under_way && (cannot_look || was_not_told),
            Breach::Forgot => is_under_way,
        }
    }

    /// The same for a link call. It is refused (`E801`) where Redis cannot be reached, so only what
    /// could not be shared is hidden, and what Redis forgot. A gateway that starts hides nothing: what
    /// it settled before it was killed it had shared before it answered.
    fn hides_from_link(&self, earlier: Deed, deed: Deed) -> bool {
        let is_under_way = deed.overlaps(self.from, self.until);
        match self.breach {
            Breach::Start(_) => false,
            Breach::Apart => is_under_way && earlier.overlaps(self.from, self.until),
            Breach::Forgot => is_under_way,
        }
    }
}

/// Every trouble of a run.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    pub fn add(&mut self, trouble: Trouble) {
        self.0.push(trouble);
    }

    pub fn all(&self) -> &[Trouble] {
        &self.0
    }

    /// Whether a pay-result may have been taken without the knowledge of an earlier deed.
    pub fn hide_from_payment(&self, earlier: Deed, deed: Deed) -> bool {
        let hides = |trouble: &Trouble| trouble.hides_from_payment(earlier, deed);
        earlier.node != deed.node && self.0.iter().any(hides)
    }

    /// Whether a link call may have been taken without the knowledge of an earlier one.
    pub fn hide_from_link(&self, earlier: Deed, deed: Deed) -> bool {
        let hides = |trouble: &Trouble| trouble.hides_from_link(earlier, deed);
        earlier.node != deed.node && self.0.iter().any(hides)
    }
}
