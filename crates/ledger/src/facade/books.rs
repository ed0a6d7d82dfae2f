//! The billers' books, and how they are filled from a journal.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use protocol::BillerCode;

use super::refused_links::RefusedLinks;
use crate::book::Book;
use crate::journal::Reader;
use crate::refused::RefusedIndex;
use crate::{FactKind, JournalError};

/// The billers' books; one for every biller that has a bill, bounded by the registered billers
/// and those that the journal knows.
pub(super) type Books = RwLock<HashMap<BillerCode, Arc<Book>>>;

/// Returns the book of a biller, made where it is missing.
pub(super) fn book(books: &Books, biller: BillerCode) -> Arc<Book> {
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

/// What the facts of a journal come to.
pub(super) struct Folded {
    pub(super) books: Books,
    pub(super) undelivered: AtomicI64,
    pub(super) refused_links: RefusedLinks,
    pub(super) refused: RefusedIndex,
}

impl Folded {
    pub(super) fn of(reader: &Reader) -> Result<Self, JournalError> {
        let books = Books::default();
        let undelivered = AtomicI64::new(0);
        let refused_links = RefusedLinks::default();
        let refused = RefusedIndex::default();
        reader.for_each_refused(|message, biller, bytes, closed_at| {
            refused.load(message, biller, bytes, closed_at);
        })?;
        reader.for_each_fact(|fact| {
            let delta = book(&books, fact.bill.biller_code()).lock().fold(&fact);
            undelivered.fetch_add(delta, Ordering::Relaxed);
            refused_links.note(&fact);
            if let FactKind::PayResultRefused { message } = &fact.kind {
                refused.mark(message, &fact.bill);
            }
        })?;
        Ok(Self {
            books,
            undelivered,
            refused_links,
            refused,
        })
    }
}
