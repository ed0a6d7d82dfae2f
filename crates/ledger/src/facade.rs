//! The facade that the flows use: decide under the biller's lock, journal, then go on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use protocol::{Bill, BillerCode, KoreanTime, PayType, PaymentEvent};

use crate::book::{AcceptedAnswer, Book, Pages};
use crate::journal::{Commit, Entry, Journal};
use crate::{
    BillState, Claim, DeliveryState, Fact, FactKind, JournalError, KeptAnswer, LinkRefusal,
    LinkState, MessageDigest, Stamp, StampClock, Taken, Timestamp,
};

/// How long the mark of an indistinct bill's payment lasts where no `expire_at` is in force.
const INDISTINCT_MARK: Duration = Duration::from_secs(24 * 60 * 60);

/// Who classifies where no operator did.
const GATEWAY: &str = "gateway";

/// Where the ledger lives.
#[derive(Clone, Debug)]
pub struct Options {
    /// The journal's folder.
    pub directory: PathBuf,
}

/// What a prepay or a notice needs to know of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillView {
    /// Classified: `E817`.
    pub error_bill: bool,
    /// Paid: `E403` to a prepay.
    pub paid: bool,
}

/// A `link_create` that may be relayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    bill: Bill,
    attempt: Stamp,
    after_unknown: bool,
}

/// What came of a relayed `link_create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// Kakao Pay answered 2xx with `OK`.
    Linked {
        /// From the request.
        expire_at: KoreanTime,
    },
    /// Kakao Pay answered another `res_code`, or was never reached.
    Released,
    /// Time-out, answer lost or unreadable.
    Unknown,
}

/// Whether a payment is on durable storage.
#[derive(Clone, Debug)]
pub enum Durability {
    /// It is.
    Durable,
    /// The journal could not be written; the payment is known to this process only.
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

/// The ledger of one node. Cheap to clone; shared by all workers.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    clock: StampClock,
    books: RwLock<HashMap<BillerCode, Arc<Book>>>,
    undelivered: AtomicI64,
}

impl Ledger {
    /// Opens the journal and folds every fact of it.
    ///
    /// Calls that a crash cut off after the payment was journalled have no delivery yet: whether
    /// the biller heard of them is unknown, and that becomes a fact here.
    ///
    /// # Errors
    /// When the journal cannot be opened or read.
    pub fn open(options: &Options, now: Timestamp) -> Result<Self, JournalError> {
        let journal = Journal::open(&options.directory)?;
        let reader = journal.reader();
        let books = RwLock::default();
        let undelivered = AtomicI64::new(0);
        let highest = reader.for_each_fact(|fact| {
            let delta = book(&books, fact.bill.biller_code()).lock().fold(&fact);
            undelivered.fetch_add(delta, Ordering::Relaxed);
        })?;
        reader.for_each_accepted(|biller, message| {
            book(&books, biller).lock().accept(message, AcceptedAnswer::InJournal);
        })?;
        let ledger = Self {
            inner: Arc::new(Inner {
                clock: StampClock::new(journal.node(), highest),
                journal,
                books,
                undelivered,
            }),
        };
        ledger.settle_what_was_cut_off(now)?;
        Ok(ledger)
    }

    /// What is known of a bill at `now`.
    pub fn look_up(&self, bill: &Bill, now: Timestamp) -> BillView {
        let book = self.book(bill);
        let pages = book.lock();
        let state = pages.get(bill);
        BillView {
            error_bill: state.is_some_and(BillState::is_error_bill),
            paid: state.is_some_and(|state| state.is_paid(now)),
        }
    }

    /// The whole state of a bill, for an operator.
    pub fn state(&self, bill: &Bill) -> Option<BillState> {
        self.book(bill).lock().get(bill).cloned()
    }

