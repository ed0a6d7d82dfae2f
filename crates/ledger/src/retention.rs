//! Forgetting: what is older than the retention leaves memory and journal, so that neither grows
//! for ever. A bill goes whole, with its pay-results, once its last fact is old enough.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::facade::Node;
use crate::{JournalError, Stamp, Timestamp};

/// How often the journal is looked through.
const EVERY: Duration = Duration::from_hours(1);

/// Bills forgotten in one commit, so that no call waits long behind it.
const BATCH: usize = 500;

/// The running thread; ends when dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Forgets what is older than `retention`, once an hour.
    pub(crate) fn start(node: Arc<Node>, retention: Duration) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new()
            .name("retention".into())
            .spawn(move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    match delete_bills_before(&node, Timestamp::now().minus(retention)) {
                        Ok(0) => {}
                        Ok(bills) => tracing::info!(bills, "forgotten: older than the retention"),
                        Err(error) => tracing::error!(%error, "old bills could not be forgotten"),
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The thread waits on the other end of this channel.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Forgets every bill of which the last fact is older than `before`; answers how many.
pub(crate) fn delete_bills_before(node: &Node, before: Timestamp) -> Result<usize, JournalError> {
    let reader = node.journal().reader().another()?;
    let before = Stamp::time_of(before);
    let mut forgotten = 0;
    loop {
        let bills = reader.stale_bills(before, BATCH)?;
        if bills.is_empty() {
            return Ok(forgotten);
        }
        let messages = bills.iter().map(|bill| reader.messages_of(bill));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        let stale = bills.iter().cloned().zip(messages).collect();
        node.forget(stale, before).blocking_committed()?;
        // A fact that came in between is young: its row stayed, and memory takes it back.
        for bill in &bills {
            reader
                .facts_of(bill)?
                .iter()
                .for_each(|fact| node.fold_again(fact));
        }
        forgotten += bills.len();
    }
}
