//! The [`Publisher`] puts this journal's own facts into the node's stream, in the order of their numbers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::entry::StreamFacts;
use super::own_stream::OwnStream;
use super::published::{Top, published, told_by_others};
use super::{BYTES_AT_ONCE, FACTS_AT_ONCE, ReplicationSettings};
use crate::journal::{Entry, Reader, Records};
use crate::node::Node;
use crate::redis::{Appended, OutOfReach};
use crate::sync::Share;
use crate::{Author, FactRecord, JournalError};

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
    author: Author,
    stream: OwnStream,
    /// All own facts up to this number are in the stream; `None` until the stream was looked at.
    position: Option<i64>,
    /// The number of the last entry, where the stream did not take it because it has, or had, a greater one.
    not_above: Option<i64>,
    /// The position as it was written to the journal last.
    written: i64,
    /// As it was written when this process began; nothing that came later is certain of a journal that was rolled back.
    written_at_start: Option<i64>,
    /// Whether as many replicas as wanted have what is in the stream.
    is_copied: bool,
    kept_house: Instant,
    /// Others have facts under this journal's numbers that it does not have: it publishes no more.
    is_rolled_back: bool,
}

/// Why nothing could be published.
enum Fault {
    Redis(OutOfReach),
    Journal(JournalError),
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
        let bounds = (settings.stream_bytes, settings.wait_replicas);
        Self {
            author: share.replica().author(),
            stream: OwnStream::new(share.clone(), bounds),
            node,
            share,
            position: None,
            not_above: None,
            written: 0,
            written_at_start: None,
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
                    self.stream.trim(self.known_to_all()).await;
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
        if self.is_rolled_back {
            return Err(Fault::RolledBack);
        }
        let mut position = match self.position {
            Some(position) => position,
            None => self.look(reader).await?,
        };
        self.keep_house(position, reader).await?;
        loop {
            let row = self.node.journal().tally().last_row().max(0);
            let Records {
                records,
                last,
                has_more,
            } = read(reader, position)?;
            if last == position {
                self.set_published(Some(row));
                return Ok(());
            }
            self.append((position, last), records).await?;
            position = last;
            self.share.replica().own_last(last);
            self.set_published((!has_more).then_some(row));
        }
    }

    /// Finds out how far the stream is.
    async fn look(&mut self, reader: &Reader) -> Result<i64, Fault> {
        let own_last = reader.own_last()?;
        self.written = reader.known_to(self.author)?;
        self.written_at_start.get_or_insert(self.written);
        self.share.replica().own_last(own_last);
        let published = published(&self.share).await?;
        if published.are_of_another(reader, own_last)? {
            return Err(Fault::RolledBack);
        }
        let not_above = self.not_above.take();
        let is_usable = |number: i64| not_above.is_none_or(|refused| refused <= number);
        let position = match published.top {
            Top::Entry(top) if is_usable(top.number) => {
                self.stream.count_former(&top).await?;
                top.number
            }
            Top::None if not_above.is_none() => match self.written {
                0 => (own_last - FIRST_FACTS).max(0),
                written => written,
            },
            Top::Entry(_) | Top::None | Top::Strange => {
                tracing::error!(
                    "somebody else has written to this node's stream in Redis, or damaged it: the stream is begun anew"
                );
                self.share.refused_entry();
                self.stream.remove().await?;
                self.written
            }
        };
        self.position = Some(position);
        Ok(position)
    }

    /// Puts one entry into the stream.
    async fn append(
        &mut self,
        (after, last): (i64, i64),
        records: Vec<(i64, FactRecord)>,
    ) -> Result<(), Fault> {
        let facts = StreamFacts {
            author: self.author,
            after,
            last,
            records,
        };
        let value = facts.seal(self.share.seal(), self.stream.key());
        // Where that fails, it may be there or not: the stream says.
        self.position = None;
        match self.stream.append(last, &value).await? {
            Appended::Everywhere => self.is_copied = true,
            Appended::NotOnReplicas => self.is_copied = false,
            Appended::NotAbove => {
                self.not_above = Some(last);
                return Err(OutOfReach::Refused.into());
            }
        }
        self.position = Some(last);
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

    /// Once in a while: writes down how far it is, trims the stream, and looks what the others have.
    async fn keep_house(&mut self, position: i64, reader: &Reader) -> Result<(), Fault> {
        if self.kept_house.elapsed() < KEEP_HOUSE_EVERY {
            return Ok(());
        }
        self.kept_house = Instant::now();
        // One that knows better may be heard of late.
        if told_by_others(&self.share) > reader.own_last()? {
            return Err(Fault::RolledBack);
        }
        if position != self.written {
            let written = Entry::published(self.author, position);
            drop(self.node.journal().append(written));
            self.written = position;
        }
        self.stream.trim(self.known_to_all()).await;
        Ok(())
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
        let was_reachable = self.share.replica().published().borrow().is_reachable;
        self.share
            .replica()
            .publish(|published| published.is_reachable = false);
        match fault {
            Fault::Redis(why) if was_reachable => {
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

/// Reads the own facts behind a number. One whose row is damaged is left out, so that it keeps no other from being
/// published.
fn read(reader: &Reader, position: i64) -> Result<Records, JournalError> {
    let read = |most| reader.records_after(None, position, (most, BYTES_AT_ONCE));
    match read(FACTS_AT_ONCE) {
        Err(error) if error.is_damage() => {}
        whole => return whole,
    }
    match read(1) {
        Err(error) if error.is_damage() => {
            tracing::error!(%error, number = position + 1, "a fact of this node cannot be read: no other node gets it");
            Ok(Records {
                records: Vec::new(),
                last: position + 1,
                has_more: true,
            })
        }
        first => first,
    }
}