    /// Reserves a bill for a `link_create` whose budget ends at `until`.
    ///
    /// # Errors
    /// Why the contract refuses it; [`LinkRefusal::Unavailable`] when it cannot be journalled.
    pub async fn reserve(
        &self,
        bill: &Bill,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Reservation, LinkRefusal> {
        let (reservation, commit) = {
            let book = self.book(bill);
            let mut pages = book.lock();
            let before = pages.may_create(bill, now)?;
            self.require_journal()?;
            let after_unknown = before == LinkState::Unknown;
            let kind = FactKind::Reserved {
                until,
                after_unknown,
            };
            let fact = self.fact(bill, now, kind);
            let attempt = fact.stamp;
            let commit = self.tell(&mut pages, Entry::of(vec![fact]));
            let reservation = Reservation {
                bill: bill.clone(),
                attempt,
                after_unknown,
            };
            (reservation, commit)
        };
        if commit.committed().await.is_err() {
            self.tell_settled(&reservation, &LinkOutcome::Released, now);
            return Err(LinkRefusal::Unavailable);
        }
        Ok(reservation)
    }

    /// Settles a reservation; ends when that is on durable storage.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn settle(
        &self,
        reservation: &Reservation,
        outcome: &LinkOutcome,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        self.tell_settled(reservation, outcome, now).committed().await
    }

    /// Finds the bill whose link a `link_recreate` makes anew.
    ///
    /// # Errors
    /// Why the contract refuses it; [`LinkRefusal::Unavailable`] when it could not be journalled.
    pub fn find_for_recreate(&self, bill: &Bill, now: Timestamp) -> Result<Bill, LinkRefusal> {
        let found = self.book(bill).lock().may_recreate(bill, now)?;
        self.require_journal()?;
        Ok(found)
    }

