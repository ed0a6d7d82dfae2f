//! The identity parameters of billers' bills, and what a change of them leaves behind.

use std::collections::BTreeMap;

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{Entry, IdentityInForce, Reader};
use crate::sync::Held;
use crate::{BillState, JournalError, Payments, Timestamp};

/// Bills of one biller whose identities have the same parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityUse {
    /// The names of the parameters that the bills have values of, sorted.
    pub names: Vec<String>,
    /// The number of these bills that are paid or registered.
    pub bills: u64,
}

impl Ledger {
    /// Returns the identity parameters that are in force, of every biller for which they were kept.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn identities_in_force(&self) -> Result<Vec<IdentityInForce>, JournalError> {
        self.node.journal().reader().identities_in_force()
    }

    /// Keeps identity parameters that come into force. They are queued before every later fact, so that nobody waits:
    /// if the process ends before they are on durable storage, the next start judges them again.
    pub fn keep_identities(&self, kept: Vec<IdentityInForce>) {
        let entry = Entry::of(Vec::new()).with_identities(kept);
        drop(self.node.journal().append(entry));
    }

    /// Returns the bills of a biller that are paid or registered at `now`, by the parameters of their identities. Call
    /// it on a thread that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn identities_of(
        &self,
        biller: BillerCode,
        now: Timestamp,
    ) -> Result<Vec<IdentityUse>, JournalError> {
        let mut found: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        let reader = self.node.journal().reader();
        reader.for_each_bill_of(biller, |bill, state| {
            if state.is_paid(now) || state.link_state(now).is_registered() {
                let names = bill.identity_parameters().map(|(name, _)| name.to_owned());
                *found.entry(names.collect()).or_default() += 1;
            }
        })?;
        let uses = found.into_iter();
        Ok(uses
            .map(|(names, bills)| IdentityUse { names, bills })
            .collect())
    }

    /// Returns whether a bill that differs from this one in its identity parameters only is paid at `now`, by a payment
    /// of before `before`. Cancels count, whatever the identity of their bill. Where Redis cannot be reached, what this
    /// node knows decides.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn is_paid_under_another_identity(
        &self,
        bill: &Bill,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let held = match &self.share {
            Some(share) => share.read(bill, None).await.unwrap_or_default(),
            None => Held::default(),
        };
        let asked = bill.clone();
        let read = move |reader: &Reader| reader.in_any_identity(&asked);
        let journalled = self.node.readers().read(bill.biller_code(), read).await?;
        let shared = held.family.in_any_identity(bill);
        // A cancel may have come under another identity than its payment.
        let mut all = Payments::default();
        for payments in journalled
            .iter()
            .chain(shared)
            .filter_map(BillState::payments)
        {
            all.merge(payments);
        }
        Ok(all.is_paid_before(before, now))
    }
}
