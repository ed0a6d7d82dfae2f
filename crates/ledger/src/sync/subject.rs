//! What one swap writes, and for how long it is kept.

use std::time::Duration;

use protocol::Bill;

use crate::{Digests, FactKind, KeptAnswer};

/// A `Subject` is what one swap writes: a bill's state, an accepted pay-result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) bill: &'a Bill,
    pub(crate) accepted: Option<(&'a Digests, &'a KeptAnswer)>,
}

impl<'a> Subject<'a> {
    pub(crate) const fn of(bill: &'a Bill) -> Self {
        Self {
            bill,
            accepted: None,
        }
    }
}

/// A `Part` is how much of what Redis holds of a bill a call reads, and writes afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its state.
    State,
    /// What link facts change too: which bills are registered in its group, and under its notice key.
    Links,
}

impl Part {
    /// Returns the part that a fact changes.
    pub(crate) const fn of(kind: &FactKind) -> Self {
        if kind.concerns_link() {
            Self::Links
        } else {
            Self::State
        }
    }
}

/// The time after which a key that is not written is gone. The journals answer then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// Of bills that were never paid.
    pub(crate) unpaid_bills: Duration,
    /// Of paid ones.
    pub(crate) paid_bills: Duration,
    /// Of any, at most.
    pub(crate) values: Duration,
}

impl Keep {
    /// Returns the time of an accepted pay-result.
    pub(crate) fn accepted(self) -> Duration {
        self.paid_bills.min(self.values)
    }
}
