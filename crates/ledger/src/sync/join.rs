//! Joins what this node and Redis know of a bill.

use protocol::Bill;

use super::{Held, Share};
use crate::journal::Entry;
use crate::node::{BookState, Local, Others, Resident};
use crate::state::conflict::payment_node;
use crate::{BillState, Fact};

impl Share {
    /// Joins what this node and Redis know. A conflict of payments that is found there becomes a fact of this node's
    /// first.
    pub(crate) fn join(&self, resident: &Resident, held: &Held) -> Held {
        let mut state = resident.book().lock();
        let bill = resident.bill();
        let local = state.local(bill);
        if self.classify_conflict(&mut state, bill, (&local, held)) {
            return held.join(bill, &state.local(bill));
        }
        held.join(bill, &local)
    }

    /// Does the same with the other bills that a decision about the bill's link reads; `None` where the journal has
    /// to be asked for them again.
    pub(crate) fn join_with_others(
        &self,
        resident: &Resident,
        others: &Others,
        held: &Held,
    ) -> Option<Held> {
        let mut state = resident.book().lock();
        let bill = resident.bill();
        let local = others.join(bill, &state)?;
        if self.classify_conflict(&mut state, bill, (&local, held)) {
            return Some(held.join(bill, &others.join(bill, &state)?));
        }
        Some(held.join(bill, &local))
    }

    /// Classifies a bill of which two nodes took payments. Returns whether it is one.
    fn classify_conflict(
        &self,
        state: &mut BookState,
        bill: &Bill,
        (local, held): (&Local, &Held),
    ) -> bool {
        let known = (held.state.as_ref()).zip(local.state());
        let conflict = known.and_then(|(theirs, ours)| BillState::conflict(theirs, ours, bill));
        let Some(fact) = conflict else {
            return false;
        };
        self.record_conflict(state, bill, fact);
        true
    }

    /// Records a conflict that was found when another node's facts came, unless the bill has been classified since. All
    /// nodes find it and make the same fact; the one that took the later payment counts it, or all where that is gone.
    pub(crate) fn classify_followed(&self, resident: &Resident, found: Fact) {
        let bill = resident.bill();
        let mut state = resident.book().lock();
        let local = state.local(bill);
        let classified = local.state().and_then(BillState::classification);
        if classified.is_some_and(|classified| classified.stamp >= found.stamp) {
            return;
        }
        let taken_by = payment_node(found.stamp);
        let nodes = self.replica.nodes();
        let is_another = taken_by != self.node.journal().node() && {
            let now = self.node.now();
            let nodes = nodes.borrow();
            nodes
                .iter()
                .any(|known| known.node == taken_by && known.is_running(now))
        };
        if is_another {
            drop(self.node.record(&mut state, Entry::of(vec![found])));
        } else {
            self.record_conflict(&mut state, bill, found);
        }
    }

    fn record_conflict(&self, state: &mut BookState, bill: &Bill, fact: Fact) {
        let biller = bill.biller_code();
        tracing::error!(
            biller = biller.as_str(),
            "payments of one bill met that two nodes took: it is an error bill now"
        );
        if let Some(watch) = &self.watch {
            watch.payment_conflict(biller);
        }
        // Folded at once; journalled when it can be, and shared with what follows.
        drop(self.node.record(state, Entry::of(vec![fact])));
    }
}
