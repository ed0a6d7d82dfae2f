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
mod hash;
mod links;
mod local;
pub(crate) mod refused;
pub(crate) mod refused_links;
mod resident;
pub(crate) mod retention;
mod slot;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use protocol::{Bill, BillerCode};

pub(crate) use book::{Book, BookState};
use books::Books;
use cache::Cache;
pub use cache::CacheFigures;
pub use claim::{Claim, ClaimGuard, UnderWay};
pub(crate) use cursor::{Epoch, Marks};
pub use decision::{BillView, LinkRefusal};
use doubtful::DoubtfulValues;
pub(crate) use filling::FillingThread;
pub(crate) use local::Local;
pub use refused::{REFUSED_BOUND, REFUSED_BYTES_BOUND};
use refused_links::RefusedLinks;
pub(crate) use resident::{Others, Resident};

use crate::journal::{
    Commit, Effect, Entry, Journal, JournalSettings, NumberedFact, Reader, Readers, Rows,
};
use crate::node::refused::RefusedIndex;
use crate::redis::WallClock;
use crate::state::horizon::Horizon;
use crate::{
    DeliveryState, Fact, FactContext, FactKind, HybridLogicalClock, JournalError, Stamp, Timestamp,
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
    books: Arc<Books>,
    marks: Marks,
    refused_links: RefusedLinks,
    refused: RefusedIndex,
}

impl Node {
    /// Opens the journal. No state is loaded.
    ///
    /// Calls that a crash cut off after the payment was journalled have no delivery yet: whether
    /// the biller heard of them is unknown, and that becomes a fact here.
    pub(crate) fn open(
        directory: &Path,
        settings: JournalSettings,
        cache_bytes: usize,
        (wall, now): (WallClock, Timestamp),
    ) -> Result<Self, JournalError> {
        let books = Arc::new(Books::new(Arc::new(Cache::new(cache_bytes))));
        let on_commit = {
            let books = Arc::clone(&books);
            Box::new(move |entry: &Entry| books.committed(entry))
        };
        let journal = Journal::open(directory, settings, on_commit)?;
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
        let found = Found::at(&reader, now).map_err(named)?;
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
            refused_links: found.refused_links,
            refused: found.refused,
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

    /// Waits for a commit and marks its rows as journalled.
    pub(crate) async fn committed(&self, commit: Commit) -> Result<Rows, Arc<JournalError>> {
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
        let mut last = None;
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
            last = Some(self.record_of_request(&fact.bill, now, kind, context));
        }
        // The writer commits them in order. Where it cannot write now, it does later.
        if let Some(Err(error)) = last.map(Commit::committed_at_start) {
            tracing::error!(%error, "what was cut off is not in the journal yet");
        }
        Ok(())
    }
}

/// What a start reads of the journal.
struct Found {
    refused_links: RefusedLinks,
    refused: RefusedIndex,
}

impl Found {
    fn at(reader: &Reader, now: Timestamp) -> Result<Self, JournalError> {
        let (refused_links, refused) = (RefusedLinks::default(), RefusedIndex::default());
        reader.for_each_refused(|message, biller, bytes, closed_at| {
            refused.load(message, biller, bytes, closed_at);
        })?;
        reader.for_each_refusal(|message, bill| {
            refused.mark(message, bill);
        })?;
        refused_links.load(reader.refused_link_bills(RefusedLinks::MOST)?, now);
        Ok(Self {
            refused_links,
            refused,
        })
    }
}

/// The hash under which the filter has a bill.
fn bill_hash(bill: &Bill) -> u64 {
    filter::mixed(Reader::bill_hash(bill))
}
