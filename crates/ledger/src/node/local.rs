//! What one node knows of a bill, for decisions and for Redis.

use protocol::Bill;

use crate::node::decision::DecisionInput;
use crate::state::owners::Owners;
use crate::{BillGroup, BillState};

/// The bill, and bills that are registered in its group or under its notice key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    group: BillGroup,
    owners: Owners,
}

impl Local {
    /// Adds what is known of `bill` to what a decision about `subject` reads.
    pub(super) fn add(&mut self, subject: &Bill, bill: &Bill, state: &BillState) {
        if bill.group_key() == subject.group_key() {
            self.group.entry(bill).merge(state);
        }
        let notice_key = bill.biller_notice_key();
        if !notice_key.is_empty() && notice_key == subject.biller_notice_key() {
            self.owners.merge_link(bill, state.link());
        }
    }

    pub(crate) const fn decision_input(&self) -> DecisionInput<'_> {
        DecisionInput {
            bill_group: Some(&self.group),
            owners: Some(&self.owners),
        }
    }
}
