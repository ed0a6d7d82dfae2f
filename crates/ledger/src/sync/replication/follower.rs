//! The [`Follower`] commits the facts of other nodes to this node's journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::WITHIN;
use super::compare::compare;
use super::conflicts::{CLASSIFY_AFTER, CLASSIFY_AT_LAST, Conflicts};
use super::entry::StreamFacts;
use super::refill;
use crate::journal::Reader;
use crate::node::Node;
use crate::redis::{CommonKey, OutOfReach, StreamEntry};
use crate::state::horizon::Horizon;
use crate::sync::Share;
use crate::{Author, RegisteredNode};

/// The streams of running nodes are read so often.
const READ_EVERY: Duration = Duration::from_millis(50);

/// At most so often where calls ask for it.
const AT_MOST_EVERY: Duration = Duration::from_millis(5);

/// Those of others so often.
const READ_OTHERS_EVERY: Duration = Duration::from_secs(2);

/// Entries of one stream that are read at once.
const ENTRIES_AT_ONCE: usize = 16;

/// Facts that somebody has, and that no stream brought for so long, are asked for.
const ASK_AFTER: Duration = Duration::from_secs(2);

/// A gap whose facts no running node has is passed over after this time.
const SKIP_AFTER: Duration = Duration::from_secs(30);

/// It is logged so often that entries are refused.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// Follows all other nodes.
pub(super) struct Follower {
    node: Arc<Node>,
    share: Share,
    /// What is known of each stream, beside how far it was followed.
    streams: BTreeMap<Author, Stream>,
    conflicts: Conflicts,
    logged: Option<Instant>,
    last_round: Instant,
}

/// What is known of a stream.
#[derive(Debug, Default)]
struct Stream {
    /// Entries up to here that are none of the author's are passed over.
    passed_over: i64,
    /// Since when somebody has more facts than its stream brought, or had.
    behind_since: Option<Instant>,
    /// Nobody has what is missing before the entries that are there.
    skips_gap: bool,
    read_at: Option<Instant>,
}

/// Which streams a round reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// Those of running nodes, and others now and then.
    Due,
    /// All: a call waits for what they have.
    All,
}

/// What one look at a stream found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing behind what is known.
    End,
    /// More, and there may be more still.
    More,
    /// Something that does not follow what is known.
    Gap,
}

impl Follower {
    pub(super) fn new(node: Arc<Node>, share: Share) -> Self {
        Self {
            node,
            share,
            streams: BTreeMap::new(),
            conflicts: Conflicts::default(),
            logged: None,
            last_round: Instant::now(),
        }
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let reader = match self.node.journal().reader().another() {
            Ok(reader) => reader,
            Err(error) => {
                tracing::error!(%error, "other nodes are not followed: the journal cannot be read");
                return;
            }
        };
        let mut has_more = false;
        loop {
            let share = self.share.clone();
            let which = tokio::select! {
                _ = stopped.changed() => return,
                () = share.replica().round_wanted() => {
                    // One round serves all who ask meanwhile.
                    sleep(AT_MOST_EVERY.saturating_sub(self.last_round.elapsed())).await;
                    Streams::All
                }
                () = sleep(if has_more { Duration::ZERO } else { READ_EVERY }) => Streams::Due,
            };
            self.last_round = Instant::now();
            // What cannot be written waits in its stream.
            has_more = self.node.journal().is_writable() && self.round(&reader, which).await;
            if !has_more {
                let after = if self.is_behind() {
                    CLASSIFY_AT_LAST
                } else {
                    CLASSIFY_AFTER
                };
                let node = (&*self.node, &self.share);
                self.conflicts.classify(after, node).await;
            }
        }
    }