    /// Kakao Pay made the link of `bill` anew; ends when that is on durable storage.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn relink(
        &self,
        bill: &Bill,
        expire_at: KoreanTime,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        self.tell_one(bill, now, FactKind::Relinked { expire_at }).committed().await
    }

    /// Claims the relay of a pay-result with this digest.
    pub fn claim(&self, biller: BillerCode, message: MessageDigest) -> Claim {
        book(&self.inner.books, biller).claim(message)
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
        let reader = self.inner.journal.reader();
        tokio::task::spawn_blocking(move || reader.answer(biller, &message))
            .await
            .map_err(|error| JournalError::Sqlite(error.to_string()))?
    }

    /// Takes a payment event down; ends when it is on durable storage, or cannot be put there.
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
    ) -> Recorded {
        let (taken, commit) = {
            let book = self.book(bill);
            let mut pages = book.lock();
            let state = pages.get(bill);
            let taken = state
                .and_then(BillState::payments)
                .map_or(Taken::New, |payments| payments.judge(event, now));
            let kind = FactKind::Payment {
                event: event.clone(),
                mark_ends_at: mark_ends_at(bill, event, state, now),
                message,
            };
            let mut facts = vec![self.fact(bill, now, kind)];
            if let Some(reason) = classification_reason(taken) {
                let kind = FactKind::Classified {
                    reason: reason.to_owned(),
                    operator: GATEWAY.to_owned(),
                };
                facts.push(self.fact(bill, now, kind));
            }
            let entry = Entry::of(facts).with_message(bill.biller_code(), message, body.clone());
            (taken, self.tell(&mut pages, entry))
        };
        let durability = match commit.committed().await {
            Ok(()) => Durability::Durable,
            Err(error) => Durability::InMemoryOnly(error),
        };
        Recorded { taken, durability }
    }

    /// Takes down how the biller took a pay-result; ends when that is on durable storage.
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
        let biller = bill.biller_code();
        let book = self.book(bill);
        let commit = {
            let mut pages = book.lock();
            let kind = FactKind::Delivery {
                event: event.clone(),
                message,
                state: delivered.state(),
            };
            let mut entry = Entry::of(vec![self.fact(bill, now, kind)]);
            if let Delivered::Accepted(answer) = delivered {
                let answer = Arc::new(answer);
                pages.accept(message, AcceptedAnswer::Held(Arc::clone(&answer)));
                entry = entry.with_answer(biller, message, answer);
            }
            self.tell(&mut pages, entry)
        };
        commit.committed().await?;
        book.lock().answer_is_journalled(&message);
        Ok(())
    }

    /// Makes a bill an error bill.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn classify(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let kind = FactKind::Classified { reason, operator };
        self.tell_one(bill, now, kind).committed().await
    }

    /// Makes a bill no error bill any more.
    ///
    /// # Errors
    /// When it could not be journalled; the state in memory holds it all the same.
    pub async fn clear(
        &self,
        bill: &Bill,
        reason: String,
        operator: String,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let kind = FactKind::Cleared { reason, operator };
        self.tell_one(bill, now, kind).committed().await
    }

    /// Payment events that a biller was told and has not accepted.
    pub fn undelivered(&self) -> i64 {
        self.inner.undelivered.load(Ordering::Relaxed)
    }

    /// Whether the journal takes facts at this moment.
    pub fn is_journal_writable(&self) -> bool {
        self.inner.journal.is_writable()
    }

    fn require_journal(&self) -> Result<(), LinkRefusal> {
        if self.is_journal_writable() { Ok(()) } else { Err(LinkRefusal::Unavailable) }
    }

    fn book(&self, bill: &Bill) -> Arc<Book> {
        book(&self.inner.books, bill.biller_code())
    }

    fn fact(&self, bill: &Bill, now: Timestamp, kind: FactKind) -> Fact {
        Fact {
            stamp: self.inner.clock.next(now),
            bill: bill.clone(),
            kind,
        }
    }

    fn tell_one(&self, bill: &Bill, now: Timestamp, kind: FactKind) -> Commit {
        let book = self.book(bill);
        let mut pages = book.lock();
        let fact = self.fact(bill, now, kind);
        self.tell(&mut pages, Entry::of(vec![fact]))
    }

    /// Folds an entry's facts and queues it, both under the biller's lock, so that the journal
    /// has a biller's facts in the order in which they were decided.
    fn tell(&self, pages: &mut Pages, entry: Entry) -> Commit {
        let delta: i64 = entry.facts().iter().map(|fact| pages.fold(fact)).sum();
        self.inner.undelivered.fetch_add(delta, Ordering::Relaxed);
        self.inner.journal.append(entry)
    }

    fn tell_settled(&self, reservation: &Reservation, outcome: &LinkOutcome, now: Timestamp) -> Commit {
        let attempt = reservation.attempt;
        let kind = match outcome {
            LinkOutcome::Linked { expire_at } => FactKind::Linked {
                attempt,
                expire_at: expire_at.clone(),
            },
            LinkOutcome::Released => FactKind::Released {
                attempt,
                after_unknown: reservation.after_unknown,
            },
            LinkOutcome::Unknown => FactKind::Uncertain { attempt },
        };
        self.tell_one(&reservation.bill, now, kind)
    }

    fn settle_what_was_cut_off(&self, now: Timestamp) -> Result<(), JournalError> {
        let cut_off = self.inner.journal.reader().undecided_payments()?;
        if cut_off.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            payments = cut_off.len(),
            "pay-results were cut off by the last stop: whether their billers heard of them is unknown"
        );
        for payment in cut_off {
            let kind = FactKind::Delivery {
                event: payment.event,
                message: payment.message,
                state: DeliveryState::Unknown,
            };
            // The writer commits them in order; nobody has to wait for these.
            drop(self.tell_one(&payment.bill, now, kind));
        }
        Ok(())
    }
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

fn book(books: &RwLock<HashMap<BillerCode, Arc<Book>>>, biller: BillerCode) -> Arc<Book> {
    let known = books.read().unwrap_or_else(PoisonError::into_inner).get(&biller).cloned();
    known.unwrap_or_else(|| {
        let mut books = books.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(books.entry(biller).or_default())
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

const fn classification_reason(taken: Taken) -> Option<&'static str> {
    match taken {
        Taken::Double => Some("a payment of a bill that another payment has already paid"),
        Taken::OtherAmount => Some("a payment that came again with another amount"),
        Taken::New | Taken::Again => None,
    }
}
