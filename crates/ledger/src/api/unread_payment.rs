//! A payment of a bill that is not in memory: the bill is loaded first, and the payment is queued in any case.

use bytes::Bytes;

use super::Ledger;
use super::queued_payment::Queued;
use super::reported::Reported;

/// A payment whose bill has to be read first. If the future that reads is dropped, the payment is queued all the same.
pub(super) struct Unread {
    ledger: Ledger,
    report: Reported,
    body: Bytes,
    is_queued: bool,
}

impl Unread {
    pub(super) fn new(ledger: Ledger, report: Reported, body: Bytes) -> Self {
        Self {
            ledger,
            report,
            body,
            is_queued: false,
        }
    }

    /// Loads the bill and queues the payment; where it cannot be loaded, on what memory has of it.
    pub(super) async fn read_and_queue(mut self) -> Queued {
        let resident = self.ledger.node.resident(&self.report.bill).await;
        if let Err(error) = &resident {
            tracing::error!(%error, "the ledger cannot be read: a payment is journalled on what memory has of its bill");
        }
        self.queue()
    }

    fn queue(&mut self) -> Queued {
        self.is_queued = true;
        let book = self.ledger.node.book_of(&self.report.bill);
        let mut state = book.lock();
        // With Redis, what follows is judged by what it holds.
        if self.ledger.share.is_none() && state.complete_state(&self.report.bill).is_none() {
            state.judge_later(&self.report.bill);
        }
        self.ledger
            .queue_payment(&mut state, self.report.clone(), &self.body)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if !self.is_queued {
            drop(self.queue());
        }
    }
}
