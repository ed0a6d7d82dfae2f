//! What one node has for itself: its journal, and in memory the state of the bills that calls use.
//!
//! The journal has every fact. A bill's state is loaded from it when a call needs it, and stays in memory as long as
//! there is room. Facts are folded in and queued for the journal under the biller's lock.

mod book;
mod books;
mod cache;
mod claim;
mod cursor;
pub(crate) mod decision;
mod doubtful;
mod filling;
mod filter;
mod foreign;
mod hash;
pub(crate) mod kept;
mod links;
mod local;
mod pay_results;
pub(crate) mod refused;
pub(crate) mod refused_links;
mod resident;
pub(crate) mod retention;
mod retention_thread;
mod slot;
mod slots;
mod start;

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::{Bill, BillerCode};
use tokio::sync::Notify;

pub(crate) use book::{Book, BookState};
use books::Books;
pub use cache::CacheFigures;
pub use claim::{Claim, ClaimGuard, UnderWay};
pub(crate) use cursor::{Epoch, Marks};
pub use decision::{BillView, LinkRefusal};
use doubtful::DoubtfulValues;
pub(crate) use filling::FillingThread;
pub(crate) use links::LinkKey;
pub(crate) use local::Local;
pub use refused::{REFUSED_BOUND, REFUSED_BYTES_BOUND};
use refused_links::RefusedLinks;
pub(crate) use resident::{Others, Resident};
pub(crate) use retention_thread::RetentionThread;

use crate::journal::{Commit, Effect, Entry, Journal, Reader, Readers, Rows};
use crate::node::refused::RefusedIndex;
use crate::redis::WallClock;
use crate::{Fact, FactContext, FactKind, HybridLogicalClock, JournalError, Stamp, Timestamp};

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
    books: Arc<Books>,
    marks: Marks,
    refused_links: RefusedLinks,
    refused: RefusedIndex,
    /// Something was committed.
    has_committed: Arc<Notify>,
}

impl Node {
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
        self.books.of(biller)
    }

    pub(crate) fn book_of(&self, bill: &Bill) -> Arc<Book> {
        self.book(bill.biller_code())
    }

    /// Returns the book of one biller, or all of them.
    pub(crate) fn books_of(&self, biller: Option<BillerCode>) -> Vec<Arc<Book>> {
        self.books.some_or_all(biller)
    }

    /// Returns the threads that read the journal for calls.
    pub(crate) const fn readers(&self) -> &Readers {
        self.journal.readers()
    }

    /// Evicts states that were not used lately where memory takes more than its bound.
    fn make_room(&self) {
        self.books.make_room();
    }

    /// Returns what memory takes, and how often it was enough.
    pub(crate) fn cache(&self) -> CacheFigures {
        self.books.cache().figures()
    }

    /// Returns whether a bill is paid and whether it is an error bill, where memory says; `None`: the journal must be
    /// asked.
    pub(crate) fn view(&self, bill: &Bill, now: Timestamp) -> Option<BillView> {
        let view = self.book_of(bill).view(bill, now);
        let view = view.or_else(|| self.knows_nothing_of(bill).then_some(BillView::NOTHING));
        if view.is_some() {
            self.books.cache().hit();
        }
        view
    }

    /// Returns the filter of the bills that the journal may have.
    fn filter(&self) -> &filter::Filter {
        self.books.cache().filter()
    }

    /// Returns whether the journal certainly has no fact of a bill.
    fn knows_nothing_of(&self, bill: &Bill) -> bool {
        !self.filter().may_have(bill_hash(bill))
    }

    /// Returns the bills with undelivered events, of one biller or of all: those of the journal, and those whose facts
    /// are queued for it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn undelivered_bills(
        &self,
        reader: &Reader,
        biller: Option<BillerCode>,
    ) -> Result<BTreeSet<Bill>, JournalError> {
        let mut bills = BTreeSet::new();
        for book in self.books_of(biller) {
            bills.extend(book.lock().undelivered().cloned());
        }
        let open = reader.open_deliveries(biller, usize::MAX)?;
        bills.extend(open.into_iter().map(|open| open.fact.bill));
        Ok(bills)
    }

    /// Returns how many events are undelivered, as the journal has them.
    pub(crate) fn undelivered(&self) -> i64 {
        self.journal.tally().undelivered()
    }

    /// A stamp that comes before those of all facts that are made after this.
    pub(crate) fn stamp(&self, now: Timestamp) -> Stamp {
        self.clock.next(now)
    }

    /// A fact of a bill that comes after `known`, the latest stamp that is known of the bill.
    pub(crate) fn fact(&self, bill: &Bill, known: Stamp, now: Timestamp, kind: FactKind) -> Fact {
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
    pub(crate) const fn ahead_at_start(&self) -> u64 {
        self.ahead_at_start
    }

    /// Folds an entry's facts and queues it, both under the biller's lock, so that the journal
    /// has a biller's facts in the order in which they were decided.
    pub(crate) fn record(&self, state: &mut BookState, entry: Entry) -> Commit {
        let fold = |fact: &Fact| {
            // Some facts carry the stamp of another node's payment.
            self.observe(fact.stamp);
            self.refused_links.note(fact);
            self.filter().insert(bill_hash(&fact.bill));
            state.fold(fact)
        };
        let effects: Vec<Option<Effect>> = entry.facts().iter().map(fold).collect();
        self.journal.append(entry.with_effects(effects))
    }

    pub(crate) fn record_one(&self, bill: &Bill, now: Timestamp, kind: FactKind) -> Commit {
        self.record_of_request(bill, now, kind, FactContext::NONE)
    }

    /// The same for a fact that a call made.
    pub(crate) fn record_of_request(
        &self,
        bill: &Bill,
        now: Timestamp,
        kind: FactKind,
        context: FactContext,
    ) -> Commit {
        self.record_after(bill, Stamp::default(), now, (kind, context))
    }

    /// The same with a stamp after `known` too, which others have of the bill.
    pub(crate) fn record_after(
        &self,
        bill: &Bill,
        known: Stamp,
        now: Timestamp,
        (kind, context): (FactKind, FactContext),
    ) -> Commit {
        let book = self.book_of(bill);
        let mut state = book.lock();
        let known = known.max(state.latest(bill));
        let fact = self.fact(bill, known, now, kind);
        self.record(&mut state, Entry::of(vec![fact]).with_context(context))
    }

    /// Waits until the journal has committed something since this was awaited last.
    pub(crate) async fn committed_any(&self) {
        self.has_committed.notified().await;
    }

    /// Waits for a commit and marks its rows as journalled.
    pub(crate) async fn committed(&self, commit: Commit) -> Result<Rows, Arc<JournalError>> {
        let rows = commit.committed().await?;
        self.marks.journalled(rows);
        Ok(rows)
    }
}

/// The hash under which the filter has a bill.
fn bill_hash(bill: &Bill) -> u64 {
    filter::mixed(Reader::bill_hash(bill))
}
