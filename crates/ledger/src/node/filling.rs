//! Fills the filter from the journal's index after a start, in the background.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::{Node, filter};
use crate::JournalError;
use crate::journal::Reader;

/// Hashes that are read at once: a read that takes long would keep the write-ahead log from being cut.
const HASHES_AT_ONCE: usize = 16_384;

/// The thread that fills the filter. Its drop ends it.
#[derive(Debug)]
pub(crate) struct FillingThread {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FillingThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system cannot start one.
    pub(crate) fn start(node: Arc<Node>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("ledger-filter".into())
            .spawn(move || {
                let reader = node.journal().reader().another();
                let filled = reader.and_then(|reader| fill(&node, &reader, &stopped));
                if let Err(error) = filled {
                    tracing::error!(%error, "the filter of known bills cannot be filled: unknown bills are looked up in the journal");
                }
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for FillingThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn fill(node: &Node, reader: &Reader, stop: &AtomicBool) -> Result<(), JournalError> {
    let filter = node.filter();
    if !filter.has_room() {
        return Ok(());
    }
    let mut first = Some(i64::MIN);
    while let Some(from) = first {
        if stop.load(Ordering::Acquire) {
            return Ok(());
        }
        let last = reader.for_some_bill_hashes(from, HASHES_AT_ONCE, |hash| {
            filter.insert(filter::mixed(hash));
        })?;
        first = last.and_then(|last| last.checked_add(1));
    }
    filter.is_filled_now();
    Ok(())
}
