//! Error bills: an operator's word (contract section 4, "Error bills").

use std::sync::Arc;

use protocol::Bill;

use super::Ledger;
use crate::{FactContext, FactKind, JournalError, Timestamp};

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
        // The last word holds: it comes after all that other nodes said before.
        self.record_and_share(
            bill,
            now,
            FactKind::Classified { reason, operator },
            FactContext::NONE,
        )
        .await
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
        self.record_and_share(
            bill,
            now,
            FactKind::Cleared { reason, operator },
            FactContext::NONE,
        )
        .await
    }
}
