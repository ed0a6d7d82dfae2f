//! The end of an incident: the moment at which Redis has all facts again.

use crate::bill::BILLERS;
use crate::calls::CallOutcome;
use crate::clock::{Moment, PATIENCE, until};
use crate::faults::resync_observer::ResyncObserver;
use crate::journal::Journal;
use crate::load::caller_connections::CallerConnections;
use crate::node::{ALL_NODES, NODES};
use crate::testbed::Testbed;

/// Waits until all nodes have each other's facts as if no incident had happened:
///
/// 1. all nodes reach Redis (a link call is not answered `E801`);
/// 2. every call that began before that has ended, so that the facts that it could not share are in its
///    node's journal;
/// 3. each journal's cursor covers these facts and names the current Redis process and its data;
/// 4. no node failed to reach Redis in the meantime.
///
/// A cursor that is ahead of Redis shows as a violation of a later check.
pub struct Recovery<'a> {
    testbed: &'a Testbed,
}

/// How often each node could not reach Redis since it was started.
pub type Failures = [u64; NODES];

/// A moment, and the state of the nodes and of Redis at it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub at: Moment,
    pub failures: Failures,
    pub primaries: Vec<String>,
}

/// A moment at which Redis had all facts.
#[derive(Clone, Debug)]
pub struct Restored {
    pub at: Moment,
    /// The moment since which all nodes reached Redis.
    pub snapshot: Snapshot,
    /// When each node was observed to resync.
    pub resync_started: [Moment; NODES],
    /// Another primary was elected meanwhile.
    pub is_replaced: bool,
}

impl<'a> Recovery<'a> {
    pub const fn of(testbed: &'a Testbed) -> Self {
        Self { testbed }
    }

    /// Waits until all nodes reach Redis. All must run.
    pub fn await_redis(&self) -> Snapshot {
        until("all nodes reach Redis", || {
            ALL_NODES.iter().all(|node| self.reaches_redis(*node))
        });
        self.snapshot()
    }

    /// Returns the current state.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            primaries: self.testbed.store.primaries(),
            failures: self.failures(),
            at: self.testbed.clock.now(),
        }
    }

    /// Waits until everything is restored. All nodes must run.
    pub fn complete(&self) -> Restored {
        let begun = self.testbed.clock.now();
        let mut is_replaced = false;
        loop {
            let snapshot = self.await_redis();
            assert!(
                snapshot.at < begun + PATIENCE,
                "Redis is not restored in time"
            );
            let mut observer = ResyncObserver::of(self.testbed);
            observer.observe();
            let calls = &self.testbed.calls;
            calls.await_end_of_all_begun_before(snapshot.at, || observer.observe());
            let is_restored = self.is_restored(snapshot.failures, &mut observer);
            let at = self.testbed.clock.now();
            if self.testbed.store.primaries() != snapshot.primaries {
                is_replaced = true;
            } else if is_restored {
                return Restored {
                    at,
                    snapshot,
                    resync_started: observer.started_at(),
                    is_replaced,
                };
            }
        }
    }

    fn is_restored(&self, failures: Failures, observer: &mut ResyncObserver<'_>) -> bool {
        let nodes = self.testbed.nodes.each_ref();
        let journals = nodes.map(|node| Journal::open(&node.journal()));
        let rows = journals.each_ref().map(Journal::last_row);
        let mut was_unreachable = false;
        until("Redis has the facts of all journals", || {
            observer.observe();
            was_unreachable = self.failures() != failures;
            was_unreachable
                || journals.iter().zip(rows).all(|(journal, row)| {
                    let cursor = journal.cursor();
                    cursor.shared_up_to >= row && self.testbed.store.is_held_by(&cursor.shared_with)
                })
        });
        !was_unreachable
    }

    pub fn failures(&self) -> Failures {
        let series = r#"relay_ledger_unavailable_total{operation="redis"}"#;
        let nodes = self.testbed.nodes.each_ref();
        nodes.map(|node| *node.ops().metrics().get(series).unwrap_or(&0))
    }

    /// Returns how many facts are journalled and not shared, from the nodes' metrics.
    pub fn unshared(&self) -> [u64; NODES] {
        let nodes = self.testbed.nodes.each_ref();
        nodes.map(|node| node.ops().metrics()["relay_ledger_unshared_facts"])
    }

    /// Returns whether the node answers the re-creation of a link that was never made with `E812`, for
    /// which it must read Redis. The billers' states may be on different servers.
    fn reaches_redis(&self, node: usize) -> bool {
        let mut connections = CallerConnections::to(&self.testbed.nodes);
        let body = r#"{"data":{"biller_user_key":"nobody","expire_at":"20991231235959"}}"#;
        BILLERS.iter().all(|biller| {
            let path = format!("/external/inquiry-payment/one-time/url/re/{biller}");
            match connections.post(node, &path, "probe", body) {
                CallOutcome::Answered(answer) => answer.res_code == "E812",
                CallOutcome::NotSent | CallOutcome::NoAnswer => false,
            }
        })
    }
}
