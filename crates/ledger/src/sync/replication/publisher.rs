//! The [`Publisher`] puts this journal's own facts into the node's stream, in the order of their numbers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::entry::StreamFacts;
use super::published::{Top, published, told_by_others};
use super::{BYTES_AT_ONCE, FACTS_AT_ONCE, ReplicationSettings, WITHIN};
use crate::journal::{Entry, Reader, Records};
use crate::node::Node;
use crate::redis::{CommonKey, OutOfReach, StreamEntry};
use crate::sync::Share;
use crate::{Author, JournalError};

/// Without a commit the publisher looks so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After an error it tries again so soon.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How far it is, is written down, and the stream trimmed, so often.
const KEEP_HOUSE_EVERY: Duration = Duration::from_secs(1);

/// A node that never published begins with so many of its last facts; the others ask for what is before.
const FIRST_FACTS: i64 = 4_096;

/// Puts own facts into the stream.
pub(super) struct Publisher {
    node: Arc<Node>,
    share: Share,
    settings: ReplicationSettings,
    author: Author,
    /// All own facts up to this number are in the stream; `None` until the stream was looked at.
    position: Option<i64>,
    /// As it was written to the journal last.
    written: i64,
    /// As it was written when this process began; nothing that came later is certain of a journal that was rolled back.
    written_at_start: Option<i64>,
    /// The last entry that is known to be in the stream.
    known_position: i64,
    /// The last numbers of entries, and the bytes of each.
    sizes: VecDeque<(i64, u64)>,
    bytes: u64,
    trimmed_up_to: i64,
    /// Whether as many replicas as wanted have what is in the stream.
    is_copied: bool,
    kept_house: Instant,
    /// It was logged that the journal is older than its stream.
    is_rolled_back: bool,
}

/// Reads the own facts behind a number. One that cannot be read is left out, so that it keeps no other from being
/// published.
fn read(reader: &Reader, position: i64) -> Result<Records, JournalError> {
    let whole = reader.records_after(None, position, (FACTS_AT_ONCE, BYTES_AT_ONCE));
    let Err(error) = whole else {
        return whole;
    };
    let first = reader.records_after(None, position, (1, BYTES_AT_ONCE));
    if first.is_ok() || reader.own_last()? <= position {
        return first;
    }
    tracing::error!(%error, number = position + 1, "a fact of this node cannot be read: no other node gets it");
    Ok(Records {
        records: Vec::new(),
        last: position + 1,
        has_more: true,
    })
}

/// Why nothing could be published.
enum Fault {
    Redis(OutOfReach),
    Journal(JournalError),
    /// The stream has facts that this journal does not have.
    RolledBack,
}

