//! Values as nodes of before read and write them: one per bill group, and one per notice key.
//!
//! While such nodes may run, they are read and written beside those of today, so that all nodes know the same.

use protocol::Bill;

use crate::state::owners::Owners;
use crate::{BillGroup, BillState, RegisteredBills};

/// Bills of a group that are written for nodes of before: with more they refuse links anyway, for the value is too
/// large.
const BILLS_MAX: usize = 256;

/// The values of nodes of before.
#[derive(Clone, Debug, Default)]
pub(super) struct OldValues {
    pub(super) group: BillGroup,
    pub(super) owners: Owners,
}

impl OldValues {
    /// Returns what they say of the bill.
    pub(super) fn state(&self, bill: &Bill) -> Option<&BillState> {
        self.group.get(bill)
    }

    /// Takes in which other bills are registered.
    pub(super) fn fold_others(
        &self,
        bill: &Bill,
        in_group: &mut RegisteredBills,
        with_notice_key: &mut RegisteredBills,
    ) {
        for (other, state) in self.group.bills().filter(|(other, _)| *other != bill) {
            if other.key_without_notice_key() == bill.key_without_notice_key() {
                in_group.fold_link(other, state.link());
            }
        }
        for (other, link) in self
            .owners
            .links()
            .iter()
            .filter(|(other, _)| other != bill)
        {
            with_notice_key.fold_link(other, link);
        }
    }

    /// Takes in what is known of the bill.
    pub(super) fn merge(&mut self, bill: &Bill, state: &BillState) {
        self.group.entry(bill).merge(state);
        if !bill.biller_notice_key().is_empty() && !state.link().is_unheard_of() {
            self.owners.merge_link(bill, state.link());
        }
    }

    /// Returns whether the group is too large to be written.
    pub(super) fn is_too_large(&self) -> bool {
        self.group.bills().count() > BILLS_MAX
    }
}
