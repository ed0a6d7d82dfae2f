//! Lets the faults loose, one strike after the other, and notes when each was made good.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::clock::{LOOK_EVERY, Moment};
use crate::faults::{Fault, Strike};
use crate::recovery::{Recovery, Restored};
use crate::store::Blow;
use crate::trouble::{Breach, Trouble, Troubles};
use crate::world::World;

/// What was done to a world.
pub struct Injector<'a> {
    world: &'a World,
    /// The last moment at which nothing was missing, as far as is known.
    well: Restored,
    pub troubles: Troubles,
    /// How often each kind of fault was injected.
    pub injected: BTreeMap<&'static str, u64>,
    /// How often Redis was found too slow without any fault.
    pub slow: u64,
}

impl<'a> Injector<'a> {
    /// Waits until the world is whole.
    pub fn into(world: &'a World) -> Self {
        let well = Recovery::of(world).complete();
        let mut troubles = Troubles::default();
        troubles.add(Trouble {
            breach: Breach::Apart,
            from: Moment::ZERO,
            in_touch: well.in_touch,
            until: well.at,
        });
        Self {
            world,
            well,
            troubles,
            injected: BTreeMap::new(),
            slow: 0,
        }
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
        self.stay_calm(end);
    }

    /// Nothing is done, and yet a machine without time can make Redis miss its 200 ms: to the nodes
    /// that is the same as a Redis that is out of reach, and they say so.
    fn stay_calm(&mut self, end: Moment) {
        loop {
            let at = self.world.clock.now();
            let failures = Recovery::of(self.world).failures();
            if failures == self.well.failures {
                self.well.at = at;
            } else {
                self.slow += 1;
                self.recover(Breach::Apart, self.well.at);
            }
            if self.world.clock.now() >= end {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn strike(&mut self, strike: &Strike) {
        let from = self.well.at;
        let breach = self.breach_of(&strike.faults);
        for fault in &strike.faults {
            *self.injected.entry(fault.name()).or_default() += 1;
            self.inject(*fault);
        }
        self.recover(breach, from);
    }

    fn breach_of(&self, faults: &[Fault]) -> Breach {
        let store = &self.world.store;
        let forgets = |fault: &Fault| match fault {
            Fault::KillNode(_) => false,
            Fault::Redis(blow) => store.forgets(*blow),
            Fault::KillEverything => store.forgets(Blow::Kill(Duration::ZERO)),
        };
        match faults {
            [Fault::KillNode(node)] => Breach::Start(*node),
            faults if faults.iter().any(forgets) => Breach::Forgot,
            _ => Breach::Apart,
        }
    }

    fn inject(&self, fault: Fault) {
        let World { nodes, store, .. } = self.world;
        match fault {
            Fault::KillNode(node) => {
                nodes[node].kill();
                nodes[node].start_again();
            }
            Fault::Redis(blow) => store.strike(blow),
            Fault::KillEverything => {
                for node in nodes {
                    node.kill();
                }
                store.kill();
                store.start_again();
                for node in nodes {
                    node.start_again();
                }
            }
        }
    }

    fn recover(&mut self, breach: Breach, from: Moment) {
        let before = self.well;
        self.well = Recovery::of(self.world).complete();
        // While one node was down, the other may have found Redis too slow.
        let other_failed = |node: usize| before.failures[1 - node] != self.well.failures[1 - node];
        let breach = match breach {
            Breach::Start(node) if other_failed(node) => Breach::Apart,
            breach => breach,
        };
        self.troubles.add(Trouble {
            breach,
            from,
            in_touch: self.well.in_touch,
            until: self.well.at,
        });
    }
}
