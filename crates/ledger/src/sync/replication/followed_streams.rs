//! The streams of the other nodes: their entries are committed in order, and what is missing is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::WITHIN;
use super::conflicts::{CLASSIFY_AFTER, CLASSIFY_AT_LAST, Conflicts};
use super::entry::StreamFacts;
use super::repeated::compare_repeated;
use crate::journal::Reader;
use crate::node::Node;
use crate::redis::{OutOfReach, StreamEntry, StreamKey};
use crate::state::horizon::Horizon;
use crate::sync::Share;
use crate::{Author, RegisteredNode};

/// Entries of one stream that are read at once.
const ENTRIES_AT_ONCE: usize = 16;

/// Facts that somebody has, and that no stream brought for so long, are asked for.
const ASK_AFTER: Duration = Duration::from_secs(2);

/// Refused entries of a stream that are remembered; others are counted again.
const REFUSED_MAX: usize = 1_024;

/// It is logged so often that entries are refused.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// The streams, and what came of them that is still to be judged.
pub(super) struct FollowedStreams {
    node: Arc<Node>,
    share: Share,
    /// What is known of each stream, beside how far it was followed.
    streams: BTreeMap<Author, FollowedStream>,
    conflicts: Conflicts,
    /// When it was logged that entries are refused.
    logged: Option<Instant>,
}

/// What is known of a stream.
#[derive(Debug, Default)]
struct FollowedStream {
    /// The numbers of entries that are none of the author's.
    refused: BTreeSet<i64>,
    /// Since when somebody has more facts than it brought.
    behind_since: Option<Instant>,
    /// Nobody has what is missing before the entries that are there.
    skips_gap: bool,
    /// When it was read to its end.
    read_at: Option<Instant>,
}

/// What one look at a stream found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Nothing behind what is known.
    End,
    /// More, and there may be more still.
    More,
    /// Something that does not follow what is known.
    Gap,
}

impl FollowedStreams {
    pub(super) fn new(node: Arc<Node>, share: Share) -> Self {
        Self {
            node,
            share,
            streams: BTreeMap::new(),
            conflicts: Conflicts::default(),
            logged: None,
        }
    }

    /// Returns whether a stream was not read to its end for this time.
    pub(super) fn is_due(&self, author: Author, after: Duration) -> bool {
        let read_at = self.streams.get(&author).and_then(|stream| stream.read_at);
        read_at.is_none_or(|at| at.elapsed() >= after)
    }

    /// Classifies the bills of double payments that streams brought.
    pub(super) async fn classify(&mut self) {
        let after = if self.is_behind() {
            CLASSIFY_AT_LAST
        } else {
            CLASSIFY_AFTER
        };
        let node = (&*self.node, &self.share);
        self.conflicts.classify(after, node).await;
    }

    /// Reads the stream of an author, and what others send where that has a gap. Returns whether there may be more.
    pub(super) async fn follow(
        &mut self,
        author: Author,
        nodes: &[RegisteredNode],
        reader: &Reader,
    ) -> Result<bool, OutOfReach> {
        let found = self.read(author, StreamKey::Facts(author), reader).await?;
        let replica = self.share.replica();
        let known_to = replica.known_to(author);
        // What a node that is gone has, nobody can get from it.
        let now = self.node.now();
        let running = nodes.iter().filter(|known| known.is_running(now));
        let somebody_has = running.filter_map(|known| known.replica.as_ref());
        let somebody_has = somebody_has.map(|replica| replica.has_up_to(author)).max();
        let is_behind = somebody_has.unwrap_or_default() > known_to;
        let stream = self.streams.entry(author).or_default();
        // One that has more is read on.
        stream.read_at = (found == Look::End).then(Instant::now);
        let waits = match (found, is_behind) {
            (Look::More, _) | (Look::End, false) => {
                stream.behind_since = None;
                false
            }
            (Look::Gap, true) => true,
            // Nobody who runs has what is missing, and its author will not come back soon.
            (Look::Gap, false) => {
                stream.skips_gap = replica.is_gone(author);
                true
            }
            (Look::End, true) => {
                let since = stream.behind_since.get_or_insert_with(Instant::now);
                since.elapsed() >= ASK_AFTER
            }
        };
        if found == Look::End && !is_behind {
            replica.caught_up(author);
            replica.got_all_there_is(author);
        }
        if replica.want(author, waits) && waits {
            tracing::warn!(
                %author, known_to, somebody_has,
                "facts of a node are in no stream any more: they are asked for"
            );
        }
        if !waits {
            return Ok(found == Look::More);
        }
        let refill = StreamKey::Refill {
            node: replica.author().node,
            of: author,
        };
        let found = self.read(author, refill, reader).await?;
        match found {
            Look::More => {
                let known_to = self.share.replica().known_to(author);
                // The last one stays: it says how far the refill is.
                self.share
                    .store()
                    .trim(refill, known_to - 1, WITHIN)
                    .await?;
            }
            // It was begun for what this journal had at another time.
            Look::Gap => self.share.store().remove(refill, WITHIN).await?,
            Look::End => {}
        }
        Ok(found == Look::More)
    }

