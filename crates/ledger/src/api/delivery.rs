//! How billers take pay-results: facts too, with the answers that are kept for later copies.

use std::sync::Arc;

use protocol::{Bill, PaymentEvent};

use super::Ledger;
use crate::journal::{Commit, Entry};
use crate::sync::Subject;
use crate::{
    DeliveryState, Digests, FactKind, JournalError, KeptAnswer, Message, RefusedOutcome, Timestamp,
};

/// The outcome of one delivery attempt of a pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The biller accepted it with this answer, which is kept for later copies.
    Accepted(KeptAnswer),
    /// The biller answered with a `res_code` other than `OK`.
    Refused,
    /// The outcome is not known.
    Unknown,
    /// The pay-result was never sent.
    Pending,
}

impl DeliveryOutcome {
    /// Returns the delivery state of this outcome.
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::Accepted(_) => DeliveryState::Accepted,
            Self::Refused => DeliveryState::Refused,
            Self::Unknown => DeliveryState::Unknown,
            Self::Pending => DeliveryState::Pending,
        }
    }
}

/// A delivery that is folded and queued.
pub(super) struct QueuedDelivery {
    bill: Bill,
    message: Digests,
    answer: Option<Arc<KeptAnswer>>,
    commit: Commit,
}

/// Where a delivery is.
pub(super) struct SettledDelivery {
    /// Whether it is on durable storage.
    pub(super) journalled: Result<(), Arc<JournalError>>,
    /// Whether Redis has it.
    pub(super) is_shared: bool,
}

impl Ledger {
    /// Records the outcome of a delivery attempt. The fact is folded and queued for the journal when
    /// this function returns. The future ends when the fact is on durable storage and, where Redis
    /// can be reached, in Redis. Dropping the future undoes nothing.
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub fn record_delivery(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        message: Message,
        delivered: DeliveryOutcome,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Arc<JournalError>>> + use<> {
        let digest = message.digest;
        let is_accepted = delivered.state() == DeliveryState::Accepted;
        let queued = self.queue_delivery(bill, event, message, delivered, now);
        if is_accepted {
            self.end_refused_by_itself(digest, RefusedOutcome::Delivered, now);
        }
        let ledger = self.clone();
        async move { ledger.settle_delivery(queued).await.journalled }
    }

    /// Folds a delivery and queues it.
    pub(super) fn queue_delivery(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        message: Message,
        delivered: DeliveryOutcome,
        now: Timestamp,
    ) -> QueuedDelivery {
        let kind = FactKind::Delivery {
            event: event.clone(),
            message: message.digest,
            state: delivered.state(),
        };
        let digests = message.digests();
        let answer = match delivered {
            DeliveryOutcome::Accepted(answer) => Some(Arc::new(answer.bounded())),
            DeliveryOutcome::Refused | DeliveryOutcome::Unknown | DeliveryOutcome::Pending => None,
        };
        let book = self.node.book_of(bill);
        let mut state = book.lock();
        let known = state.latest(bill);
        let fact = self.node.fact(bill, known, now, kind);
        let mut entry = Entry::of(vec![fact]).with_context(message.context);
        if let Some(answer) = &answer {
            state.accept(digests, Arc::clone(answer));
            entry = entry.with_answer(bill.biller_code(), digests, Arc::clone(answer));
        }
        QueuedDelivery {
            bill: bill.clone(),
            message: digests,
            answer,
            commit: self.node.record(&mut state, entry),
        }
    }

    /// Waits until a delivery is on durable storage and, where Redis can be reached, in Redis.
    pub(super) async fn settle_delivery(&self, queued: QueuedDelivery) -> SettledDelivery {
        let QueuedDelivery {
            bill,
            message,
            answer,
            commit,
        } = queued;
        let rows = self.node.committed(commit).await;
        let mut is_shared = false;
        if let Some(share) = &self.share {
            let accepted = answer.as_deref().map(|answer| (&message, answer));
            let subject = Subject {
                bill: &bill,
                accepted,
            };
            let shared = async {
                let message = accepted.map(|(message, _)| message);
                let held = share.read(&bill, message).await?;
                share.write(subject, held, |_| {}).await
            };
            let shared = shared.await;
            is_shared = shared.is_ok();
            if let (Ok(epoch), Ok(rows)) = (shared, &rows) {
                self.node.marks().shared(epoch, *rows);
            }
        }
        SettledDelivery {
            journalled: rows.map(|_| ()),
            is_shared,
        }
    }

    /// Another node's delivery, met in the shared state: only the journal need hear of it.
    pub(super) async fn journal_delivery(
        &self,
        queued: QueuedDelivery,
    ) -> Result<(), Arc<JournalError>> {
        self.node.committed(queued.commit).await.map(|_| ())
    }
}
