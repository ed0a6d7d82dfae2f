//! The bills that Redis had nothing of although this node knows them: their values expired or were evicted. The resync
//! puts them back.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use protocol::Bill;

/// Bills that wait, at most; what is beyond them is put back when it is missed again.
const BILLS_MAX: usize = 4_096;

/// The bills.
#[derive(Debug, Default)]
pub(super) struct Missed(Mutex<BTreeSet<Bill>>);

impl Missed {
    pub(super) fn add(&self, bill: &Bill) {
        let mut bills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bills.len() < BILLS_MAX {
            bills.insert(bill.clone());
        }
    }

    /// Returns the bills; none wait any more.
    pub(super) fn take(&self) -> BTreeSet<Bill> {
        let mut bills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *bills)
    }
}
