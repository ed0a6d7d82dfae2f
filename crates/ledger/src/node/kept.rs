//! What the retention keeps, and what it forgot.

use std::time::Duration;

use crate::Timestamp;
use crate::journal::RetentionClass;

/// How long what is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) unpaid_bills: Duration,
    pub(crate) paid_bills: Duration,
    pub(crate) bodies: Duration,
}

impl Kept {
    /// Returns what is kept at `now`.
    pub(crate) fn at(self, now: Timestamp) -> KeptFrom {
        KeptFrom {
            unpaid_bills: now.minus(self.unpaid_bills),
            paid_bills: now.minus(self.paid_bills),
            bodies: now.minus(self.bodies),
        }
    }
}

/// The moments from which on things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptFrom {
    /// Of bills that were never paid: that of their last fact. Refused pay-results that were closed before it go too.
    pub unpaid_bills: Timestamp,
    /// Of paid bills.
    pub paid_bills: Timestamp,
    /// Of the bytes of accepted pay-results and of their answers: that of the delivery.
    pub bodies: Timestamp,
}

impl KeptFrom {
    pub(crate) const fn of(&self, class: RetentionClass) -> Timestamp {
        match class {
            RetentionClass::UnpaidBills => self.unpaid_bills,
            RetentionClass::PaidBills => self.paid_bills,
            RetentionClass::Bodies => self.bodies,
        }
    }
}

/// How many things were forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForgottenCount {
    /// Bills that were never paid.
    pub unpaid_bills: u64,
    /// Paid bills.
    pub paid_bills: u64,
    /// Accepted deliveries whose pay-results, and answers, have no bytes any more.
    pub bodies: u64,
}
