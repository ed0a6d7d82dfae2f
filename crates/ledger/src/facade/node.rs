//! What one node has for itself: its journal, and the state that its journal's facts fold to.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use protocol::{Bill, BillerCode};

use crate::book::{AcceptedAnswer, Book, Pages};
use crate::journal::{Commit, Entry, Forgotten, ForgottenFacts, Journal, Rows, Settings};
use crate::refused::RefusedIndex;
use crate::refused_links::RefusedLinks;
use crate::share::Marks;
use crate::{
    DeliveryState, Digests, Fact, FactContext, FactKind, HybridLogicalClock, JournalError, Stamp,
    Timestamp,
};

/// One node.
#[derive(Debug)]
pub(crate) struct Node {
    journal: Journal,
    clock: HybridLogicalClock,
    books: Books,
    undelivered: AtomicI64,
    marks: Marks,
    refused_links: RefusedLinks,
    refused: RefusedIndex,
}

/// The billers' books; one for every biller that has a bill, bounded by the registered billers
/// and those that the journal knows.
type Books = RwLock<HashMap<BillerCode, Arc<Book>>>;

impl Node {
    /// Opens the journal and folds every fact of it.
    ///
    /// Calls that a crash cut off after the payment was journalled have no delivery yet: whether
    /// the biller heard of them is unknown, and that becomes a fact here.
    pub(super) fn open(
        directory: &Path,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let journal = Journal::open(directory, settings)?;
        let reader = journal.reader();
        let books = Books::default();
        let undelivered = AtomicI64::new(0);
        let refused_links = RefusedLinks::default();
        let refused = RefusedIndex::default();
        reader.for_each_refused(|message, bytes, closed_at| {
            refused.load(message, bytes, closed_at);
        })?;
        let highest = reader.for_each_fact(|fact| {
            let delta = book(&books, fact.bill.biller_code()).lock().fold(&fact);
            undelivered.fetch_add(delta, Ordering::Relaxed);
            refused_links.note(&fact);
            if let FactKind::PayResultRefused { message } = &fact.kind {
                refused.mark(message, &fact.bill);
            }
        })?;
        reader.for_each_accepted(|biller, message| {
            book(&books, biller)
                .lock()
                .accept(message, AcceptedAnswer::InJournal);
        })?;
        let marks = Marks::new(reader.cursor()?.shared_up_to, reader.last_row()?);
        let node = Self {
            clock: HybridLogicalClock::new(journal.node(), highest),
            journal,
            books,
            undelivered,
            marks,
            refused_links,
            refused,
        };
        node.settle_what_was_cut_off(now)?;
        Ok(node)
    }

    pub(crate) const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The refused pay-results that this node keeps.
    pub(crate) const fn refused(&self) -> &RefusedIndex {
        &self.refused
    }

    pub(crate) const fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(crate) const fn refused_links(&self) -> &RefusedLinks {
        &self.refused_links
    }

    pub(crate) fn book(&self, biller: BillerCode) -> Arc<Book> {
        book(&self.books, biller)
    }

    pub(super) fn book_of(&self, bill: &Bill) -> Arc<Book> {
        self.book(bill.biller_code())
    }

