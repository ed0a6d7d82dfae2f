//! The [`Follower`] commits the facts of other nodes to this node's journal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::Bill;
use tokio::sync::watch;
use tokio::time::timeout;

use super::WITHIN;
use super::entry::StreamFacts;
use super::refill;
use crate::journal::Reader;
use crate::node::{Node, Resident};
use crate::redis::{CommonKey, OutOfReach, StreamEntry};
use crate::state::horizon::Horizon;
use crate::sync::Share;
use crate::{Author, BillState, Fact, FactKind, FactRecord, RegisteredNode};

/// The streams of running nodes are read so often.
const READ_EVERY: Duration = Duration::from_millis(50);

/// Those of others so often.
const READ_OTHERS_EVERY: Duration = Duration::from_secs(2);

/// Entries of one stream that are read at once.
const ENTRIES_AT_ONCE: usize = 16;

/// Facts that somebody has, and that no stream brought for so long, are asked for.
const ASK_AFTER: Duration = Duration::from_secs(2);

/// It is logged so often that entries are refused.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// A conflict of payments that another node's facts make is looked at again after this time.
const CLASSIFY_AFTER: Duration = Duration::from_secs(5);

/// While facts are on their way it waits for them, but for no longer: those of a disk that is gone never come.
const CLASSIFY_AT_LAST: Duration = Duration::from_hours(6);

/// Conflicts that wait for that, at most. Whoever puts the second payment into Redis finds them, too.
const CONFLICTS_MAX: usize = 10_000;

/// Follows all other nodes.
pub(super) struct Follower {
    node: Arc<Node>,
    share: Share,
    /// What is known of each stream, beside how far it was followed.
    streams: BTreeMap<Author, Stream>,
    /// Classifications that follow from payments of two authors, and when they were found.
    conflicts: VecDeque<(Instant, Fact)>,
    logged: Option<Instant>,
}

