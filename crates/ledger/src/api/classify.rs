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
        let kind = FactKind::Classified { reason, operator };
        self.record_word(bill, kind, now).await
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
        let kind = FactKind::Cleared { reason, operator };
        self.record_word(bill, kind, now).await
    }

    /// Records an operator's word. The last one holds: it comes after all that other nodes said before.
    async fn record_word(
        &self,
        bill: &Bill,
        kind: FactKind,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        self.record_and_share(bill, now, kind, FactContext::NONE)
            .await
    }
}
