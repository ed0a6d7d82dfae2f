//! One relay at a time for one pay-result: copies wait for the first, or get its kept answer.

use std::sync::Arc;

use tokio::sync::watch;

use crate::book::Book;
use crate::{KeptAnswer, MessageDigest};

/// What a pay-result finds when it comes in.
#[derive(Debug)]
pub enum Claim {
    /// The biller accepted exactly this pay-result before: here is its answer.
    Accepted(Arc<KeptAnswer>),
    /// The biller accepted it before; the answer must be read from the journal.
    AcceptedInJournal,
    /// A copy is being relayed by this node: wait, then claim again.
    UnderWay(UnderWay),
    /// Nobody else is at it: relay it while holding the guard.
    Granted(ClaimGuard),
}

/// Waits for the copy that is under way.
#[derive(Debug)]
pub struct UnderWay(pub(crate) watch::Receiver<()>);

impl UnderWay {
    /// Ends when the copy that was under way has been settled.
    pub async fn ended(mut self) {
        // The sender never sends; its drop is the event.
        let _ = self.0.changed().await;
    }
}

/// The right to relay one pay-result; gives it up, and wakes the copies, when dropped.
#[derive(Debug)]
pub struct ClaimGuard {
    pub(crate) book: Arc<Book>,
    pub(crate) message: MessageDigest,
    pub(crate) _wake: watch::Sender<()>,
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        self.book.end_claim(&self.message);
    }
}
