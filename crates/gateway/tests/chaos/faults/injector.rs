//! Injects the faults, one group after the other, and records the incidents that follow.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::checks::check_result::CheckResult;
use crate::clock::{Moment, POLL_INTERVAL};
use crate::faults::fault::Fault;
use crate::faults::incident::{Incident, IncidentKind, Incidents, LAG};
use crate::faults::injection::Injection;
use crate::faults::recovery::{Recovery, Snapshot};
use crate::faults::redis_fault::Loss;
use crate::faults::{FaultGroup, replication};
use crate::node::{ALL_NODES, NODES};
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
    /// The time from the moment at which all nodes reached Redis to the start of each resync.
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
    /// Waits until all nodes reach Redis.
    pub fn start(testbed: &'a Testbed) -> Self {
        let mut injector = Self {
            testbed,
            healthy: Snapshot {
                at: Moment::ZERO,
                failures: [0; NODES],
                primaries: testbed.store.primaries(),
            },
            incidents: Incidents::default(),
            injected: BTreeMap::new(),
            without_fault: 0,
            resync_delays: Vec::new(),
            resync_result: CheckResult::of("resync started late"),
        };
        let unreachable =
            ALL_NODES.map(|node| injector.new_incident(IncidentKind::RedisUnreachable(node)));
        injector.recover(unreachable.to_vec());
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
                self.recover(unplanned);
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
        let mut faults = group.faults.iter().peekable();
        while let Some(fault) = faults.next() {
            *self.injected.entry(fault.name()).or_default() += 1;
            if fault.needs_all_facts_on_all_disks() {
                self.await_order(*fault);
            }
            let disconnected = fault
                .disconnected_nodes()
                .into_iter()
                .map(IncidentKind::RedisUnreachable);
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
            let destroyed = fault.destroyed_node().map(IncidentKind::NodeDestroyed);
            let evicted = matches!(fault, Fault::Evict { .. }).then_some(IncidentKind::Evicted);
            let kinds = restored.into_iter().chain(destroyed).chain(evicted);
            ongoing.extend(kinds.map(|kind| self.new_incident(kind)));
            ongoing.extend(self.unplanned());
            let begun = self.testbed.clock.now();
            let Injection { loss, destroyed_at } = Injection::of(self.testbed, *fault);
            ongoing.extend(self.lost(loss));
            ongoing.extend(destroyed_at.map(|at| OngoingIncident {
                kind: IncidentKind::LatestFactsLost(fault.destroyed_node().unwrap_or_default()),
                from: begun.saturating_sub(LAG),
                reconnected_at: Some(at),
            }));
            if fault.restarts_servers() {
                self.healthy.primaries = self.testbed.store.primaries();
            }
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
        self.recover(ongoing);
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
        let unreachable = ALL_NODES
            .into_iter()
            .filter(is_unreachable)
            .map(IncidentKind::RedisUnreachable);
        let is_replaced = snapshot.primaries != self.healthy.primaries;
        let lost = is_replaced.then_some(IncidentKind::LatestWritesLost);
        unreachable
            .chain(lost)
            .map(|kind| self.new_incident(kind))
            .collect()
    }

    /// Waits until all facts are on all disks but for those of the last moments, which have two copies. What happens
    /// without a fault meanwhile ends before.
    fn await_order(&mut self, fault: Fault) {
        let node = fault.destroyed_node();
        node.map_or_else(
            || replication::await_all_of_now(&self.testbed.nodes.each_ref()),
            |node| replication::await_two_copies(self.testbed, node),
        );
    }

    fn recover(&mut self, mut ongoing: Vec<OngoingIncident>) {
        let restored = Recovery::of(self.testbed).complete();
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
