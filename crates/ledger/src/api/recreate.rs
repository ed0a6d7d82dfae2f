//! Re-created links (contract section 4, "Links").

use std::sync::Arc;

use protocol::{Bill, KoreanTime};

use super::Ledger;
use super::links::unreadable;
use crate::sync::{Held, Part};
use crate::{BillState, FactContext, FactKind, JournalError, LinkRefusal, Timestamp};

impl Ledger {
    /// Returns the bill whose link a `link_recreate` re-creates.
    ///
    /// # Errors
    /// The refusal of the contract; [`LinkRefusal::Unavailable`] when the journal cannot be written
    /// or Redis cannot be reached.
    pub async fn find_for_recreate(
        &self,
        bill: &Bill,
        now: Timestamp,
    ) -> Result<Bill, LinkRefusal> {
        self.require_writable(bill)?;
        let (held, now) = match &self.share {
            None => (Held::default(), now),
            Some(share) => {
                let held = share.read_part(bill, Part::Links).await;
                let held = held.map_err(|_| LinkRefusal::Unavailable)?;
                (held, share.by_shared_clock(bill, now))
            }
        };
        let resident = self
            .node
            .resident(bill)
            .await
            .map_err(|error| unreadable(&error))?;
        let decided = self.node.decide(&resident, |_, local| {
            let joined = held.join(bill, local);
            let other = joined.decision_input(bill).recreated(bill, now)?;
            Ok((joined, other))
        });
        let decided = decided.await.map_err(|error| unreadable(&error))?;
        let (joined, other) = decided.unwrap_or(Err(LinkRefusal::Unavailable))?;
        let known = joined.decision_input(bill);
        let Some(other) = other else {
            return known.may_recreate(known.state, now).map(|()| bill.clone());
        };
        let meant = self.known_everywhere(&other).await?;
        known.may_recreate(meant.as_ref(), now).map(|()| other)
    }

    /// Returns the state of a bill, as this node and Redis know it.
    async fn known_everywhere(&self, bill: &Bill) -> Result<Option<BillState>, LinkRefusal> {
        let held = match &self.share {
            None => Held::default(),
            Some(share) => {
                let held = share.read_part(bill, Part::State).await;
                held.map_err(|_| LinkRefusal::Unavailable)?
            }
        };
        let resident = self.node.resident(bill).await;
        let resident = resident.map_err(|error| unreadable(&error))?;
        Ok(held.join(bill, &resident.local()).state)
    }

    /// Records that Kakao Pay re-created the link of `bill`; ends like [`settle`](Self::settle).
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub async fn relink(
        &self,
        bill: &Bill,
        context: FactContext,
        expire_at: KoreanTime,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let kind = FactKind::Relinked { expire_at };
        self.record_and_share(bill, now, kind, context).await
    }
}