/// What is known of a stream.
#[derive(Debug, Default)]
struct Stream {
    /// Entries up to here that are none of the author's are passed over.
    passed_over: i64,
    /// Since when somebody has more facts than its stream brought.
    behind_since: Option<Instant>,
    read_at: Option<Instant>,
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
            conflicts: VecDeque::new(),
            logged: None,
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
            let pause = if has_more { Duration::ZERO } else { READ_EVERY };
            if timeout(pause, stopped.changed()).await.is_ok() {
                return;
            }
            // What cannot be written waits in its stream.
            has_more = self.node.journal().is_writable() && self.round(&reader).await;
            if !has_more {
                self.classify().await;
            }
        }
    }

    /// Reads every stream once, and serves the nodes that ask. Returns whether there was anything to do.
    async fn round(&mut self, reader: &Reader) -> bool {
        let nodes = self.share.replica().nodes().borrow().clone();
        let mut has_more = false;
        for author in self.authors(&nodes) {
            match self.follow(author, &nodes, reader).await {
                Ok(more) => has_more |= more,
                // It is out of reach, and so are the others.
                Err(_) => return false,
            }
        }
        match refill::serve(&self.node, &self.share, (&nodes, reader)).await {
            Ok(more) => has_more || more,
            Err(_) => false,
        }
    }

    /// Returns the authors whose streams are to be read now.
    fn authors(&self, nodes: &[RegisteredNode]) -> BTreeSet<Author> {
        let now = self.node.now();
        let own = self.share.replica().author();
        let is_due = |author: &Author| {
            let read_at = self.streams.get(author).and_then(|stream| stream.read_at);
            read_at.is_none_or(|at| at.elapsed() >= READ_OTHERS_EVERY)
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
        let somebody_has = nodes.iter().filter_map(|known| known.replica.as_ref());
        let somebody_has = somebody_has.map(|replica| replica.has_up_to(author)).max();
        let is_behind = somebody_has.unwrap_or_default() > known_to;
        let stream = self.streams.entry(author).or_default();
        stream.read_at = Some(Instant::now());
        let waits = match (found, is_behind) {
            (Look::More, _) | (Look::End, false) => {
                stream.behind_since = None;
                false
            }
            (Look::Gap, _) => true,
            (Look::End, true) => {
                let since = stream.behind_since.get_or_insert_with(Instant::now);
                since.elapsed() >= ASK_AFTER
            }
        };
        if found == Look::End && !is_behind {
            replica.caught_up(author);
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
            if facts.after > known_to {
                return Ok(Look::Gap);
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
            self.compare(author, &known, reader);
        }
        let mut residents = Vec::new();
        for (_, record) in &new {
            match self.node.resident(&record.fact.bill).await {
                Ok(resident) => residents.push(resident),
                // The journal cannot be read: later.
                Err(_) => return false,
            }
        }
        self.find_conflicts(&residents, &new);
        let epoch = self.node.marks().epoch();
        let commit = self.node.record_foreign(author, (known_to, last), new);
        drop(residents);
        match self.node.committed(commit).await {
            Ok(rows) => {
                // Its author writes to Redis what follows from them.
                self.node.marks().shared(epoch, rows);
                self.share.replica().learn(author, last);
                true
            }
            // It is owed: what the journal says when it can be written again counts.
            Err(_) => {
                if let Ok(known_to) = reader.known_to(author) {
                    self.share.replica().learn(author, known_to);
                }
                false
            }
        }
    }

    /// Finds the bills of which another author's payments meet others. Double payments are classified later: a cancel may
    /// be on its way.
    fn find_conflicts(&mut self, residents: &[Resident], records: &[(i64, FactRecord)]) {
        let mut theirs: BTreeMap<&Bill, BillState> = BTreeMap::new();
        for (_, record) in records {
            if matches!(record.fact.kind, FactKind::Payment { .. }) {
                let state = theirs.entry(&record.fact.bill).or_default();
                state.fold(&record.fact);
            }
        }
        for resident in residents {
            let (bill, local) = (resident.bill(), resident.local());
            let both = theirs.remove(bill).zip(local.state());
            let Some((theirs, ours)) = both else {
                continue;
            };
            if let Some(conflict) = theirs.conflict_of_amounts(ours, bill) {
                // Once both are folded nobody sees it any more.
                self.share.classify_followed(resident, conflict);
            } else if let Some(conflict) = theirs.conflict(ours, bill)
                && self.conflicts.len() < CONFLICTS_MAX
            {
                self.conflicts.push_back((Instant::now(), conflict));
            }
        }
    }

    /// Whether facts that somebody has are still on their way, as in a refill: a cancel may be among them.
    fn is_behind(&self) -> bool {
        let mut streams = self.streams.values();
        streams.any(|stream| stream.behind_since.is_some())
            || !self.share.replica().said().wanted.is_empty()
    }

    /// Classifies the bills of conflicts that are still there.
    async fn classify(&mut self) {
        while let Some((found_at, _)) = self.conflicts.front()
            && found_at.elapsed() >= CLASSIFY_AFTER
            && (!self.is_behind() || found_at.elapsed() >= CLASSIFY_AT_LAST)
            && let Some((_, conflict)) = self.conflicts.pop_front()
        {
            let Ok(resident) = self.node.resident(&conflict.bill).await else {
                self.conflicts.push_back((Instant::now(), conflict));
                return;
            };
            let local = resident.local();
            let state = local.state();
            if state.is_some_and(|state| state.conflict(state, &conflict.bill).is_some()) {
                self.share.classify_followed(&resident, conflict);
            }
        }
    }

    /// Facts that came again under numbers that are known must be the same. Where they are not, two journals made them
    /// under one identity: those that are new here are kept, too, as facts that this node learned.
    fn compare(&mut self, author: Author, known: &[(i64, FactRecord)], reader: &Reader) {
        let Some((first, last)) = known.first().zip(known.last()) else {
            return;
        };
        let most = known.len();
        let ours = reader.records_after(Some(author), first.0 - 1, (most, usize::MAX));
        let Ok(ours) = ours else {
            return;
        };
        let ours: BTreeMap<i64, FactRecord> = ours.records.into_iter().collect();
        for (number, record) in known {
            // Of what was forgotten nothing is known any more.
            if ours.get(number).is_none_or(|ours| ours.fact == record.fact) {
                continue;
            }
            self.share.refused_entry();
            tracing::error!(
                %author, number, up_to = last.0,
                "two journals made facts under one identity and number, as after a disk was rolled back: both are kept"
            );
            let book = self.node.book_of(&record.fact.bill);
            let entry = crate::journal::Entry::of(vec![record.fact.clone()])
                .with_context(record.context.clone());
            drop(self.node.record(&mut book.lock(), entry));
        }
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
