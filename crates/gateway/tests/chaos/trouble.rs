//! When something was out of order with the state that the nodes share, and what it may hide.
//!
//! The promises between two nodes (contract section 4) hold where both reach Redis and it has not
//! forgotten; what it missed or forgot is restored from the journals. So what a node did is excused
//! where it cannot have known what the other node did, and only there. What a node did itself it
//! always knows, whatever happens to Redis: nothing of that is ever excused.

use crate::clock::Moment;
use crate::deed::Deed;

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// This node was killed and started: until it has reached Redis it goes by its own journal.
    Start(usize),
    /// This node could not reach Redis in time. Redis has what was shared before.
    Apart(usize),
    /// Redis lost what it was told last, and still has what it was told before the trouble.
    Late,
    /// Redis lost everything.
    Forgot,
}

/// One trouble; see [`Recovery`](crate::recovery::Recovery) for how it ends.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub breach: Breach,
    /// Just before the blow.
    pub from: Moment,
    /// From here on both nodes reach Redis again, and it forgets nothing any more: whatever begins
    /// later is shared as it is done.
    pub in_touch: Moment,
    /// Here Redis has everything again.
    pub until: Moment,
}

impl Trouble {
    /// Whether a pay-result's or a question's `deed` may have been done without the knowledge of
    /// `earlier`, of the other node: it could not look, or `earlier` could not be shared, or was
    /// forgotten, and is not restored yet.
    fn hides(&self, earlier: Deed, deed: Deed) -> bool {
        let is_under_way = deed.overlaps(self.from, self.until);
        let could_not_look = deed.overlaps(self.from, self.in_touch);
        let was_not_told = earlier.overlaps(self.from, self.in_touch);
        match self.breach {
            Breach::Start(node) | Breach::Apart(node) if deed.node == node => could_not_look,
            Breach::Start(_) | Breach::Apart(_) => is_under_way && was_not_told,
            Breach::Late => could_not_look || (is_under_way && was_not_told),
            Breach::Forgot => is_under_way && earlier.from <= self.in_touch,
        }
    }

    /// The same for a link call. It is refused (`E801`) where Redis cannot be reached, so only what
    /// could not be shared is hidden, and what Redis forgot of either: `deed` may have been the first
    /// to reserve. A gateway that starts hides nothing: what it settled before it was killed it had
    /// shared before it answered.
    fn hides_from_link(&self, earlier: Deed, deed: Deed) -> bool {
        let is_under_way = deed.overlaps(self.from, self.until);
        let one_was_there = earlier.from.min(deed.from) <= self.in_touch;
        is_under_way
            && match self.breach {
                Breach::Start(_) => false,
                Breach::Apart(node) => {
                    earlier.node == node && earlier.overlaps(self.from, self.in_touch)
                }
                Breach::Late => one_was_there && earlier.until >= self.from,
                Breach::Forgot => one_was_there,
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

    /// Whether a pay-result or a question may have been taken without the knowledge of an earlier
    /// deed.
    pub fn hide(&self, earlier: Deed, deed: Deed) -> bool {
        let hides = |trouble: &Trouble| trouble.hides(earlier, deed);
        earlier.node != deed.node && self.0.iter().any(hides)
    }

    /// Whether a link call may have been taken without the knowledge of an earlier one.
    pub fn hide_from_link(&self, earlier: Deed, deed: Deed) -> bool {
        let hides = |trouble: &Trouble| trouble.hides_from_link(earlier, deed);
        earlier.node != deed.node && self.0.iter().any(hides)
    }

    /// Whether its node may have been killed before what came of a deed was written down.
    pub fn cut_off(&self, deed: Deed) -> bool {
        let kills = |trouble: &Trouble| trouble.breach == Breach::Start(deed.node);
        let behind = Deed {
            from: deed.until,
            until: deed.settled_by(),
            ..deed
        };
        let mut kills = self.0.iter().filter(|trouble| kills(trouble));
        deed.took_the_whole_budget()
            && kills.any(|trouble| behind.overlaps(trouble.from, trouble.in_touch))
    }
}
