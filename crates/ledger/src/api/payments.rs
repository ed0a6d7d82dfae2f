//! Pay-results: claim, take down, classify, share (contract section 4, "Payments").
//!
//! The payment is queued for the journal before anything is waited for. What the shared state says
//! then can only add to that: another end of the mark, a classification, the kept answer of a
//! biller that accepted it through another node.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::{Bill, BillerCode, PaymentEvent};
use tokio::time::timeout;

use super::queued_payment::Queued;
use super::reported::Reported;
use super::unread_payment::Unread;
use super::{Copies, DeliveryOutcome, Ledger};
use crate::journal::{Commit, Entry, Rows};
use crate::sync::{Held, Share, Subject};
use crate::{
    BillState, Claim, DeliveryState, Digests, Fact, FactContext, JournalError, KeptAnswer, Message,
    MessageDigest, PaymentEffect, Stamp, Timestamp,
};

/// Redis has so long to take a payment before the biller is told (contract section 4, "Nodes").
const COPIED_WITHIN: Duration = Duration::from_millis(200);

/// Whether a payment fact is on durable storage.
#[derive(Clone, Debug)]
pub enum Durability {
    /// The journal has committed it.
    Durable,
    /// The journal could not be written. Only the memory of this process and, where it can be
    /// reached, Redis have the payment.
    InMemoryOnly(Arc<JournalError>),
}

/// A payment event that was recorded.
#[derive(Clone, Debug)]
pub struct RecordedPayment {
    /// The effect on the bill.
    pub effect: PaymentEffect,
    /// Whether the event is on durable storage.
    pub durability: Durability,
}

/// The outcome of recording a claimed pay-result.
#[derive(Clone, Debug)]
pub enum RecordOutcome {
    /// The event is recorded: the pay-result can be relayed.
    Recorded(RecordedPayment),
    /// The biller accepted the pay-result through another node.
    AcceptedElsewhere {
        /// Its digest as it was accepted; another one where this is a copy in another spelling.
        message: MessageDigest,
        /// The biller's answer.
        answer: KeptAnswer,
    },
}

impl Ledger {
    /// Claims the relay of the pay-result with these digests, in whatever spelling, that reports this event. Its bill is
    /// loaded, and stays in memory as long as the claim is held.
    pub async fn claim(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        message: impl Into<Digests>,
    ) -> Claim {
        self.node.claim(bill, event, message.into()).await
    }

    /// Claims the relay of bytes that report no event that can be read. Nothing is known to have accepted them.
    pub fn claim_bytes(&self, biller: BillerCode, message: impl Into<Digests>) -> Claim {
        self.node.claim_bytes(biller, message.into())
    }

    /// Records a payment event. The fact is folded and queued for the journal when this function returns, where the bill's
    /// state is in memory; else at the latest when the future is dropped. The future ends when the fact is on durable
    /// storage, or cannot be written, and is in Redis, where that can be reached. Dropping the future undoes nothing.
    ///
    /// A double payment, or a payment with another amount, classifies the bill as an error bill; with
    /// Redis, after the state of the other nodes is read.
    pub fn record_payment(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        body: &Bytes,
        message: Message,
        now: Timestamp,
    ) -> impl Future<Output = RecordOutcome> + use<> {
        let report = Reported {
            bill: bill.clone(),
            event: event.clone(),
            message,
            now,
        };
        let ledger = self.clone();
        let payment = match self.queue_where_known(report, body) {
            Ok(queued) => Payment::Queued(Box::new(queued)),
            Err(report) => {
                Payment::Unread(Box::new(Unread::new(self.clone(), *report, body.clone())))
            }
        };
        async move {
            let queued = match payment {
                Payment::Queued(queued) => *queued,
                Payment::Unread(unread) => Box::pin(unread.read_and_queue()).await,
            };
            match &ledger.share {
                None => {
                    let rows = ledger.node.committed(queued.commit).await;
                    RecordOutcome::Recorded(recorded(queued.taken, rows.map(|_| ())))
                }
                Some(share) => ledger.go_on_together(share, queued).await,
            }
        }
    }

