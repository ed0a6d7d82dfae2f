//! Undelivered pay-results that an operator closes by hand (contract section 4, "Payments").

use std::sync::Arc;

use protocol::BillerCode;

use super::{EventDelivery, Ledger};
use crate::sync::Part;
use crate::{FactKind, JournalError, LinkState, MessageDigest, Timestamp};

/// Bills that are read at once.
const LOOKED_AT_ONCE: usize = 1_000;

/// What a biller leaves behind whose file is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Pay-results that it has not accepted.
    pub undelivered: usize,
    /// Links in force: linked ones that have not expired, unknown and reserved ones.
    pub links: usize,
}

impl Ledger {
    /// Closes an undelivered event: it leaves the list and the gauge, and is not delivered again. A copy from Kakao Pay
    /// is relayed all the same, and its acceptance replaces the closing. Everything is queued for the journal when this
    /// function returns; the future ends when it is on durable storage and, where Redis can be reached, in Redis.
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub fn close_payment(
        &self,
        one: &EventDelivery,
        message: MessageDigest,
        (reason, operator): (String, String),
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Arc<JournalError>>> + use<> {
        let kind = FactKind::DeliveryClosed {
            event: one.event.clone(),
            message,
            reason,
            operator,
        };
        let commit = self.node.record_one(&one.bill, now, kind);
        let (ledger, bill) = (self.clone(), one.bill.clone());
        async move { ledger.commit_and_share(&bill, Part::State, commit).await }
    }

    /// Returns whether this node knows anything of a biller, registered or not.
    pub fn knows_biller(&self, biller: BillerCode) -> bool {
        self.known_billers().contains(&biller)
    }

    /// Returns the billers of which this node knows anything, registered or not.
    pub fn known_billers(&self) -> Vec<BillerCode> {
        let billers = self.node.journal().reader().billers();
        let billers = billers.unwrap_or_else(|error| {
            tracing::error!(%error, "the billers of the journal cannot be read");
            Vec::new()
        });
        billers.into_iter().map(|(biller, _)| biller).collect()
    }

    /// Returns what is left of a biller at `now`. It looks through all of the biller's bills, so call it on a thread
    /// that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn left_behind(
        &self,
        biller: BillerCode,
        now: Timestamp,
    ) -> Result<LeftBehind, JournalError> {
        let mut left = LeftBehind {
            undelivered: self.undelivered_payments(Some(biller))?.len(),
            links: 0,
        };
        let reader = self.node.journal().reader().another()?;
        let mut after = 0;
        loop {
            let bills = reader.registered_of(biller, after, LOOKED_AT_ONCE)?;
            let Some((last, _)) = bills.last() else {
                break;
            };
            after = *last;
            for (_, bill) in &bills {
                let state = self.node.state_blocking(&reader, bill)?;
                left.links += usize::from(has_link(&state, now));
            }
        }
        Ok(left)
    }
}

fn has_link(state: &crate::BillState, now: Timestamp) -> bool {
    match state.link_state(now) {
        LinkState::Unregistered => false,
        LinkState::Reserved | LinkState::Unknown => true,
        LinkState::Linked => state
            .link()
            .expire_at()
            .is_none_or(|expire_at| Timestamp::from_seconds(expire_at.unix_seconds()) > now),
    }
}
