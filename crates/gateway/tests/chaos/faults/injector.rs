//! Injects the faults, one group after the other, and records the incidents that follow.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::bill::CANARIES;
use crate::calls::CallOutcome;
use crate::checks::check_result::CheckResult;
use crate::clock::{Moment, POLL_INTERVAL, until};
use crate::faults::incident::{Incident, IncidentKind, Incidents};
use crate::faults::recovery::{Recovery, Snapshot};
use crate::faults::redis_fault::{Loss, RedisFault};
use crate::faults::{Fault, FaultGroup};
use crate::load::caller_connections::CallerConnections;
use crate::load::plan::Plan;
use crate::load::request::Request;
use crate::node::Node;
use crate::testbed::Testbed;

/// Contract section 4: each node starts its resync within this time.
const RESYNC_STARTS_WITHIN: Duration = Duration::from_secs(5);

/// Injects faults into a testbed.
pub struct Injector<'a> {
    testbed: &'a Testbed,
    /// The last moment without a known incident.
    healthy: Snapshot,
    pub incidents: Incidents,
    /// How often each kind of fault was injected.
    pub injected: BTreeMap<String, u64>,
    /// How often Redis was too slow, or another primary was elected, without any fault.
    pub without_fault: u64,
    /// The time from the moment at which both nodes reached Redis to the start of each resync.
    pub resync_delays: Vec<Duration>,
    pub resync_result: CheckResult,
}

/// An incident that has not ended yet.
#[derive(Clone, Copy, Debug)]
struct OngoingIncident {
    kind: IncidentKind,
    from: Moment,
    /// `None`: not before the recovery of all.
    reconnected_at: Option<Moment>,
}

impl<'a> Injector<'a> {
    /// Waits until both nodes serve, and has them journal the canaries.
    pub fn start(testbed: &'a Testbed) -> Self {
        for (node, bill) in CANARIES.into_iter().enumerate() {
            let event = &Plan::of(testbed.seed, bill).events[0];
            until("the canaries are journalled", || {
                let id = testbed.calls.next_id();
                let request = Request::pay_result(bill, node, id, (0, event));
                let outcome = request.send(testbed, &mut CallerConnections::to(&testbed.nodes));
                matches!(outcome, CallOutcome::Answered(_))
            });
        }
        let mut injector = Self {
            testbed,
            healthy: Snapshot {
                at: Moment::ZERO,
                failures: [0, 0],
                primaries: testbed.store.primaries(),
            },
            incidents: Incidents::default(),
            injected: BTreeMap::new(),
            without_fault: 0,
            resync_delays: Vec::new(),
            resync_result: CheckResult::of("resync started late"),
        };
        let unreachable =
            [0, 1].map(|node| injector.new_incident(IncidentKind::RedisUnreachable(node)));
        injector.recover(unreachable.to_vec(), false);
        injector
    }

    /// Injects faults until `end`; returns when everything runs and is restored.
    pub fn inject_until(&mut self, end: Moment, fault_groups: impl Iterator<Item = FaultGroup>) {
        for group in fault_groups {
            let now = self.testbed.clock.now();
            self.idle_until(end.min(now + group.after));
            if self.testbed.clock.now() >= end {
                return;
            }
            self.inject_group(&group);
        }
    }

