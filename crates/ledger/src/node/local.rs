//! What one node knows of a bill, for decisions and for Redis.

use protocol::Bill;

use super::links::LinkKey;
use crate::BillState;

/// The bill, and others that may be registered in its group or under its notice key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    state: Option<BillState>,
    others: Vec<(Bill, BillState)>,
}

impl Local {
    /// What is known of the bill alone; `None`: nothing.
    pub(super) const fn of(state: Option<BillState>) -> Self {
        Self {
            state,
            others: Vec::new(),
        }
    }

    /// Adds what is known of another bill, where a decision about `subject` asks for it.
    pub(super) fn add_other(&mut self, subject: &Bill, other: &Bill, state: &BillState) {
        if LinkKey::of(subject).is_about(other) {
            self.others.push((other.clone(), state.clone()));
        }
    }

    /// Returns the state of the bill; `None` where nothing is known of it.
    pub(crate) const fn state(&self) -> Option<&BillState> {
        self.state.as_ref()
    }

    /// Returns the other bills.
    pub(crate) fn others(&self) -> &[(Bill, BillState)] {
        &self.others
    }
}
