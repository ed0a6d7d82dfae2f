//! Error bills: an operator's word (contract section 4, "Error bills").

use std::sync::Arc;

use protocol::Bill;

use super::Ledger;
use crate::{FactKind, JournalError, Timestamp};

impl Ledger {
    /// Makes a bill an error bill.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn classify(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let commit = self
            .node
            .tell_one(bill, now, FactKind::Classified { reason, operator });
        self.commit_and_share(bill, commit).await
    }

    /// Makes a bill no error bill any more.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn clear(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let commit = self
            .node
            .tell_one(bill, now, FactKind::Cleared { reason, operator });
        self.commit_and_share(bill, commit).await
    }
}
