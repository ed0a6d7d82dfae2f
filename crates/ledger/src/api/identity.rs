//! The identity parameters of billers' bills, and what a change of them leaves behind.

use std::collections::BTreeMap;

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{Entry, IdentityInForce};
use crate::sync::PaymentsInAnyIdentity;
use crate::{BillState, JournalError, Timestamp};

/// Bills that are read at once.
const BILLS_AT_ONCE: usize = 1_000;

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
        let reader = self.node.journal().reader().another()?;
        let mut found: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        let mut after = 0;
        loop {
            let bills = reader.bills_behind(biller, after, BILLS_AT_ONCE)?;
            let Some(last) = bills.last() else {
                break;
            };
            after = last.number;
            for one in bills {
                let is_in_use =
                    one.is_registered || self.node.state_blocking(&reader, &one.bill)?.is_paid(now);
                if is_in_use {
                    let names = (one.bill.identity_parameters()).map(|(name, _)| name.to_owned());
                    *found.entry(names.collect()).or_default() += 1;
                }
            }
        }
        let uses = found.into_iter();
        Ok(uses
            .map(|(names, bills)| IdentityUse { names, bills })
            .collect())
    }

    /// Returns whether a bill that differs from this one in its identity parameters only is paid at `now`, by a payment
    /// of before `before`. Cancels count, whatever the identity of their bill. Where there are more than 64 such bills,
    /// they are not read, and it is taken to be paid. Where Redis cannot be reached, the state of this node decides.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn is_paid_under_another_identity(
        &self,
        bill: &Bill,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let mut known = PaymentsInAnyIdentity::default();
        if let Some(share) = &self.share {
            let shared = share.payments_in_any_identity(bill).await;
            known = shared.unwrap_or_default();
        }
        let Some(states) = self.node.in_any_identity(bill).await? else {
            return Ok(true);
        };
        for state in states {
            if let Some(payments) = state.state().and_then(BillState::payments) {
                known.payments.merge(payments.clone());
            }
        }
        Ok(known.has_more || known.payments.is_paid_before(before, now))
    }
}
