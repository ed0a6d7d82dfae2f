//! Intervals in which the nodes may not have each other's facts.
//!
//! The guarantees between nodes (contract section 4) hold while both reach Redis and Redis has all
//! data; what it missed or lost is restored from the journals. A call is therefore excused only where
//! its node cannot have had the other nodes' facts. A node always has its own facts, also while Redis
//! fails: no call is excused for lack of them. A node whose disk was destroyed begins without any: its
//! successor depends on Redis and on the other nodes for what the former one took.

use std::time::Duration;

use crate::checks::action::Action;
use crate::clock::Moment;

/// A fact is on every node's disk this long after its call ended, where nothing fails and the machine is loaded.
pub const LAG: Duration = Duration::from_secs(1);

/// What an incident did to a node or to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// This node was killed and started: until it reaches Redis it only has its own journal.
    NodeRestarted(usize),
    /// This node was put back to a backup: its journal lacks its facts from this interval, which Redis has. The node
    /// depends on Redis for them as it does for the other node's.
    NodeRestored(usize),
    /// This node was killed, and its disk is gone. Redis and the other nodes have its facts.
    NodeDestroyed(usize),
    /// This node's disk and Redis, or its latest writes, are gone together: facts that this node made in this interval
    /// may be nowhere any more, for ever.
    LatestFactsLost(usize),
    /// Redis evicted values of bills. Each node still has all facts but those that are on their way to it.
    Evicted,
    /// This node could not reach Redis in time. Redis still has what was shared before.
    RedisUnreachable(usize),
    /// Redis lost its latest writes, and still has those from before the incident.
    LatestWritesLost,
    /// Redis lost everything.
    AllDataLost,
}

/// One incident; see [`Recovery`](crate::faults::recovery::Recovery) for how it ends.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    pub kind: IncidentKind,
    /// Just before the fault.
    pub from: Moment,
    /// From here on all nodes reach Redis and it loses nothing: later calls are shared as they end.
    pub reconnected_at: Moment,
    /// Here Redis has all facts again.
    pub until: Moment,
}

impl Incident {
    /// Whether the `later` call (a pay-result, notice or prepay) may lack the facts of the `earlier`
    /// one, which another node served, or the same one before it was restored or destroyed: its node could not read Redis, or the earlier facts were not
    /// shared, or were lost, and are not restored yet.
    fn hides(&self, earlier: Action, later: Action) -> bool {
        let is_under_way = later.overlaps(self.from, self.until);
        let could_not_read = later.overlaps(self.from, self.reconnected_at);
        let was_not_shared = earlier.overlaps(self.from, self.reconnected_at);
        match self.kind {
            IncidentKind::NodeRestored(_) => false,
            IncidentKind::NodeRestarted(node)
            | IncidentKind::NodeDestroyed(node)
            | IncidentKind::RedisUnreachable(node)
                if later.node == node =>
            {
                could_not_read
            }
            IncidentKind::NodeRestarted(_)
            | IncidentKind::NodeDestroyed(_)
            | IncidentKind::RedisUnreachable(_) => is_under_way && was_not_shared,
            IncidentKind::LatestFactsLost(_) => self.may_have_lost(earlier),
            IncidentKind::Evicted => self.is_on_its_way(earlier, later),
            IncidentKind::LatestWritesLost => could_not_read || (is_under_way && was_not_shared),
            IncidentKind::AllDataLost => is_under_way && earlier.from <= self.reconnected_at,
        }
    }

