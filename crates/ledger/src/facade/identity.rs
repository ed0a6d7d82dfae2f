//! The identity parameters of billers' bills, and what a change of them leaves behind.

use std::collections::BTreeMap;

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::journal::{Entry, IdentityInForce};
use crate::share::Held;
use crate::{JournalError, Timestamp};

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

    /// Keeps identity parameters that came into force. Blocks until they are on durable storage.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn keep_identities(&self, kept: Vec<IdentityInForce>) -> Result<(), JournalError> {
        let entry = Entry::of(Vec::new()).with_identities(kept);
        let commit = self.node.journal().append(entry);
        commit.blocking_committed().map(|_| ())
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
        let book = self.node.book(biller);
        for (bill, state) in book.lock().bills_and_states() {
            if state.is_paid(now) || state.link_state(now).is_registered() {
                let names = bill.identity_parameters().map(|(name, _)| name.to_owned());
                *found.entry(names.collect()).or_default() += 1;
            }
        }
        let uses = found.into_iter();
        Ok(uses
            .map(|(names, bills)| IdentityUse { names, bills })
            .collect())
    }

    /// Returns whether a bill that differs from this one in its identity parameters only is paid at `now`, by a payment
    /// of before `before`. Cancels count, whatever the identity of their bill. Where Redis cannot be reached, the state
    /// of this node decides.
    pub async fn is_paid_under_another_identity(
        &self,
        bill: &Bill,
        before: Timestamp,
        now: Timestamp,
    ) -> bool {
        let held = match &self.share {
            Some(share) => share.read(bill, None).await.unwrap_or_default(),
            None => Held::default(),
        };
        let joined = held.join(&self.node.book_of(bill).lock().decision_input(bill));
        (joined.decision_input()).is_paid_in_any_identity(bill, before, now)
    }
}
