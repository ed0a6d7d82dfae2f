//! What one node has for itself: its journal, and the state that its journal's facts fold to.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};

use protocol::{Bill, BillerCode};

use super::books::{Books, Folded, book};
use super::doubtful::DoubtfulValues;
use super::refused_links::RefusedLinks;
use crate::book::{AcceptedAnswer, Book, Pages};
use crate::horizon::Horizon;
use crate::journal::{
    Commit, Entry, Forgotten, ForgottenFacts, Journal, NumberedFact, Rows, Settings,
};
use crate::refused::RefusedIndex;
use crate::share::Marks;
use crate::shared::WallClock;
use crate::{
    DeliveryState, Digests, Fact, FactContext, FactKind, HybridLogicalClock, JournalError, Stamp,
    Timestamp,
};

/// One node.
#[derive(Debug)]
pub(crate) struct Node {
    journal: Journal,
    clock: HybridLogicalClock,
    /// What the hybrid clock follows a stamp from outside by.
    wall: WallClock,
    ahead: DoubtfulValues,
    without_checksum: DoubtfulValues,
    ahead_at_start: u64,
    books: Books,
    undelivered: AtomicI64,
    marks: Marks,
    refused_links: RefusedLinks,
    refused: RefusedIndex,
}

impl Node {
    /// Opens the journal and folds every fact of it.
    ///
    /// Calls that a crash cut off after the payment was journalled have no delivery yet: whether
    /// the biller heard of them is unknown, and that becomes a fact here.
    pub(super) fn open(
        directory: &Path,
        settings: Settings,
        wall: WallClock,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let journal = Journal::open(directory, settings)?;
        let reader = journal.reader();
        let horizon = Horizon::at(now);
        let named = |error: JournalError| error.of(journal.path());
        let mut span = reader.stamps(&horizon).map_err(named)?;
        if span.beyond_belief > 0 {
            let facts = journal.mend_stamps(horizon.believed())?;
            tracing::error!(
                facts,
                "the journal had facts with stamps that no clock shows, as a forged value in Redis leaves them: each \
                 has its place in the order of the journal now"
            );
            span = reader.stamps(&horizon)?;
        }
        let Folded {
            books,
            undelivered,
            refused_links,
            refused,
        } = Folded::of(&reader).map_err(named)?;
        reader.for_each_accepted(|biller, message| {
            book(&books, biller)
                .lock()
                .accept(message, AcceptedAnswer::InJournal);
        })?;
        let last_row = reader.last_row()?;
        let mut clock = HybridLogicalClock::new(journal.node(), span.latest);
        if span.ahead > 0 {
            tracing::warn!(
                facts = span.ahead,
                "the journal has facts with stamps more than 60 s ahead of this machine's clock, which does not \
                 follow them: was the clock wrong, or is it now?"
            );
            clock = clock.after_stamps_ahead(last_row);
        }
        let node = Self {
            clock,
            wall,
            ahead: DoubtfulValues::default(),
            without_checksum: DoubtfulValues::default(),
            ahead_at_start: span.ahead,
            marks: Marks::new(reader.cursor()?.shared_up_to, last_row),
            journal,
            books,
            undelivered,
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

    pub(super) fn bill_groups_by_biller(&self) -> Vec<(BillerCode, usize)> {
        let books: Vec<(BillerCode, Arc<Book>)> = {
            let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
            let shared = |(biller, book): (&BillerCode, &Arc<Book>)| (*biller, Arc::clone(book));
            books.iter().map(shared).collect()
        };
        // Each biller's lock alone, and none while the others wait.
        let groups = |(biller, book): (BillerCode, Arc<Book>)| (biller, book.lock().families());
        books.into_iter().map(groups).collect()
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

    /// A fact of a bill that comes after `known`, the latest stamp that is known of the bill.
    pub(super) fn fact(&self, bill: &Bill, known: Stamp, now: Timestamp, kind: FactKind) -> Fact {
        Fact {
            stamp: self.clock.next_after(known, now),
            bill: bill.clone(),
            kind,
        }
    }

    /// All further facts of this node come after this stamp, unless it is more than a minute ahead.
    pub(crate) fn observe(&self, seen: Stamp) {
        self.clock.observe(seen, self.now());
    }

    /// The time of this machine.
    pub(crate) fn now(&self) -> Timestamp {
        (self.wall.0)()
    }

    /// Values from outside with stamps that are ahead.
    pub(crate) const fn ahead(&self) -> &DoubtfulValues {
        &self.ahead
    }

    /// Values without a valid checksum.
    pub(crate) const fn without_checksum(&self) -> &DoubtfulValues {
        &self.without_checksum
    }

    /// Facts that had stamps more than a minute ahead when the journal was opened.
    pub(super) const fn ahead_at_start(&self) -> u64 {
        self.ahead_at_start
    }

    /// Folds an entry's facts and queues it, both under the biller's lock, so that the journal
    /// has a biller's facts in the order in which they were decided.
    pub(crate) fn tell(&self, pages: &mut Pages, entry: Entry) -> Commit {
        let fold = |fact: &Fact| {
            // Some facts carry the stamp of another node's payment.
            self.observe(fact.stamp);
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
        self.tell_after(bill, Stamp::default(), now, (kind, context))
    }

    /// The same with a stamp after `known` too, which others have of the bill.
    pub(super) fn tell_after(
        &self,
        bill: &Bill,
        known: Stamp,
        now: Timestamp,
        (kind, context): (FactKind, FactContext),
    ) -> Commit {
        let book = self.book_of(bill);
        let mut pages = book.lock();
        let known = known.max(pages.latest(bill));
        let fact = self.fact(bill, known, now, kind);
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
        let cut_off = self.journal.reader().cut_off_payments()?;
        if cut_off.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            payments = cut_off.len(),
            "pay-results were cut off by the last stop: whether their billers heard of them is unknown"
        );
        for NumberedFact { fact, context, .. } in cut_off {
            let FactKind::Payment { event, message, .. } = fact.kind else {
                continue;
            };
            let kind = FactKind::Delivery {
                event,
                message,
                state: DeliveryState::Unknown,
            };
            let context = FactContext {
                canonical: context.canonical,
                ..FactContext::NONE
            };
            // The writer commits them in order; nobody has to wait for these.
            drop(self.tell_of_request(&fact.bill, now, kind, context));
        }
        Ok(())
    }
}