    /// Does the same for a link call. It is refused (`E801`) while Redis cannot be reached, so only
    /// facts that could not be shared and facts that Redis lost of either call are hidden: the `later`
    /// call may have reserved first. A gateway that starts hides nothing: it had shared what it settled
    /// before it answered, and so before it was killed.
    fn hides_from_link(&self, earlier: Action, later: Action) -> bool {
        let is_under_way = later.overlaps(self.from, self.until);
        let one_had_begun = earlier.from.min(later.from) <= self.reconnected_at;
        self.may_have_lost(earlier)
            || is_under_way
                && match self.kind {
                    IncidentKind::NodeRestarted(_)
                    | IncidentKind::NodeRestored(_)
                    | IncidentKind::NodeDestroyed(_)
                    | IncidentKind::LatestFactsLost(_) => false,
                    IncidentKind::Evicted => self.is_on_its_way(earlier, later),
                    IncidentKind::RedisUnreachable(node) => {
                        earlier.node == node && earlier.overlaps(self.from, self.reconnected_at)
                    }
                    IncidentKind::LatestWritesLost => one_had_begun && earlier.until >= self.from,
                    IncidentKind::AllDataLost => one_had_begun,
                }
    }

    /// Whether the journal of the calls' node has lost the facts of the `earlier` call.
    fn loses(&self, earlier: Action, later: Action) -> bool {
        let loses = match self.kind {
            IncidentKind::NodeRestored(node) => {
                node == earlier.node && earlier.overlaps(self.from, self.until)
            }
            IncidentKind::NodeDestroyed(node) => node == earlier.node && earlier.from <= self.until,
            _ => false,
        };
        loses && later.until >= self.from
    }

    /// Whether facts of the action may be nowhere any more, on no disk and not in Redis.
    fn may_have_lost(&self, action: Action) -> bool {
        self.kind == IncidentKind::LatestFactsLost(action.node)
            && action
                .ending(action.settled_by())
                .overlaps(self.from, self.reconnected_at)
    }

    /// Whether facts of the `earlier` call, which Redis evicted, may be on their way to the node of the `later` one.
    fn is_on_its_way(&self, earlier: Action, later: Action) -> bool {
        later.overlaps(self.from, self.until)
            && earlier.from <= self.until
            && later.from <= earlier.settled_by() + LAG
    }
}

/// Every incident of a run.
#[derive(Clone, Debug, Default)]
pub struct Incidents(Vec<Incident>);

impl Incidents {
    pub fn add(&mut self, incident: Incident) {
        self.0.push(incident);
    }

    pub fn all(&self) -> &[Incident] {
        &self.0
    }

    /// Returns whether a pay-result, notice or prepay may lack the facts of an earlier call.
    pub fn can_hide(&self, earlier: Action, later: Action) -> bool {
        let hides = |incident: &Incident| incident.hides(earlier, later);
        let is_foreign = earlier.node != later.node || self.can_lose(earlier, later);
        is_foreign && self.0.iter().any(hides)
    }

    /// Returns whether a link call may lack the facts of an earlier one.
    pub fn can_hide_from_link(&self, earlier: Action, later: Action) -> bool {
        let hides = |incident: &Incident| incident.hides_from_link(earlier, later);
        let is_foreign = earlier.node != later.node || self.can_lose(earlier, later);
        is_foreign && self.0.iter().any(hides)
    }

    /// Returns whether the journal of the calls' node has lost the facts of the `earlier` call.
    pub fn can_lose(&self, earlier: Action, later: Action) -> bool {
        self.0.iter().any(|incident| incident.loses(earlier, later))
    }

    /// Returns when the disk and Redis were gone with which facts of the action may have been lost for ever.
    pub fn lost_at(&self, action: Action) -> Option<Moment> {
        let mut lost = self.0.iter();
        let lost = lost.find(|incident| incident.may_have_lost(action));
        lost.map(|incident| incident.reconnected_at)
    }

    /// Returns whether the action's node may have been killed before it journalled the outcome.
    pub fn can_interrupt(&self, action: Action) -> bool {
        let restarts = |incident: &&Incident| {
            incident.kind == IncidentKind::NodeRestarted(action.node)
                || incident.kind == IncidentKind::NodeDestroyed(action.node)
        };
        let settling = Action {
            from: action.until,
            until: action.settled_by(),
            ..action
        };
        let mut restarts = self.0.iter().filter(restarts);
        action.used_whole_budget()
            && restarts.any(|incident| settling.overlaps(incident.from, incident.reconnected_at))
    }
}
