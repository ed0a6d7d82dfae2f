//! Claims that make a pay-result idempotent: one relay at a time on this node, and the kept answer
//! for copies of an accepted one.

use std::sync::Arc;

use tokio::sync::watch;

use crate::book::Book;
use crate::{Digests, KeptAnswer, MessageDigest};

/// The result of claiming a pay-result.
#[derive(Debug)]
pub enum Claim {
    /// The biller accepted this pay-result before.
    Accepted {
        /// Its digest as it was accepted; another one where this is a copy in another spelling.
        message: MessageDigest,
        /// The biller's answer.
        answer: Arc<KeptAnswer>,
    },
    /// The biller accepted it before; [`Ledger::kept_answer`](crate::Ledger::kept_answer) reads the
    /// answer.
    AcceptedInJournal {
        /// Its digests as it was accepted; those of its bytes differ where this is a copy in another spelling.
        message: Digests,
    },
    /// This node relays a copy at this moment: wait for its end, then claim again.
    UnderWay(UnderWay),
    /// The caller relays it, and holds the guard until the delivery is recorded.
    Granted(ClaimGuard),
}

/// A wait for the end of another claim of the same pay-result.
#[derive(Debug)]
pub struct UnderWay(pub(crate) watch::Receiver<()>);

impl UnderWay {
    /// Waits until the other claim is dropped.
    pub async fn ended(mut self) {
        // The sender sends no value; its drop ends the wait.
        let _ = self.0.changed().await;
    }
}

/// The exclusive right to relay one pay-result. Its drop releases the claim and wakes the copies.
#[derive(Debug)]
pub struct ClaimGuard {
    pub(crate) book: Arc<Book>,
    pub(crate) message: Digests,
    pub(crate) _wake: watch::Sender<()>,
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        self.book.end_claim(&self.message);
    }
}
