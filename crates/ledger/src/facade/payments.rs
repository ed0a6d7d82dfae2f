//! Pay-results: claim, take down, tell, settle (contract section 4, "Payments").

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::{Bill, BillerCode, PayType, PaymentEvent};

use super::Ledger;
use crate::book::AcceptedAnswer;
use crate::journal::{Entry, Rows};
use crate::share::{Held, Share, Subject};
use crate::{
    BillState, Claim, DeliveryState, Fact, FactKind, JournalError, KeptAnswer, MessageDigest,
    Taken, Timestamp,
};

/// How long the mark of an indistinct bill's payment lasts where no `expire_at` is in force.
const INDISTINCT_MARK: Duration = Duration::from_hours(24);

/// Who classifies where no operator did.
const GATEWAY: &str = "gateway";

/// Whether a payment is on durable storage.
#[derive(Clone, Debug)]
pub enum Durability {
    /// It is.
    Durable,
    /// The journal could not be written; the payment is known to this process, and to the shared
    /// state where that can be reached.
    InMemoryOnly(Arc<JournalError>),
}

/// What became of a payment event.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it meant to the bill.
    pub taken: Taken,
    /// Whether it is on durable storage.
    pub durability: Durability,
}

/// How a pay-result that this node claimed begins.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Its event is taken down: the biller may be told.
    Recorded(Recorded),
    /// Another node told the biller, and it accepted: this was its answer.
    AcceptedElsewhere(KeptAnswer),
}

/// How a biller took a pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// With this answer; it is kept for later copies.
    Accepted(KeptAnswer),
    /// With another `res_code` than `OK`.
    Refused,
    /// Nobody knows.
    Unknown,
    /// It was never sent.
    Pending,
}

impl Delivered {
    /// The state that goes with it.
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::Accepted(_) => DeliveryState::Accepted,
            Self::Refused => DeliveryState::Refused,
            Self::Unknown => DeliveryState::Unknown,
            Self::Pending => DeliveryState::Pending,
        }
    }
}

/// A pay-result as the flow has it: the bill, the event, and the bytes that said so.
#[derive(Clone, Copy, Debug)]
struct Told<'a> {
    bill: &'a Bill,
    event: &'a PaymentEvent,
    message: MessageDigest,
}

impl Ledger {
    /// Claims the relay of a pay-result with this digest.
    pub fn claim(&self, biller: BillerCode, message: MessageDigest) -> Claim {
        self.node.book(biller).claim(message)
    }

