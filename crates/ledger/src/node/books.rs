//! The billers' books, and the bound that they have together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use protocol::BillerCode;

use super::book::Book;
use super::cache::Cache;
use crate::journal::Entry;

/// Books that are compared when bytes must go; the largest of them gives some up.
const SAMPLE: usize = 4;

/// States that one book gives up at once: its lock is held so long.
const EVICTED_AT_ONCE: usize = 32;

/// Rounds of one call that makes room.
const ROUNDS: usize = 16;

/// The billers' books; one for every biller that has a bill, bounded by the registered billers and those that the
/// journal knows.
#[derive(Debug)]
pub(crate) struct Books {
    known: RwLock<Known>,
    cache: Arc<Cache>,
    /// Where the next sample begins.
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    by_biller: HashMap<BillerCode, Arc<Book>>,
    all: Vec<Arc<Book>>,
}

impl Books {
    pub(crate) fn new(cache: Arc<Cache>) -> Self {
        Self {
            known: RwLock::default(),
            cache,
            next: AtomicUsize::new(0),
        }
    }

    pub(crate) const fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Returns the book of a biller, made where it is missing.
    pub(crate) fn of(&self, biller: BillerCode) -> Arc<Book> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = known.by_biller.get(&biller) {
            return Arc::clone(book);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Known { by_biller, all } = &mut *known;
        let book = by_biller.entry(biller).or_insert_with(|| {
            let book = Arc::new(Book::new(Arc::clone(&self.cache)));
            all.push(Arc::clone(&book));
            book
        });
        Arc::clone(book)
    }

    /// Returns the book of one biller, or all of them.
    pub(crate) fn some_or_all(&self, biller: Option<BillerCode>) -> Vec<Arc<Book>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match biller {
            Some(biller) => known.by_biller.get(&biller).cloned().into_iter().collect(),
            None => known.all.clone(),
        }
    }

    /// The journal has committed an entry: what it says need not stay in memory.
    pub(crate) fn committed(&self, entry: &Entry) {
        for fact in entry.facts() {
            self.of(fact.bill.biller_code()).committed(fact);
        }
        if let Some((biller, message)) = entry.answered() {
            self.of(biller).answer_committed(message);
        }
        for bill in entry.forgotten_bills() {
            self.of(bill.biller_code()).lock().left(bill);
        }
        self.make_room();
    }

    /// Evicts states until the bound is kept. The largest of a few books gives first, so that one biller's many bills do
    /// not drive out another's few.
    pub(crate) fn make_room(&self) {
        for _ in 0..ROUNDS {
            if !self.cache.is_over() {
                return;
            }
            let largest = self.sample().into_iter().max_by_key(|(bytes, _)| *bytes);
            let Some((_, book)) = largest else {
                return;
            };
            book.lock().evict(EVICTED_AT_ONCE);
        }
    }

    fn sample(&self) -> Vec<(usize, Arc<Book>)> {
        let first = self.next.fetch_add(SAMPLE, Ordering::Relaxed);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let count = known.all.len();
        let picked = (0..SAMPLE.min(count)).map(|offset| &known.all[(first + offset) % count]);
        let picked: Vec<Arc<Book>> = picked.cloned().collect();
        drop(known);
        let with_bytes = |book: Arc<Book>| {
            let bytes = book.lock().bytes();
            (bytes, book)
        };
        picked.into_iter().map(with_bytes).collect()
    }
}
