//! The calls of a scenario and its bounds on faults.

use protocol::PaymentEvent;

use crate::call::{Call, Kind};
use crate::note::Message;
use crate::state::{Faults, Node, Redis, Seen, State};

#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own about the scenario"
)]
pub(crate) struct Scenario {
    pub(crate) events: Vec<PaymentEvent>,
    pub(crate) calls: Vec<Kind>,
    pub(crate) faults: Faults,
    /// By how many ticks each node's clock is behind.
    pub(crate) behind: [u8; 2],
    /// A call's budget, in ticks.
    pub(crate) budget: u8,
    /// Whether a conflict of two payments must make an error bill in the end.
    pub(crate) doubles_are_reported: bool,
    /// Whether no call is so slow that the resync shares its facts before it does.
    pub(crate) calls_first: bool,
    /// Whether nodes and Redis forget creations that were refused.
    pub(crate) forgets: bool,
    /// Whether every step stands alone; see `Phase::is_in_between`.
    pub(crate) fine: bool,
}

impl Scenario {
    /// Calls without faults.
    pub(crate) fn new(calls: &[Kind], events: &[PaymentEvent]) -> Self {
        Self {
            events: events.to_vec(),
            calls: calls.to_vec(),
            faults: Faults::default(),
            behind: [0; 2],
            budget: 1,
            doubles_are_reported: false,
            calls_first: false,
            forgets: false,
            fine: false,
        }
    }

    #[must_use]
    pub(crate) const fn with(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) fn budget_millis(&self) -> i64 {
        i64::from(self.budget) * 1_000
    }

    pub(crate) fn start(&self) -> State {
        State {
            tick: 0,
            redis: Redis::new(),
            nodes: [Node::new(), Node::new()],
            calls: self.calls.iter().copied().map(Call::new).collect(),
            left: self.faults,
            seen: Seen::default(),
        }
    }

    /// The pay-results of the scenario.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> {
        (0..).take(self.events.len())
    }
}