    /// Reads every stream once, and serves the nodes that ask. Returns whether there was anything to do.
    async fn round(&mut self, reader: &Reader, which: Streams) -> bool {
        let number = self.share.replica().begin_round();
        let nodes = self.share.replica().nodes().borrow().clone();
        let mut has_more = false;
        for author in self.authors(&nodes, which) {
            // Where its server is out of reach, or something else lies under its name, the other streams go on.
            let followed = self.follow(author, &nodes, reader).await;
            has_more |= followed.unwrap_or_default();
        }
        if !has_more {
            self.share.replica().end_round(number);
        }
        has_more | refill::serve(&self.node, &self.share, (&nodes, reader)).await
    }

    /// Returns the authors whose streams are to be read now.
    fn authors(&self, nodes: &[RegisteredNode], which: Streams) -> BTreeSet<Author> {
        let now = self.node.now();
        let own = self.share.replica().author();
        let is_due = |author: &Author| {
            let read_at = self.streams.get(author).and_then(|stream| stream.read_at);
            which == Streams::All || read_at.is_none_or(|at| at.elapsed() >= READ_OTHERS_EVERY)
        };
        let mut authors = BTreeSet::new();
        for node in nodes {
            let Some(replica) = &node.replica else {
                continue;
            };
            let known = replica.known_to.iter().map(|(author, _)| *author);
            authors.extend(known.filter(is_due));
            if node.is_running(now) || is_due(&replica.author) {
                authors.insert(replica.author);
            }
        }
        authors.remove(&own);
        authors
    }

    /// Reads the stream of an author, and what others send where that has a gap. Returns whether there may be more.
    async fn follow(
        &mut self,
        author: Author,
        nodes: &[RegisteredNode],
        reader: &Reader,
    ) -> Result<bool, OutOfReach> {
        let found = self.read(author, CommonKey::Stream(author), reader).await?;
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
            // Nobody has what is missing. One that has it may come back soon.
            (Look::Gap, false) => {
                let since = stream.behind_since.get_or_insert_with(Instant::now);
                stream.skips_gap = since.elapsed() >= SKIP_AFTER;
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
        let refill = CommonKey::Refill {
            node: replica.author().node,
            of: author,
        };
        let found = self.read(author, refill, reader).await?;
        match found {
            Look::More => {
                let known_to = self.share.replica().known_to(author);
                self.share.store().trim(refill, known_to, WITHIN).await?;
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
        from: CommonKey,
        reader: &Reader,
    ) -> Result<Look, OutOfReach> {
        let is_own_stream = matches!(from, CommonKey::Stream(_));
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
        from: CommonKey,
    ) -> Result<Vec<StreamEntry>, OutOfReach> {
        let store = self.share.store();
        let known_to = self.share.replica().known_to(author);
        let entries = store
            .entries_after(from, (known_to, ENTRIES_AT_ONCE), WITHIN)
            .await?;
        let passed_over = self
            .streams
            .get(&author)
            .map_or(0, |stream| stream.passed_over);
        let is_full = entries.len() == ENTRIES_AT_ONCE;
        if is_full && entries.iter().all(|entry| entry.number <= passed_over) {
            return store
                .entries_after(from, (passed_over, ENTRIES_AT_ONCE), WITHIN)
                .await;
        }
        Ok(entries)
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
            compare((&self.node, &self.share), author, (&known, reader));
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
            // It is owed: what the journal says when it can be written again counts.
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

    /// Whether facts that somebody has are still on their way, as in a refill: a cancel may be among them.
    fn is_behind(&self) -> bool {
        let mut streams = self.streams.values();
        streams.any(|stream| stream.behind_since.is_some())
            || !self.share.replica().said().wanted.is_empty()
    }

    /// Returns whether entries behind a gap are taken, once: another gap is waited for anew.
    fn skips_gap(&mut self, author: Author) -> bool {
        let stream = self.streams.entry(author).or_default();
        std::mem::take(&mut stream.skips_gap)
    }

    /// Passes over an entry that no node with this key wrote.
    fn refuse(&mut self, author: Author, number: i64) {
        let stream = self.streams.entry(author).or_default();
        if number <= stream.passed_over {
            return;
        }
        stream.passed_over = number;
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
}
