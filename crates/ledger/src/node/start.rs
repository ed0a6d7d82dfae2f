//! The start of a node: the journal is opened, and what the last stop cut off is settled.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use super::Node;
use super::books::Books;
use super::cache::Cache;
use super::cursor::Marks;
use super::doubtful::DoubtfulValues;
use super::refused::RefusedIndex;
use super::refused_links::RefusedLinks;
use crate::journal::{Commit, Entry, Journal, JournalSettings, NumberedFact, Reader};
use crate::redis::WallClock;
use crate::state::horizon::Horizon;
use crate::{DeliveryState, FactContext, FactKind, HybridLogicalClock, JournalError, Timestamp};

impl Node {
    /// Opens the journal. No state is loaded.
    ///
    /// Calls that a crash cut off after the payment was journalled have no delivery yet: whether
    /// the biller heard of them is unknown, and that becomes a fact here.
    pub(crate) fn open(
        directory: &Path,
        settings: &JournalSettings,
        cache_bytes: usize,
        (wall, now): (WallClock, Timestamp),
    ) -> Result<Self, JournalError> {
        let books = Arc::new(Books::new(Arc::new(Cache::new(cache_bytes))));
        let has_committed = Arc::new(Notify::new());
        let on_commit = {
            let (books, has_committed) = (Arc::clone(&books), Arc::clone(&has_committed));
            Box::new(move |entry: &Entry| {
                books.committed(entry);
                has_committed.notify_one();
            })
        };
        let journal = Journal::open(directory, settings, on_commit)?;
        let reader = journal.reader();
        let horizon = Horizon::at(now);
        let named = |error: JournalError| error.of(journal.path());
        let mut span = reader.stamps(&horizon).map_err(named)?;
        if span.beyond_belief > 0 {
            let facts = journal.mend_stamps(horizon.believed()).map_err(named)?;
            tracing::error!(
                facts,
                "the journal had facts with stamps that no clock shows, as a forged value in Redis leaves them: each \
                 has its place in the order of the journal now"
            );
            span = reader.stamps(&horizon).map_err(named)?;
        }
        let found = Found::at(&reader, now).map_err(named)?;
        let last_row = reader.last_row().map_err(named)?;
        let shared_up_to = reader.cursor().map_err(named)?.shared_up_to;
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
            marks: Marks::new(shared_up_to, last_row),
            journal,
            books,
            refused_links: found.refused_links,
            refused: found.refused,
            has_committed,
        };
        node.settle_what_was_cut_off(now)?;
        Ok(node)
    }

    /// Calls that the last stop cut off between the journal and the biller: whether the biller heard of them is unknown.
    fn settle_what_was_cut_off(&self, now: Timestamp) -> Result<(), JournalError> {
        let cut_off = self.journal.reader().cut_off_payments();
        let cut_off = cut_off.map_err(|error| error.of(self.journal.path()))?;
        if cut_off.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            payments = cut_off.len(),
            "pay-results were cut off by the last stop: whether their billers heard of them is unknown"
        );
        let last = self.settle_as_unknown(cut_off, now);
        // The writer commits them in order. Where it cannot write now, it does later.
        if let Some(Err(error)) = last.map(Commit::committed_at_start) {
            tracing::error!(%error, "what was cut off is not in the journal yet");
        }
        Ok(())
    }

    /// Whether the billers heard of these payments is unknown, and that becomes a fact of each. Returns the last commit.
    pub(crate) fn settle_as_unknown(
        &self,
        cut_off: Vec<NumberedFact>,
        now: Timestamp,
    ) -> Option<Commit> {
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
        last
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
