//! Error bills: an operator's word (contract section 4, "Error bills").

use std::sync::Arc;

use protocol::Bill;

use super::Ledger;
use crate::{FactKind, JournalError, Timestamp};

impl Ledger {
    /// Classifies a bill as an error bill (contract section 4, "Error bills").
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub async fn classify(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        self.hear_of(bill).await;
        let commit = self
            .node
            .tell_one(bill, now, FactKind::Classified { reason, operator });
        self.commit_and_share(bill, commit).await
    }

    /// Clears the classification of an error bill.
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub async fn clear(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        self.hear_of(bill).await;
        let commit = self
            .node
            .tell_one(bill, now, FactKind::Cleared { reason, operator });
        self.commit_and_share(bill, commit).await
    }

    /// The last word holds: it must come after all that other nodes said before.
    async fn hear_of(&self, bill: &Bill) {
        if let Some(share) = &self.share {
            // What is out of reach now is joined later, and said before this all the same where
            // the clocks of the nodes agree.
            let _ = share.read(bill, None).await;
        }
    }
}