    /// Folds a payment and queues it, where memory has the whole state of its bill; else it is given back.
    fn queue_where_known(&self, report: Reported, body: &Bytes) -> Result<Queued, Box<Reported>> {
        let book = self.node.book_of(&report.bill);
        let mut state = book.lock();
        if state.complete_state(&report.bill).is_none() {
            return Err(Box::new(report));
        }
        Ok(self.queue_payment(&mut state, report, body))
    }

    /// Asks what other nodes know, adds to the payment what follows from it, and shares both.
    async fn go_on_together(&self, share: &Share, queued: Queued) -> RecordOutcome {
        let report = &queued.report;
        let digests = report.message.digests();
        let held = self.read_once_delivered(share, report, &digests).await;
        let known = queued.known(held.as_ref());
        let accepted = share.accepted(&report.bill, held.as_ref(), &digests).await;
        let accepted = match held.as_ref() {
            Some(held) if accepted.is_none() => {
                self.accepted_meanwhile(share, (report, held), &digests)
                    .await
            }
            _ => accepted,
        };
        if let Some((message, answer)) = accepted {
            // The node that delivered it has judged this report.
            drop(self.queue_addition(&queued, known.as_ref(), PaymentEffect::Repeated));
            self.learn_answer(report, answer.clone()).await;
            return RecordOutcome::AcceptedElsewhere { message, answer };
        }
        let stamps = [queued.stamp, queued.earlier];
        // Two amounts that this node has seen stay two, whichever of them the others have, unless they
        // have seen both and somebody has had a word on the bill since.
        let taken = match queued.taken {
            PaymentEffect::OtherAmount if !queued.is_old_news(held.as_ref()) => {
                PaymentEffect::OtherAmount
            }
            _ => report.effect(known.as_ref(), &stamps),
        };
        let addition = self.queue_addition(&queued, known.as_ref(), taken);
        let mut rows = vec![self.node.committed(queued.commit).await];
        if let Some(addition) = addition {
            rows.push(self.node.committed(addition).await);
        }
        let rows: Result<Vec<Rows>, _> = rows.into_iter().collect();
        let written = rows.as_deref().unwrap_or_default();
        let Some(held) = held else {
            self.second_copy(share, written).await;
            return RecordOutcome::Recorded(recorded(taken, rows.map(|_| ())));
        };
        let shared = self.share_payment(share, report, &stamps, held, (taken, written));
        let (taken, ()) = tokio::join!(shared, self.second_copy(share, written));
        RecordOutcome::Recorded(recorded(taken, rows.map(|_| ())))
    }

    /// Returns the pay-result of this event that the biller accepted, as the journal has it, where Redis does not have the
    /// answer: it expired or was evicted, or came from another node since this one was claimed.
    async fn accepted_meanwhile(
        &self,
        share: &Share,
        (report, held): (&Reported, &Held),
        digests: &Digests,
    ) -> Option<(MessageDigest, KeptAnswer)> {
        let theirs = held.state.as_ref();
        let theirs = theirs.and_then(|theirs| theirs.delivery(&report.event));
        if theirs == Some(DeliveryState::Accepted) {
            // The journal may not have it yet.
            share.replica().follow_now().await;
        }
        let is_accepted = {
            let book = self.node.book_of(&report.bill);
            let state = book.lock();
            let known = state.state(&report.bill);
            known.and_then(|known| known.delivery(&report.event)) == Some(DeliveryState::Accepted)
        };
        if !is_accepted {
            return None;
        }
        let (bill, event, digests) = (report.bill.clone(), report.event.clone(), *digests);
        let read = self.read_journal(move |reader| reader.accepted_copy(&bill, &event, &digests));
        let (accepted, answer) = read.await.ok().flatten()?;
        Some((accepted.bytes, answer))
    }