    /// Waits without a fault. On a loaded machine Redis may miss its 200 ms, which a node treats and counts
    /// as an unreachable Redis; and Sentinels may elect another primary.
    fn idle_until(&mut self, end: Moment) {
        loop {
            let at = self.testbed.clock.now();
            let unplanned = self.unplanned();
            if unplanned.is_empty() {
                self.healthy.at = at;
            } else {
                self.without_fault += 1;
                self.recover(unplanned, false);
            }
            if self.testbed.clock.now() >= end {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Injects the faults of a group, each as soon as the nodes reach Redis again, during their resync.
    fn inject_group(&mut self, group: &FaultGroup) {
        let mut ongoing: Vec<OngoingIncident> = Vec::new();
        let mut is_wiped = false;
        let mut faults = group.faults.iter().peekable();
        while let Some(fault) = faults.next() {
            *self.injected.entry(fault.name()).or_default() += 1;
            let disconnected = fault
                .disconnected_nodes()
                .iter()
                .map(|node| IncidentKind::RedisUnreachable(*node));
            let killed = fault
                .killed_nodes()
                .into_iter()
                .map(IncidentKind::NodeRestarted);
            ongoing.extend(
                disconnected
                    .chain(killed)
                    .map(|kind| self.new_incident(kind)),
            );
            let restored = fault.restored_node().map(IncidentKind::NodeRestored);
            ongoing.extend(restored.map(|kind| self.new_incident(kind)));
            ongoing.extend(self.unplanned());
            let loss = self.inject(*fault);
            ongoing.extend(self.lost(loss));
            if fault.restarts_servers() {
                self.healthy.primaries = self.testbed.store.primaries();
            }
            is_wiped |= loss == Loss::Everything;
            for node in fault.killed_nodes() {
                // A node counts its failures from its start.
                self.healthy.failures[node] = 0;
            }
            if faults.peek().is_some() {
                let snapshot = Recovery::of(self.testbed).await_redis();
                ongoing.extend(self.unplanned_since_healthy(&snapshot));
                for incident in &mut ongoing {
                    incident.reconnected_at.get_or_insert(snapshot.at);
                }
                self.healthy = snapshot;
            }
        }
        self.recover(ongoing, is_wiped);
    }

    /// Returns how many reads of journals a fault delayed.
    pub fn delayed_reads(&self) -> u32 {
        let nodes = self.testbed.nodes.iter();
        nodes.map(|node| node.reads().count()).sum()
    }

    fn new_incident(&self, kind: IncidentKind) -> OngoingIncident {
        OngoingIncident {
            kind,
            from: self.healthy.at,
            reconnected_at: None,
        }
    }

    fn lost(&self, loss: Loss) -> Option<OngoingIncident> {
        match loss {
            Loss::Nothing => None,
            Loss::Everything => Some(self.new_incident(IncidentKind::AllDataLost)),
            Loss::Latest(before) => Some(OngoingIncident {
                from: self.healthy.at.saturating_sub(before),
                ..self.new_incident(IncidentKind::LatestWritesLost)
            }),
        }
    }

    fn unplanned(&self) -> Vec<OngoingIncident> {
        self.unplanned_since_healthy(&Recovery::of(self.testbed).snapshot())
    }

    /// Returns the incidents since the last healthy moment that no fault caused: a node could not reach
    /// Redis, or another server is the primary.
    fn unplanned_since_healthy(&self, snapshot: &Snapshot) -> Vec<OngoingIncident> {
        let is_unreachable =
            |node: &usize| snapshot.failures[*node] != self.healthy.failures[*node];
        let unreachable = (0..2)
            .filter(is_unreachable)
            .map(IncidentKind::RedisUnreachable);
        let is_replaced = snapshot.primaries != self.healthy.primaries;
        let lost = is_replaced.then_some(IncidentKind::LatestWritesLost);
        unreachable
            .chain(lost)
            .map(|kind| self.new_incident(kind))
            .collect()
    }

    fn inject(&self, fault: Fault) -> Loss {
        let Testbed { nodes, store, .. } = self.testbed;
        let begin = |redis_fault: RedisFault| {
            store.begin(redis_fault);
            thread::sleep(redis_fault.time());
        };
        match fault {
            Fault::KillNode(node) => nodes[node].kill_and_start(),
            Fault::Redis(redis_fault) => {
                begin(redis_fault);
                return store.end(redis_fault);
            }
            Fault::KillNodeDuring { node, redis_fault } => {
                begin(redis_fault);
                nodes[node].kill_and_start();
                return store.end(redis_fault);
            }
            Fault::Journal {
                node,
                journal_fault,
            } => journal_fault.inject(&nodes[node]),
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

    fn recover(&mut self, mut ongoing: Vec<OngoingIncident>, is_wiped: bool) {
        let restored = Recovery::of(self.testbed).complete(is_wiped);
        ongoing.extend(self.unplanned_since_healthy(&restored.snapshot));
        ongoing.extend(
            restored
                .is_replaced
                .then(|| self.new_incident(IncidentKind::LatestWritesLost)),
        );
        for OngoingIncident {
            kind,
            from,
            reconnected_at,
        } in ongoing
        {
            self.incidents.add(Incident {
                kind,
                from,
                reconnected_at: reconnected_at.unwrap_or(restored.snapshot.at),
                until: restored.at,
            });
        }
        for (node, started) in restored.resync_started.into_iter().enumerate() {
            let after = started.saturating_sub(restored.snapshot.at);
            self.resync_delays.push(after);
            self.resync_result.checked += 1;
            if after > RESYNC_STARTS_WITHIN {
                let what = format!("node {node} started its resync after {after:?}");
                self.resync_result.violation(None, what);
            }
        }
        self.healthy = Snapshot {
            at: restored.at,
            ..restored.snapshot
        };
    }
}
