//! What a call asks of the ledger: whether a bill is paid, and whether it is an error bill.

use ledger::{BillView, JournalError};
use metrics::LedgerOperation;
use protocol::Bill;

use super::Call;
use crate::registry::RegisteredBiller;
use crate::reply::Problem;

impl Call {
    /// Looks a bill up in the ledger, until the budget ends. Where the ledger cannot be read, that is logged and counted,
    /// and the biller is asked.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn look_up(&self, bill: &Bill) -> Result<BillView, Problem> {
        let ledger = self.ledger();
        let looked_up = ledger.look_up(bill, self.now());
        // A timer costs as much as the whole look-up, so it is set only if it can fire.
        let left = self
            .deadline
            .saturating_duration_since(self.stopwatch.since());
        let looked_up = if ledger.longest_look_up() < left {
            looked_up.await
        } else {
            self.within_budget(looked_up).await?
        };
        Ok(looked_up.unwrap_or_else(|error| self.unreadable(bill, &error)))
    }

    #[cold]
    fn unreadable(&self, bill: &Bill, error: &JournalError) -> BillView {
        self.metrics().ledger_unavailable(LedgerOperation::Lookup);
        tracing::error!(
            request_id = self.request_id(), biller = bill.biller_code().as_str(), %error,
            "the ledger cannot be read: the biller is asked whether a bill is paid"
        );
        BillView::NOTHING
    }

    /// Asks the ledger whether a bill was paid before its biller's identity parameters changed.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn is_paid_in_former_identity(
        &self,
        biller: &RegisteredBiller,
        bill: &Bill,
    ) -> Result<bool, Problem> {
        let Some(change) = &biller.settings.identity_parameters_changed_on else {
            return Ok(false);
        };
        let (ledger, before) = (self.ledger(), change.payments_before);
        // Boxed, because few billers ever change their parameters.
        let asked = Box::pin(ledger.is_paid_under_another_identity(bill, before, self.now()));
        let is_paid = self.within_budget(asked).await?;
        Ok(is_paid.unwrap_or_else(|error| self.unreadable(bill, &error).paid))
    }
}