    /// The kept answer to an accepted pay-result, from the journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn kept_answer(
        &self,
        biller: BillerCode,
        message: MessageDigest,
    ) -> Result<Option<KeptAnswer>, JournalError> {
        let reader = self.node.journal().reader();
        tokio::task::spawn_blocking(move || reader.answer(biller, &message))
            .await
            .map_err(|error| JournalError::Sqlite(error.to_string()))?
    }

    /// Takes a payment event down; ends when it is on durable storage, or cannot be put there, and
    /// in the shared state, where that can be reached.
    ///
    /// A payment of a bill that another payment has already paid, or one that comes again with
    /// another amount, classifies the bill as an error bill in the same breath.
    pub async fn record_payment(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        body: &Bytes,
        message: MessageDigest,
        now: Timestamp,
    ) -> Begun {
        let told = Told {
            bill,
            event,
            message,
        };
        let held = match &self.share {
            Some(share) => share.read(bill, Some(&message)).await.ok(),
            None => None,
        };
        if let Some(answer) = held.as_ref().and_then(|held| held.accepted.clone()) {
            return Begun::AcceptedElsewhere(answer);
        }
        let (mut taken, commit) = {
            let book = self.node.book_of(bill);
            let mut pages = book.lock();
            let (taken, facts) = match &held {
                None => self.take(told, pages.knowledge(bill).get(bill), now),
                Some(held) => {
                    let joined = held.join(&pages.knowledge(bill));
                    self.take(told, joined.knowledge().get(bill), now)
                }
            };
            let entry = Entry::of(facts).with_message(bill.biller_code(), message, body.clone());
            (taken, self.node.tell(&mut pages, entry))
        };
        let rows = self.node.committed(commit).await;
        if let (Some(share), Some(held)) = (&self.share, held) {
            taken = self
                .share_payment(share, told, held, (taken, rows.as_ref().ok().copied()), now)
                .await;
        }
        let durability = match rows {
            Ok(_) => Durability::Durable,
            Err(error) => Durability::InMemoryOnly(error),
        };
        Begun::Recorded(Recorded { taken, durability })
    }

    /// What an event means to a bill in this state, and the facts of it.
    fn take(
        &self,
        told: Told<'_>,
        state: Option<&BillState>,
        now: Timestamp,
    ) -> (Taken, Vec<Fact>) {
        let taken = judge(state, told.event, now);
        let kind = FactKind::Payment {
            event: told.event.clone(),
            mark_ends_at: mark_ends_at(told.bill, told.event, state, now),
            message: told.message,
        };
        let mut facts = vec![self.node.fact(told.bill, now, kind)];
        facts.extend(classified(taken).map(|kind| self.node.fact(told.bill, now, kind)));
        (taken, facts)
    }

    /// Puts a payment into the shared state. Where another node put one there meanwhile, two
    /// payments met, and the bill is an error bill.
    async fn share_payment(
        &self,
        share: &Share,
        told: Told<'_>,
        held: Held,
        (mut taken, rows): (Taken, Option<Rows>),
        now: Timestamp,
    ) -> Taken {
        let book = self.node.book_of(told.bill);
        let look = |meanwhile: &Held| {
            let theirs = judge(meanwhile.knowledge().get(told.bill), told.event, now);
            if taken == Taken::New && matches!(theirs, Taken::Double | Taken::OtherAmount) {
                taken = theirs;
                if let Some(kind) = classified(theirs) {
                    // Folded at once, so the next round shares it; journalled behind the payment.
                    drop(self.node.tell_one(told.bill, now, kind));
                }
            }
        };
        let shared = share.write(&book, Subject::of(told.bill), held, look).await;
        if let (Ok(()), Some(rows)) = (shared, rows) {
            self.node.marks().shared(rows);
        }
        taken
    }

    /// Takes down how the biller took a pay-result; ends when that is on durable storage and, where
    /// it can be reached, in the shared state.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn record_delivery(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        message: MessageDigest,
        delivered: Delivered,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let book = self.node.book_of(bill);
        let state = delivered.state();
        let answer = match delivered {
            Delivered::Accepted(answer) => Some(Arc::new(answer)),
            Delivered::Refused | Delivered::Unknown | Delivered::Pending => None,
        };
        let commit = {
            let mut pages = book.lock();
            let kind = FactKind::Delivery {
                event: event.clone(),
                message,
                state,
            };
            let mut entry = Entry::of(vec![self.node.fact(bill, now, kind)]);
            if let Some(answer) = &answer {
                pages.accept(message, AcceptedAnswer::Held(Arc::clone(answer)));
                entry = entry.with_answer(bill.biller_code(), message, Arc::clone(answer));
            }
            self.node.tell(&mut pages, entry)
        };
        let rows = self.node.committed(commit).await;
        if rows.is_ok() {
            book.lock().answer_is_journalled(&message);
        }
        if let Some(share) = &self.share {
            let accepted = answer.as_deref().map(|answer| (&message, answer));
            let subject = Subject { bill, accepted };
            let shared = async {
                let held = share
                    .read(bill, accepted.map(|(message, _)| message))
                    .await?;
                share.write(&book, subject, held, |_| {}).await
            };
            if let (Ok(()), Ok(rows)) = (shared.await, &rows) {
                self.node.marks().shared(*rows);
            }
        }
        rows.map(|_| ())
    }
}

fn judge(state: Option<&BillState>, event: &PaymentEvent, now: Timestamp) -> Taken {
    state
        .and_then(BillState::payments)
        .map_or(Taken::New, |payments| payments.judge(event, now))
}

fn classified(taken: Taken) -> Option<FactKind> {
    let reason = match taken {
        Taken::Double => "a payment of a bill that another payment has already paid",
        Taken::OtherAmount => "a payment that came again with another amount",
        Taken::New | Taken::Again => return None,
    };
    Some(FactKind::Classified {
        reason: reason.to_owned(),
        operator: GATEWAY.to_owned(),
    })
}

/// When the mark of a payment ends (contract section 4): only where the bill cannot be told from
/// next month's, at the `expire_at` in force, or after a day where none or only a past one is.
fn mark_ends_at(
    bill: &Bill,
    event: &PaymentEvent,
    state: Option<&BillState>,
    now: Timestamp,
) -> Option<Timestamp> {
    if !bill.is_indistinct() || event.pay_type != PayType::P {
        return None;
    }
    let in_force = state
        .and_then(|state| state.link().expire_at())
        .map(|expire_at| Timestamp::from_seconds(expire_at.unix_seconds()))
        .filter(|end| *end > now);
    Some(in_force.unwrap_or_else(|| now.plus(INDISTINCT_MARK)))
}