    /// Reads entries of a stream behind what is known, and commits them.
    async fn read(
        &mut self,
        author: Author,
        from: StreamKey,
        reader: &Reader,
    ) -> Result<Look, OutOfReach> {
        let is_own_stream = matches!(from, StreamKey::Facts(_));
        let entries = self.entries(author, from).await?;
        let is_end = entries.len() < ENTRIES_AT_ONCE;
        let mut found = Look::End;
        for entry in entries {
            let horizon = Horizon::at(self.node.now());
            let opened = StreamFacts::open(&entry.value, (self.share.seal(), from), &horizon);
            let opened = opened
                .ok()
                .filter(|facts| facts.author == author && facts.last == entry.number);
            let Some(facts) = opened else {
                self.refuse(author, entry.number);
                if !is_own_stream {
                    return Ok(Look::Gap);
                }
                continue;
            };
            let known_to = self.share.replica().known_to(author);
            if facts.after > known_to && !(is_own_stream && self.skips_gap(author)) {
                return Ok(Look::Gap);
            }
            if facts.after > known_to {
                tracing::error!(
                    %author, after = known_to, up_to = facts.after,
                    "facts of a node are lost: neither its stream nor any running node has them"
                );
            }
            if facts.last > known_to && !self.take(facts, known_to, reader).await {
                return Ok(Look::End);
            }
            found = Look::More;
        }
        Ok(if is_end && is_own_stream {
            Look::End
        } else {
            found
        })
    }

    /// Reads entries behind what is known. Those that are passed over are read again, unless there are that many that
    /// nothing else would be.
    async fn entries(
        &self,
        author: Author,
        from: StreamKey,
    ) -> Result<Vec<StreamEntry>, OutOfReach> {
        let store = self.share.store();
        let known_to = self.share.replica().known_to(author);
        let entries = store
            .entries_after(from, (known_to, ENTRIES_AT_ONCE), WITHIN)
            .await?;
        let refused = self.streams.get(&author).map(|stream| &stream.refused);
        let is_refused =
            |entry: &StreamEntry| refused.is_some_and(|refused| refused.contains(&entry.number));
        match entries.last() {
            Some(last) if entries.len() == ENTRIES_AT_ONCE && entries.iter().all(is_refused) => {
                store
                    .entries_after(from, (last.number, ENTRIES_AT_ONCE), WITHIN)
                    .await
            }
            _ => Ok(entries),
        }
    }

    /// Commits the facts behind `known_to`. Returns whether that was done.
    async fn take(&mut self, facts: StreamFacts, known_to: i64, reader: &Reader) -> bool {
        let StreamFacts {
            author,
            last,
            records,
            ..
        } = facts;
        let (known, new): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|(number, _)| *number <= known_to);
        if !known.is_empty() {
            compare_repeated((&self.node, &self.share), author, (&known, reader));
        }
        let mut residents = Vec::new();
        for (_, record) in &new {
            match self.node.resident(&record.fact.bill).await {
                Ok(resident) => residents.push(resident),
                // The journal cannot be read: later.
                Err(_) => return false,
            }
        }
        self.conflicts.find(&self.share, (&residents, &new));
        let epoch = self.node.marks().epoch();
        let commit = self.node.record_foreign(author, (known_to, last), new);
        drop(residents);
        let Ok(rows) = self.node.committed(commit).await else {
            // It is written later: what the journal says then counts.
            if let Ok(known_to) = reader.known_to(author) {
                self.share.replica().learn(author, known_to);
            }
            return false;
        };
        // Its author writes to Redis what follows from them.
        self.node.marks().shared(epoch, rows);
        self.share.replica().learn(author, last);
        true
    }

    /// Returns whether entries behind a gap are taken, once: the next gap is looked at anew.
    fn skips_gap(&mut self, author: Author) -> bool {
        let stream = self.streams.entry(author).or_default();
        std::mem::take(&mut stream.skips_gap)
    }

    /// Passes over an entry that no node with this key wrote.
    fn refuse(&mut self, author: Author, number: i64) {
        let stream = self.streams.entry(author).or_default();
        if !stream.refused.insert(number) {
            return;
        }
        if stream.refused.len() > REFUSED_MAX {
            stream.refused.pop_first();
        }
        self.share.refused_entry();
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            self.logged = Some(Instant::now());
            tracing::error!(
                %author, number,
                "an entry of a node's stream in Redis was not written by that node, or is damaged: it is left out; a \
                 node has another key_file, or somebody else writes to Redis"
            );
        }
    }

    /// Whether facts that somebody has are still on their way, as in a refill: a cancel may be among them.
    fn is_behind(&self) -> bool {
        let mut streams = self.streams.values();
        streams.any(|stream| stream.behind_since.is_some())
            || !self.share.replica().said().wanted.is_empty()
    }
}
