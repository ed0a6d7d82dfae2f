//! When a trouble is over: not when the servers are up, but when nothing is missing any more.

use std::collections::BTreeMap;

use crate::beginning::Beginning;
use crate::bill::BILLERS;
use crate::calls::CircuitOutcome;
use crate::clock::{Moment, PATIENCE, until};
use crate::journal::Journal;
use crate::line::Line;
use crate::world::World;

/// Waits until the nodes know again what they would know if nothing had happened:
///
/// 1. both nodes reach Redis (a link call is not answered `E801`);
/// 2. every call has ended that began before that: what it did on the node's own knowledge is in its
///    journal by now;
/// 3. each journal's cursor says that all of this is in the Redis that is there now, in process and in
///    data;
/// 4. neither node found Redis out of reach in the meantime.
///
/// A cursor that says so too early is not believed for long: what it hides turns up as a violation.
pub struct Recovery<'a> {
    world: &'a World,
}

/// How often each node found Redis out of reach, since it was started.
pub type Failures = [u64; 2];

/// A moment at which both nodes reached Redis, and how all was then.
#[derive(Clone, Debug)]
pub struct Touch {
    pub at: Moment,
    pub failures: Failures,
    pub primaries: Vec<String>,
}

/// A moment at which nothing was missing.
#[derive(Clone, Debug)]
pub struct Restored {
    pub at: Moment,
    /// Since when both nodes had reached Redis.
    pub touch: Touch,
    /// When each node was seen to restore.
    pub begun: [Moment; 2],
    /// Redis chose another primary meanwhile.
    pub is_replaced: bool,
}

impl<'a> Recovery<'a> {
    pub const fn of(world: &'a World) -> Self {
        Self { world }
    }

    /// Both nodes must be up. Ends when they reach Redis.
    pub fn touch(&self) -> Touch {
        until("both nodes reach Redis", || {
            (0..2).all(|node| self.is_in_touch(node))
        });
        self.now()
    }

    /// How all is now.
    pub fn now(&self) -> Touch {
        Touch {
            primaries: self.world.store.primaries(),
            failures: self.failures(),
            at: self.world.clock.now(),
        }
    }

    /// Both nodes must be up. Ends when everything is restored.
    pub fn complete(&self, is_wiped: bool) -> Restored {
        let begun = self.world.clock.now();
        let mut is_replaced = false;
        loop {
            let touch = self.touch();
            assert!(
                touch.at < begun + PATIENCE,
                "the shared state is never restored"
            );
            let mut beginning = Beginning::of(self.world, is_wiped);
            beginning.look();
            let calls = &self.world.calls;
            calls.await_end_of_all_begun_before(touch.at, || beginning.look());
            let is_restored = self.is_restored(touch.failures, &mut beginning);
            let at = self.world.clock.now();
            if self.world.store.primaries() != touch.primaries {
                is_replaced = true;
            } else if is_restored {
                return Restored {
                    at,
                    touch,
                    begun: beginning.seen(),
                    is_replaced,
                };
            }
        }
    }

    fn is_restored(&self, failures: Failures, beginning: &mut Beginning<'_>) -> bool {
        let journals = [0, 1].map(|node| Journal::open(&self.world.nodes[node].journal()));
        let rows = journals.each_ref().map(Journal::last_row);
        let mut slow = false;
        until("the journals are in Redis", || {
            beginning.look();
            slow = self.failures() != failures;
            slow || journals.iter().zip(rows).all(|(journal, row)| {
                let cursor = journal.cursor();
                cursor.shared_up_to >= row && self.world.store.is_held_by(&cursor.shared_with)
            })
        });
        !slow
    }

    pub fn failures(&self) -> Failures {
        let count = |node| {
            let metrics = self.metrics(node);
            *metrics
                .get(r#"relay_ledger_unavailable_total{operation="redis"}"#)
                .unwrap_or(&0)
        };
        [count(0), count(1)]
    }

    /// Facts that are journalled and not shared, as the nodes themselves see it.
    pub fn unshared(&self) -> [u64; 2] {
        [0, 1].map(|node| self.metrics(node)["relay_ledger_unshared_facts"])
    }

    /// Every series of a node that is a whole number.
    fn metrics(&self, node: usize) -> BTreeMap<String, u64> {
        let ops = self.world.nodes[node].addresses().unwrap().ops;
        let mut caller = simulator::Caller::connect(ops).unwrap();
        caller
            .send_raw(b"GET /metrics HTTP/1.1\r\nHost: ops\r\n\r\n")
            .unwrap();
        let page = caller.read_reply().unwrap().text();
        let series = page.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        series.collect()
    }

    /// A link that nobody made cannot be made anew: `E812`, from who can look. The billers' states may
    /// be on servers of their own.
    fn is_in_touch(&self, node: usize) -> bool {
        let mut line = Line::to(&self.world.nodes);
        let body = r#"{"data":{"biller_user_key":"nobody","expire_at":"20991231235959"}}"#;
        BILLERS.iter().all(|biller| {
            let path = format!("/external/inquiry-payment/one-time/url/re/{biller}");
            match line.post(node, &path, "probe", body) {
                CircuitOutcome::Answered(answer) => answer.res_code == "E812",
                CircuitOutcome::NotSent | CircuitOutcome::Silence => false,
            }
        })
    }
}