impl From<OutOfReach> for Fault {
    fn from(why: OutOfReach) -> Self {
        Self::Redis(why)
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Publisher {
    pub(super) fn new(node: Arc<Node>, share: Share, settings: ReplicationSettings) -> Self {
        Self {
            author: share.replica().author(),
            node,
            share,
            settings,
            position: None,
            written: 0,
            written_at_start: None,
            known_position: 0,
            sizes: VecDeque::new(),
            bytes: 0,
            trimmed_up_to: 0,
            is_copied: true,
            kept_house: Instant::now(),
            is_rolled_back: false,
        }
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let reader = match self.node.journal().reader().another() {
            Ok(reader) => reader,
            Err(error) => {
                tracing::error!(%error, "facts are not published: the journal cannot be read");
                return;
            }
        };
        loop {
            let pause = match self.publish(&reader).await {
                Ok(()) => LOOK_EVERY,
                Err(fault) => {
                    self.failed(&fault);
                    // A server without memory takes this, and then entries again.
                    self.trim().await;
                    TRY_AGAIN_AFTER
                }
            };
            let node = Arc::clone(&self.node);
            tokio::select! {
                _ = stopped.changed() => return,
                _ = timeout(pause, node.committed_any()) => {}
            }
        }
    }

    /// Publishes all that the journal has.
    async fn publish(&mut self, reader: &Reader) -> Result<(), Fault> {
        let mut position = match self.position {
            Some(position) => position,
            None => self.look(reader).await?,
        };
        // Another node may be heard of late.
        if told_by_others(&self.share) > position.max(reader.own_last()?) {
            return Err(Fault::RolledBack);
        }
        loop {
            let row = self.node.journal().tally().last_row().max(0);
            let read = read(reader, position)?;
            let Records {
                records,
                last,
                has_more,
            } = read;
            if last == position {
                self.set_published(Some(row));
                break;
            }
            self.append(position, last, records).await?;
            position = last;
            self.share.replica().own_last(last);
            self.set_published((!has_more).then_some(row));
        }
        self.keep_house().await;
        Ok(())
    }

    /// Redis takes entries; all facts up to this row of the journal are in the stream, where it is known.
    fn set_published(&self, row: Option<i64>) {
        let row = row.filter(|_| self.is_copied);
        self.share.replica().publish(|published| {
            published.is_reachable = true;
            published.row = row.unwrap_or_default().max(published.row);
        });
    }

    /// Puts one entry into the stream.
    async fn append(
        &mut self,
        after: i64,
        last: i64,
        records: Vec<(i64, crate::FactRecord)>,
    ) -> Result<(), Fault> {
        let stream = CommonKey::Stream(self.author);
        let facts = StreamFacts {
            author: self.author,
            after,
            last,
            sent_at: self.node.now(),
            records,
        };
        let value = facts.seal(self.share.seal(), stream);
        let appended = self
            .share
            .store()
            .append(stream, (last, &value), self.settings.wait_replicas, WITHIN)
            .await;
        match appended {
            Ok(is_copied) => self.is_copied = is_copied,
            Err(why) => {
                // It may be there or not: the stream says.
                self.position = None;
                return Err(why.into());
            }
        }
        self.position = Some(last);
        let bytes = value.len() as u64;
        self.sizes.push_back((last, bytes));
        self.bytes += bytes;
        Ok(())
    }

    /// Finds out how far the stream is.
    async fn look(&mut self, reader: &Reader) -> Result<i64, Fault> {
        let own_last = reader.own_last()?;
        let written = reader.known_to(self.author)?;
        self.written = written;
        self.written_at_start.get_or_insert(written);
        self.share.replica().own_last(own_last);
        let published = published(&self.share).await?;
        if published.are_of_another(reader, own_last)? {
            return Err(Fault::RolledBack);
        }
        let position = match published.top {
            Top::Entry(top) => {
                self.estimate(&top).await?;
                top.number
            }
            Top::Strange => {
                tracing::error!(
                    "the last entry of this node's stream in Redis was not written by it, or is damaged: the stream is \
                     begun anew"
                );
                self.share.refused_entry();
                let stream = CommonKey::Stream(self.author);
                self.share.store().remove(stream, WITHIN).await?;
                written
            }
            Top::None if written == 0 => (own_last - FIRST_FACTS).max(0),
            Top::None => written,
        };
        self.position = Some(position);
        Ok(position)
    }

    /// Counts what the stream has from before this process, about.
    async fn estimate(&mut self, top: &StreamEntry) -> Result<(), Fault> {
        if self.sizes.is_empty() {
            let stream = CommonKey::Stream(self.author);
            let entries = self.share.store().count_entries(stream, WITHIN).await?;
            let bytes = entries.saturating_mul(top.value.len() as u64);
            self.sizes.push_back((top.number, bytes));
            self.bytes = bytes;
        }
        Ok(())
    }

    /// Writes down how far it is, and trims the stream.
    async fn keep_house(&mut self) {
        let Some(position) = self.position else {
            return;
        };
        if self.kept_house.elapsed() < KEEP_HOUSE_EVERY {
            return;
        }
        self.kept_house = Instant::now();
        if position != self.written {
            drop(
                self.node
                    .journal()
                    .append(Entry::published(self.author, position)),
            );
            self.written = position;
        }
        self.known_position = position;
        self.trim().await;
    }

    /// Takes out of the stream what all nodes have, or what is too much.
    async fn trim(&mut self) {
        let mut trim = self.known_to_all();
        while self.bytes > self.settings.stream_bytes
            && let Some((last, bytes)) = self.sizes.pop_front()
        {
            self.bytes -= bytes;
            trim = trim.max(last);
        }
        // The last entry stays: it says how far the stream is.
        let trim = trim.min(self.known_position - 1);
        if trim <= self.trimmed_up_to {
            return;
        }
        let stream = CommonKey::Stream(self.author);
        if self.share.store().trim(stream, trim, WITHIN).await.is_ok() {
            self.trimmed_up_to = trim;
            while let Some((last, bytes)) = self.sizes.front().copied()
                && last <= trim
            {
                self.sizes.pop_front();
                self.bytes -= bytes;
            }
        }
    }

    /// Returns up to which number all other nodes have this author's facts.
    fn known_to_all(&self) -> i64 {
        let nodes = self.share.replica().nodes();
        let nodes = nodes.borrow();
        let others = nodes.iter().filter(|known| known.node != self.author.node);
        let replicas = others.filter_map(|known| known.replica.as_ref());
        let told = replicas.map(|replica| replica.has_up_to(self.author)).min();
        let is_listed = nodes.iter().any(|known| known.node == self.author.node);
        // Before the list was read nobody knows who there is. What no other node is known to have has its second copy in
        // the stream alone: one that joins now is on the list a second later.
        told.filter(|_| is_listed).unwrap_or_default()
    }

    fn failed(&mut self, fault: &Fault) {
        let was = self.share.replica().published().borrow().is_reachable;
        self.share
            .replica()
            .publish(|published| published.is_reachable = false);
        match fault {
            Fault::Redis(why) if was => {
                tracing::warn!(%why, "this node's facts cannot be published now: new ones are on its disk alone");
            }
            Fault::Journal(error) => {
                tracing::error!(%error, "facts are not published: the journal cannot be read");
            }
            Fault::RolledBack if !self.is_rolled_back => {
                self.is_rolled_back = true;
                // What was published since is published again, under the new identity.
                let certain = self.written_at_start.unwrap_or_default();
                let certain = Entry::published(self.author, certain);
                drop(self.node.journal().append(certain));
                tracing::error!(
                    "other nodes have facts of this journal that it does not have: its disk was rolled back. Its new \
                     facts are published after a restart, under another identity"
                );
            }
            Fault::Redis(_) | Fault::RolledBack => {}
        }
    }
}
