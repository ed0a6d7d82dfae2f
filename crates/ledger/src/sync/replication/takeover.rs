//! Payments whose author died between its journal and the biller: another node says that their outcome is not known.
//!
//! A node that starts again does that itself for what it took. Where it does not, the payments would be on no list, and
//! nobody would deliver them again.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::journal::Reader;
use crate::node::Node;
use crate::sync::Share;
use crate::{Author, JournalError};

/// The authors that are away are looked at so often.
const EVERY: Duration = Duration::from_secs(1);

/// Payments that are settled in one step.
const AT_ONCE: usize = 200;

/// The pause between two steps, in which calls have the journal to themselves.
const PAUSE: Duration = Duration::from_millis(20);

/// The thread that settles them. Its drop ends the thread.
#[derive(Debug)]
pub(super) struct Takeover {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Takeover {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(super) fn start(node: Arc<Node>, share: Share) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new()
            .name("takeover".into())
            .spawn(move || {
                let goes_on = |pause| stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
                let mut worker = Worker {
                    node,
                    share,
                    settled_up_to: BTreeMap::new(),
                };
                while goes_on(EVERY) {
                    if let Err(error) = worker.round(goes_on) {
                        tracing::error!(
                            %error,
                            "payments that a node left without a delivery could not be settled"
                        );
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Takeover {
    fn drop(&mut self) {
        // The closed channel ends the wait of the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    node: Arc<Node>,
    share: Share,
    /// Up to which number an author's facts have been looked at since it is away.
    settled_up_to: BTreeMap<Author, i64>,
}

impl Worker {
    fn round(&mut self, goes_on: impl Fn(Duration) -> bool) -> Result<(), JournalError> {
        let replica = self.share.replica();
        let authors = replica.authors_to_act_for(self.node.now());
        self.settled_up_to
            .retain(|author, _| authors.contains(author));
        for author in authors {
            // Facts of it may still come from a stream, or from another node.
            let known_to = self.share.replica().known_to(author);
            if self.settled_up_to.get(&author) == Some(&known_to) {
                continue;
            }
            if !self.settle(author, &goes_on)? {
                return Ok(());
            }
            self.settled_up_to.insert(author, known_to);
        }
        Ok(())
    }

    /// Settles what an author left. Returns whether that was all.
    fn settle(
        &self,
        author: Author,
        goes_on: &impl Fn(Duration) -> bool,
    ) -> Result<bool, JournalError> {
        let reader: Reader = self.node.journal().reader().another()?;
        let mut first_row = None;
        loop {
            if !self.node.journal().is_writable() {
                return Ok(false);
            }
            let cut_off = reader.cut_off_payments_of(author, AT_ONCE)?;
            let count = cut_off.len();
            let first = cut_off.first().map(|cut_off| cut_off.row);
            if first.is_some() && first == first_row {
                return Err(JournalError::Row("open".to_owned()));
            }
            first_row = first;
            let last = self.node.settle_as_unknown(cut_off, self.node.now());
            if let Some(last) = last {
                tracing::warn!(
                    %author,
                    payments = count,
                    "a node that is gone left payments of which no delivery is known: their outcome is unknown from now on"
                );
                last.blocking_committed()?;
            }
            if count < AT_ONCE {
                return Ok(true);
            }
            if !goes_on(PAUSE) {
                return Ok(false);
            }
        }
    }
}
