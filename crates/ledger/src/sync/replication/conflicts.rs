//! Conflicts of payments that another node's facts make with those that are here.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use protocol::Bill;

use crate::node::{Node, Resident};
use crate::sync::Share;
use crate::{BillState, Fact, FactKind, FactRecord};

/// A double payment is looked at again after this time.
pub(super) const CLASSIFY_AFTER: Duration = Duration::from_secs(5);

/// While facts are on their way, after this one: those of a disk that is gone never come.
pub(super) const CLASSIFY_AT_LAST: Duration = Duration::from_hours(6);

/// Double payments that wait for that, at most. Whoever puts the second payment into Redis finds them, too.
const WAITING_MAX: usize = 10_000;

/// The double payments that were found lately: what classifies each bill, and when it was found.
#[derive(Debug, Default)]
pub(super) struct Conflicts(VecDeque<(Instant, Fact)>);

impl Conflicts {
    /// Finds the bills of which another author's payments meet others. Double payments are classified later: a cancel may
    /// be on its way.
    pub(super) fn find(
        &mut self,
        share: &Share,
        (residents, records): (&[Resident], &[(i64, FactRecord)]),
    ) {
        let mut theirs: BTreeMap<&Bill, BillState> = BTreeMap::new();
        for (_, record) in records {
            if matches!(record.fact.kind, FactKind::Payment { .. }) {
                let state = theirs.entry(&record.fact.bill).or_default();
                state.fold(&record.fact);
            }
        }
        for resident in residents {
            let (bill, local) = (resident.bill(), resident.local());
            let Some((theirs, ours)) = theirs.remove(bill).zip(local.state()) else {
                continue;
            };
            if let Some(conflict) = theirs.conflict_of_amounts(ours, bill) {
                // Once both are folded nobody sees it any more.
                share.classify_followed(resident, conflict);
            } else if let Some(conflict) = theirs.conflict(ours, bill)
                && self.0.len() < WAITING_MAX
            {
                self.0.push_back((Instant::now(), conflict));
            }
        }
    }

    /// Classifies the bills of those that are still there after this time.
    pub(super) async fn classify(&mut self, after: Duration, (node, share): (&Node, &Share)) {
        while let Some((found_at, _)) = self.0.front()
            && found_at.elapsed() >= after
            && let Some((_, conflict)) = self.0.pop_front()
        {
            let Ok(resident) = node.resident(&conflict.bill).await else {
                self.0.push_back((Instant::now(), conflict));
                return;
            };
            let local = resident.local();
            let state = local.state();
            if state.is_some_and(|state| state.conflict(state, &conflict.bill).is_some()) {
                share.classify_followed(&resident, conflict);
            }
        }
    }
}
