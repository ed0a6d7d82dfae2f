//! Lets the faults loose, one strike after the other, and notes when each was made good.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::bill::CANARIES;
use crate::blow::{Blow, Loss};
use crate::calls::CircuitOutcome;
use crate::clock::{LOOK_EVERY, Moment, until};
use crate::faults::{Fault, Strike};
use crate::finding::Finding;
use crate::line::Line;
use crate::node::Node;
use crate::plan::Plan;
use crate::recovery::{Recovery, Touch};
use crate::sending::Sending;
use crate::trouble::{Breach, Trouble, Troubles};
use crate::world::World;

/// Contract section 4: within this time each node begins to write again what Redis lacks.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// What was done to a world.
pub struct Injector<'a> {
    world: &'a World,
    /// The last moment at which nothing was wrong, as far as is known.
    well: Touch,
    pub troubles: Troubles,
    /// How often each kind of fault was injected.
    pub injected: BTreeMap<String, u64>,
    /// How often Redis was found too slow, or another primary was chosen, without any fault.
    pub unprovoked: u64,
    /// How long after both nodes reached Redis each began to restore.
    pub begun_after: Vec<Duration>,
    pub restoring: Finding,
}

/// A breach that is not made good yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    breach: Breach,
    from: Moment,
    /// `None`: only when everything is in touch.
    in_touch: Option<Moment>,
}

impl<'a> Injector<'a> {
    /// Waits until the world is whole, and lets the canaries in.
    pub fn into(world: &'a World) -> Self {
        for (node, bill) in CANARIES.into_iter().enumerate() {
            let event = &Plan::of(world.seed, bill).events[0];
            until("the canaries are in", || {
                let id = world.calls.next_id();
                let sending = Sending::pay_result(bill, node, id, (0, event));
                let outcome = sending.send(world, &mut Line::to(&world.nodes));
                matches!(outcome, CircuitOutcome::Answered(_))
            });
        }
        let mut injector = Self {
            world,
            well: Touch {
                at: Moment::ZERO,
                failures: [0, 0],
                primaries: world.store.primaries(),
            },
            troubles: Troubles::default(),
            injected: BTreeMap::new(),
            unprovoked: 0,
            begun_after: Vec::new(),
            restoring: Finding::of("restoring begins late"),
        };
        let apart = [0, 1].map(|node| injector.opened(Breach::Apart(node)));
        injector.recover(apart.to_vec(), false);
        injector
    }

    /// Strikes until `end`; everything is up and restored when this ends.
    pub fn strike_until(&mut self, end: Moment, strikes: impl Iterator<Item = Strike>) {
        for strike in strikes {
            let now = self.world.clock.now();
            self.stay_calm(end.min(now + strike.after));
            if self.world.clock.now() >= end {
                return;
            }
            self.strike(&strike);
        }
    }

    /// Nothing is done, and yet a machine without time can make Redis miss its 200 ms: to the nodes
    /// that is the same as a Redis that is out of reach, and they say so. Sentinels may choose anew.
    fn stay_calm(&mut self, end: Moment) {
        loop {
            let at = self.world.clock.now();
            let unforeseen = self.unforeseen();
            if unforeseen.is_empty() {
                self.well.at = at;
            } else {
                self.unprovoked += 1;
                self.recover(unforeseen, false);
            }
            if self.world.clock.now() >= end {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// The next fault comes as soon as the nodes reach Redis again, while they are restoring it.
    fn strike(&mut self, strike: &Strike) {
        let mut open: Vec<Open> = Vec::new();
        let mut is_wiped = false;
        let mut faults = strike.faults.iter().peekable();
        while let Some(fault) = faults.next() {
            *self.injected.entry(fault.name()).or_default() += 1;
            let kept_off = fault.keeps_off().iter().map(|node| Breach::Apart(*node));
            let killed = fault.kills().into_iter().map(Breach::Start);
            open.extend(kept_off.chain(killed).map(|breach| self.opened(breach)));
            open.extend(self.unforeseen());
            let loss = self.inject(*fault);
            open.extend(self.lost(loss));
            if fault.restarts_servers() {
                self.well.primaries = self.world.store.primaries();
            }
            is_wiped |= loss == Loss::Everything;
            for node in fault.kills() {
                // It counts from its start.
                self.well.failures[node] = 0;
            }
            if faults.peek().is_some() {
                let touch = Recovery::of(self.world).touch();
                open.extend(self.unforeseen_at(&touch));
                for breach in &mut open {
                    breach.in_touch.get_or_insert(touch.at);
                }
                self.well = touch;
            }
        }
        self.recover(open, is_wiped);
    }

    fn opened(&self, breach: Breach) -> Open {
        Open {
            breach,
            from: self.well.at,
            in_touch: None,
        }
    }

    fn lost(&self, loss: Loss) -> Option<Open> {
        match loss {
            Loss::Nothing => None,
            Loss::Everything => Some(self.opened(Breach::Forgot)),
            Loss::Latest(before) => Some(Open {
                from: self.well.at.saturating_sub(before),
                ..self.opened(Breach::Late)
            }),
        }
    }

    fn unforeseen(&self) -> Vec<Open> {
        self.unforeseen_at(&Recovery::of(self.world).now())
    }

    /// What came about since all was well and was not done on purpose: nodes found Redis out of reach,
    /// or another server is the primary.
    fn unforeseen_at(&self, touch: &Touch) -> Vec<Open> {
        let is_apart = |node: &usize| touch.failures[*node] != self.well.failures[*node];
        let apart = (0..2).filter(is_apart).map(Breach::Apart);
        let is_replaced = touch.primaries != self.well.primaries;
        let late = is_replaced.then_some(Breach::Late);
        apart
            .chain(late)
            .map(|breach| self.opened(breach))
            .collect()
    }

    fn inject(&self, fault: Fault) -> Loss {
        let World { nodes, store, .. } = self.world;
        let begin = |blow: Blow| {
            store.begin(blow);
            thread::sleep(blow.time());
        };
        match fault {
            Fault::KillNode(node) => nodes[node].kill_and_start(),
            Fault::Redis(blow) => {
                begin(blow);
                return store.end(blow);
            }
            Fault::KillNodeDuring { node, blow } => {
                begin(blow);
                nodes[node].kill_and_start();
                return store.end(blow);
            }
            Fault::KillEverything => {
                nodes.iter().for_each(Node::kill);
                store.kill();
                return thread::scope(|scope| {
                    for node in nodes {
                        scope.spawn(|| node.start_again());
                    }
                    store.start_again()
                });
            }
        }
        Loss::Nothing
    }

    fn recover(&mut self, mut open: Vec<Open>, is_wiped: bool) {
        let restored = Recovery::of(self.world).complete(is_wiped);
        open.extend(self.unforeseen_at(&restored.touch));
        open.extend(restored.is_replaced.then(|| self.opened(Breach::Late)));
        for Open {
            breach,
            from,
            in_touch,
        } in open
        {
            self.troubles.add(Trouble {
                breach,
                from,
                in_touch: in_touch.unwrap_or(restored.touch.at),
                until: restored.at,
            });
        }
        for (node, begun) in restored.begun.into_iter().enumerate() {
            let after = begun.saturating_sub(restored.touch.at);
            self.begun_after.push(after);
            self.restoring.judged += 1;
            if after > BEGINS_WITHIN {
                let what = format!("node {node} began to restore after {after:?}");
                self.restoring.violated(None, what);
            }
        }
        self.well = Touch {
            at: restored.at,
            ..restored.touch
        };
    }
}
