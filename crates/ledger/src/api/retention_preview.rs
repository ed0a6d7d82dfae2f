//! What the retention would forget now, for operators.

use super::Ledger;
use crate::journal::Due;
use crate::{JournalError, Timestamp};

/// What the retention would forget, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPreview {
    /// Bills that were never paid; by `retention`.
    pub unpaid_bills: Due,
    /// Paid bills; by `retention_paid`.
    pub paid_bills: Due,
    /// Accepted pay-results whose bytes, and those of their answers, are kept no longer; by `keep_bodies`.
    pub bodies: Due,
}

impl Ledger {
    /// Returns what the retention would forget at `now`. Changes nothing.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn retention_preview(
        &self,
        now: Timestamp,
    ) -> Result<RetentionPreview, JournalError> {
        let kept = self.kept;
        self.read_journal(move |reader| {
            Ok(RetentionPreview {
                unpaid_bills: reader.due_bills(false, now.minus(kept.unpaid_bills))?,
                paid_bills: reader.due_bills(true, now.minus(kept.paid_bills))?,
                bodies: reader.due_bodies(now.minus(kept.bodies))?,
            })
        })
        .await
    }
}