    /// The book of one biller, or all of them.
    pub(super) fn books_of(&self, biller: Option<BillerCode>) -> Vec<Arc<Book>> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        match biller {
            Some(biller) => books.get(&biller).cloned().into_iter().collect(),
            None => books.values().cloned().collect(),
        }
    }

    /// The billers that have a book with something in it.
    pub(super) fn billers(&self) -> Vec<BillerCode> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        let known = books.iter().filter(|(_, book)| book.lock().families() > 0);
        known.map(|(biller, _)| *biller).collect()
    }

    pub(super) fn undelivered(&self) -> i64 {
        self.undelivered.load(Ordering::Relaxed)
    }

    /// A stamp that comes before those of all facts that are made after this.
    pub(super) fn stamp(&self, now: Timestamp) -> Stamp {
        self.clock.next(now)
    }

    pub(super) fn fact(&self, bill: &Bill, now: Timestamp, kind: FactKind) -> Fact {
        Fact {
            stamp: self.stamp(now),
            bill: bill.clone(),
            kind,
        }
    }

    /// All further facts of this node come after this stamp.
    pub(crate) fn observe(&self, seen: Stamp) {
        self.clock.observe(seen);
    }

    /// Folds an entry's facts and queues it, both under the biller's lock, so that the journal
    /// has a biller's facts in the order in which they were decided.
    pub(crate) fn tell(&self, pages: &mut Pages, entry: Entry) -> Commit {
        let fold = |fact: &Fact| {
            // Some facts carry the stamp of another node's payment.
            self.clock.observe(fact.stamp);
            self.refused_links.note(fact);
            pages.fold(fact)
        };
        let delta: i64 = entry.facts().iter().map(fold).sum();
        self.undelivered.fetch_add(delta, Ordering::Relaxed);
        self.journal.append(entry)
    }

    pub(super) fn tell_one(&self, bill: &Bill, now: Timestamp, kind: FactKind) -> Commit {
        self.tell_of_request(bill, now, kind, FactContext::NONE)
    }

    /// The same for a fact that a call made.
    pub(super) fn tell_of_request(
        &self,
        bill: &Bill,
        now: Timestamp,
        kind: FactKind,
        context: FactContext,
    ) -> Commit {
        let book = self.book_of(bill);
        let mut pages = book.lock();
        let fact = self.fact(bill, now, kind);
        self.tell(&mut pages, Entry::of(vec![fact]).with_context(context))
    }

    /// Forgets what is older than `before` of these bills: out of memory now, out of the journal
    /// with the next commit.
    pub(crate) fn forget(&self, bills: Vec<(Bill, Vec<Digests>)>, before: i64) -> Commit {
        for (bill, messages) in &bills {
            let gone = self.book_of(bill).lock().forget(bill, messages);
            self.undelivered.fetch_sub(gone, Ordering::Relaxed);
        }
        let bills = bills.into_iter().map(|(bill, _)| bill).collect();
        self.journal.append(Entry::forgotten(Forgotten {
            bills,
            before,
            what: ForgottenFacts::All,
        }))
    }

    /// Forgets a bill of which nothing is known but refused link creations from before a stamp's time. Returns whether
    /// it was one.
    pub(crate) fn forget_in_memory(&self, bill: &Bill, before: i64) -> bool {
        self.book_of(bill).lock().forget_refused_links(bill, before)
    }

    /// Deletes the link creations of these bills from before a stamp's time with the next commit.
    pub(crate) fn forget_in_journal(&self, bills: Vec<Bill>, before: i64) -> Commit {
        self.journal.append(Entry::forgotten(Forgotten {
            bills,
            before,
            what: ForgottenFacts::RefusedLinks,
        }))
    }

    /// Folds a fact that is in the journal already.
    pub(crate) fn fold_again(&self, fact: &Fact) {
        let delta = self.book_of(&fact.bill).lock().fold(fact);
        self.undelivered.fetch_add(delta, Ordering::Relaxed);
    }

    /// Waits for a commit and marks its rows as journalled.
    pub(super) async fn committed(&self, commit: Commit) -> Result<Rows, Arc<JournalError>> {
        let rows = commit.committed().await?;
        self.marks.journalled(rows);
        Ok(rows)
    }

    fn settle_what_was_cut_off(&self, now: Timestamp) -> Result<(), JournalError> {
        let cut_off = self.journal.reader().undecided_payments()?;
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

fn book(books: &Books, biller: BillerCode) -> Arc<Book> {
    let known = books
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&biller)
        .cloned();
    known.unwrap_or_else(|| {
        let mut books = books.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(books.entry(biller).or_default())
    })
}
