//! Claims: one relay of a pay-result at a time on each node.

use std::sync::Arc;

use protocol::{Bill, BillerCode, PaymentEvent};
use tokio::sync::watch;

use super::Node;
use super::book::Book;
use super::pay_results::InMemory;
use super::resident::Resident;
use crate::journal::Reader;
use crate::{DeliveryState, Digests, KeptAnswer, MessageDigest};

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
    /// This node relays a copy at this moment: wait for its end, then claim again.
    UnderWay(UnderWay),
    /// The caller relays it, and holds the guard until the delivery is recorded.
    Granted(ClaimGuard),
    /// The journal cannot be read, so nobody knows whether the biller accepted it before: it must not be relayed. The
    /// guard is held until the event is recorded as pending.
    Unreadable(ClaimGuard),
}

/// A wait for the end of another claim of the same pay-result.
#[derive(Debug)]
pub struct UnderWay(watch::Receiver<()>);

impl UnderWay {
    /// Waits until the other claim is dropped.
    pub async fn ended(mut self) {
        // The sender sends no value; its drop ends the wait.
        let _ = self.0.changed().await;
    }
}

/// The exclusive right to relay one pay-result. Its bill stays in memory. The drop releases the claim and wakes the
/// copies.
#[derive(Debug)]
pub struct ClaimGuard {
    book: Arc<Book>,
    message: Digests,
    _wake: watch::Sender<()>,
    /// Keeps the bill in memory.
    resident: Option<Resident>,
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        self.book.lock().pay_results().give_back(&self.message);
    }
}

impl Node {
    /// Claims the relay of bytes that report no event that can be read.
    pub(crate) fn claim_bytes(&self, biller: BillerCode, message: Digests) -> Claim {
        take(&self.book(biller), message).map_or_else(|known| *known, Claim::Granted)
    }

    /// Claims the relay of one pay-result, in whatever spelling.
    pub(crate) async fn claim(&self, bill: &Bill, event: &PaymentEvent, message: Digests) -> Claim {
        let book = self.book_of(bill);
        let mut guard = match take(&book, message) {
            Ok(guard) => guard,
            Err(known) => return *known,
        };
        let Ok(resident) = self.resident(bill).await else {
            return Claim::Unreadable(guard);
        };
        guard.resident = Some(resident);
        let delivery = {
            let state = book.lock();
            state.state(bill).and_then(|state| state.delivery(event))
        };
        // A pay-result that was accepted has an event that was: most are new, and cost no read.
        if delivery != Some(DeliveryState::Accepted) {
            return Claim::Granted(guard);
        }
        let biller = bill.biller_code();
        let (paid, event) = (bill.clone(), event.clone());
        let read = move |reader: &Reader| reader.accepted_copy(&paid, &event, &message);
        match self.readers().read(biller, read).await {
            Ok(Some((accepted, answer))) => Claim::Accepted {
                message: accepted.bytes,
                answer: Arc::new(answer),
            },
            Ok(None) => Claim::Granted(guard),
            Err(_) => Claim::Unreadable(guard),
        }
    }
}

/// Takes a pay-result that memory does not know as accepted or under way.
fn take(book: &Arc<Book>, message: Digests) -> Result<ClaimGuard, Box<Claim>> {
    let taken = book.lock().pay_results().take(&message);
    match taken {
        InMemory::Accepted(message, answer) => Err(Box::new(Claim::Accepted { message, answer })),
        InMemory::UnderWay(wait) => Err(Box::new(Claim::UnderWay(UnderWay(wait)))),
        InMemory::Taken(wake) => Ok(ClaimGuard {
            book: Arc::clone(book),
            message,
            _wake: wake,
            resident: None,
        }),
    }
}
