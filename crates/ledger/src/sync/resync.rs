//! What the shared state missed, lost or forgot, each node writes to it again from its journal.
//!
//! A thread of its own, so that catching up never takes a worker's time. It goes through the
//! journal from the cursor on, in order and in batches, and writes what this node knows of every
//! bill that it meets there. A server that is another than before, or was wiped, rewinds the
//! cursor to the beginning. What cannot be shared now is left behind, and tried again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::Share;
use super::progress::Progress;
use crate::journal::{Cursor, Entry};
use crate::node::Node;
use crate::shared::Identity;

/// How often the journal is looked through for facts that are not shared.
const EVERY: Duration = Duration::from_millis(500);

/// A call shares its own facts within this time; only then is it the resync's turn.
const CALLS_FIRST: Duration = Duration::from_secs(1);

/// The running thread; ends when dropped.
#[derive(Debug)]
pub(crate) struct Resync {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Resync {
    /// Starts catching up for a node.
    pub(crate) fn start(node: Arc<Node>, share: Share) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = thread::Builder::new().name("share".into()).spawn(move || {
            runtime.block_on(Worker::new(node, share.patiently()).run(stopped));
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Resync {
    fn drop(&mut self) {
        // The wait below would be for ever without this; nobody listening means it has ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    node: Arc<Node>,
    share: Share,
    /// The cursor as it was written down last.
    written: Cursor,
    /// Who has what is marked, those included that are out of reach now.
    shared_with: Option<Identity>,
    /// Who was in reach when that was last looked at.
    present: Option<Identity>,
    ripe: Ripe,
    progress: Progress,
}

impl Worker {
    fn new(node: Arc<Node>, share: Share) -> Self {
        let reader = node.journal().reader();
        let written = reader.cursor().unwrap_or_else(|error| {
            tracing::error!(%error, "the cursor of the shared state cannot be read");
            Cursor {
                shared_up_to: 0,
                shared_with: String::new(),
            }
        });
        Self {
            shared_with: Identity::parse(&written.shared_with),
            written,
            present: None,
            // What a former process journalled, no call of this one is about to share.
            ripe: Ripe::new(reader.last_row().unwrap_or_default()),
            progress: Progress::new(node.marks().epoch()),
            node,
            share,
        }
    }

    async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let present = self.share.store().present();
        while timeout(EVERY, stopped.changed()).await.is_err() {
            match self.node.journal().reader().last_row() {
                Ok(last) => self.ripe.look(last, Instant::now()),
                Err(error) => tracing::error!(%error, "catching up: journal"),
            }
            let now = present.borrow().clone();
            self.meet(now);
            if self.present.is_none() {
                continue;
            }
            let ripe = self.ripe.up_to;
            let round = self.progress.go_on(&self.node, &self.share, ripe, &stopped);
            if let Err(error) = round.await {
                tracing::error!(%error, "catching up: journal");
            }
            self.write_cursor();
        }
    }

    /// Looks who is in reach. Whoever comes, or comes back, is caught up at once; one who is another
    /// than before has nothing of what was shared.
    fn meet(&mut self, present: Option<Identity>) {
        if self.present != present {
            self.progress.begin_anew(self.node.marks().epoch());
            self.present = present;
        }
        let Some(present) = &self.present else {
            return;
        };
        let met = self.shared_with.as_ref().map(|known| known.met_by(present));
        let met = met.unwrap_or_else(|| present.clone());
        if self.shared_with.as_ref() != Some(&met) {
            tracing::warn!(
                "the shared state, or a part of it, is another, or was wiped: writing it from the \
                 journal"
            );
            self.node.marks().rewind();
            self.shared_with = Some(met);
        }
    }

    fn write_cursor(&mut self) {
        let shared_with = self.shared_with.as_ref();
        let cursor = Cursor {
            shared_up_to: self.node.marks().up_to(),
            shared_with: shared_with.map(ToString::to_string).unwrap_or_default(),
        };
        if cursor != self.written {
            // Written when it can be; a cursor that lags makes work twice, never wrong.
            drop(self.node.journal().append(Entry::shared(cursor.clone())));
            self.written = cursor;
        }
    }
}

/// Which rows are old enough to be the resync's, by a clock that nobody sets.
struct Ripe {
    up_to: i64,
    /// The last row of the journal at a few moments since then.
    seen: VecDeque<(Instant, i64)>,
}

impl Ripe {
    const fn new(up_to: i64) -> Self {
        Self {
            up_to,
            seen: VecDeque::new(),
        }
    }

    fn look(&mut self, last: i64, now: Instant) {
        while let Some((at, row)) = self.seen.front().copied()
            && now.duration_since(at) >= CALLS_FIRST
        {
            self.up_to = row;
            self.seen.pop_front();
        }
        self.seen.push_back((now, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_ripe_a_second_after_it_was_seen() {
        let start = Instant::now();
        let mut ripe = Ripe::new(3);
        for (after, last, expected) in [(0, 5, 3), (500, 8, 3), (1_000, 9, 5), (1_600, 9, 8)] {
            ripe.look(last, start + Duration::from_millis(after));
            assert_eq!(ripe.up_to, expected, "{after}");
        }
    }
}