    /// What the payment turns out to mean, as facts of their own.
    fn queue_addition(
        &self,
        queued: &Queued,
        known: Option<&BillState>,
        taken: PaymentEffect,
    ) -> Option<Commit> {
        let report = &queued.report;
        let mut facts = Vec::new();
        let mark_ends_at = report.mark_ends_at(known);
        let is_first = matches!(taken, PaymentEffect::New | PaymentEffect::Double);
        if is_first && mark_ends_at != queued.mark_ends_at {
            facts.push(Fact {
                stamp: queued.earlier,
                bill: report.bill.clone(),
                kind: report.payment(mark_ends_at),
            });
        }
        facts.extend(queued.words(known, taken));
        let latest = known.map(BillState::latest).unwrap_or_default();
        facts.extend(
            taken
                .classification()
                .map(|kind| self.node.fact(&report.bill, latest, report.now, kind)),
        );
        facts.extend(self.end_of_refusal_elsewhere(report, known));
        if facts.is_empty() {
            return None;
        }
        let book = self.node.book_of(&report.bill);
        let entry = Entry::of(facts).with_context(report.message.context.clone());
        Some(self.node.record(&mut book.lock(), entry))
    }

    /// Puts a payment into the shared state. Where another node put one there meanwhile, two
    /// payments met, and the bill is an error bill.
    async fn share_payment(
        &self,
        share: &Share,
        report: &Reported,
        stamps: &[Stamp],
        held: Held,
        (mut taken, rows): (PaymentEffect, &[Rows]),
    ) -> PaymentEffect {
        let look = |meanwhile: &Held| {
            let theirs = report.effect(meanwhile.state.as_ref(), stamps);
            if taken == PaymentEffect::New
                && matches!(theirs, PaymentEffect::Double | PaymentEffect::OtherAmount)
            {
                taken = theirs;
                if let Some(kind) = theirs.classification() {
                    // Folded at once, so the next round shares it; journalled behind the payment.
                    let known = meanwhile.latest();
                    drop(self.node.record_after(
                        &report.bill,
                        known,
                        report.now,
                        (kind, FactContext::NONE),
                    ));
                }
            }
        };
        let shared = share.write(Subject::of(&report.bill), held, look).await;
        if let Ok(epoch) = shared {
            for rows in rows {
                self.node.marks().shared(epoch, *rows);
            }
        }
        taken
    }

    /// Waits until Redis has these rows, too, with all that belongs to them. Where that takes too long, or Redis is known
    /// to be out of reach, the biller is told all the same, and that is counted.
    async fn second_copy(&self, share: &Share, rows: &[Rows]) {
        let last = rows.iter().map(|rows| rows.last).max();
        let Some(last) = last.filter(|_| self.copies == Copies::Two) else {
            return;
        };
        let mut published = share.replica().published();
        let settled = published.wait_for(|now| now.row >= last || !now.is_reachable);
        let settled = timeout(COPIED_WITHIN, settled).await;
        let has_both = settled.is_ok_and(|now| now.is_ok_and(|now| now.row >= last));
        if !has_both {
            share.payment_on_one_disk();
        }
    }

    /// Another node told the biller, and it accepted: from now on this node knows that by itself.
    async fn learn_answer(&self, report: &Reported, answer: KeptAnswer) {
        let delivered = DeliveryOutcome::Accepted(answer);
        let message = report.message.clone();
        let queued =
            self.queue_delivery(&report.bill, &report.event, message, delivered, report.now);
        if let Err(error) = self.journal_delivery(queued).await {
            tracing::error!(%error, "a delivery by another node is known in memory only");
        }
    }
}

/// A payment as it is when [`Ledger::record_payment`] returns.
enum Payment {
    Queued(Box<Queued>),
    Unread(Box<Unread>),
}

fn recorded(effect: PaymentEffect, journalled: Result<(), Arc<JournalError>>) -> RecordedPayment {
    let durability = match journalled {
        Ok(()) => Durability::Durable,
        Err(error) => Durability::InMemoryOnly(error),
    };
    RecordedPayment { effect, durability }
}
