//! A refill: a node that lacks facts which no stream has any more gets them from one that has them.

use std::time::Duration;

use super::entry::StreamFacts;
use super::{BYTES_AT_ONCE, FACTS_AT_ONCE, WITHIN};
use crate::journal::Reader;
use crate::node::Node;
use crate::redis::{Appended, OutOfReach, StreamKey};
use crate::state::horizon::Horizon;
use crate::sync::Share;
use crate::{Author, RegisteredNode, Replica, Timestamp};

/// Entries that wait for a node, at most: it takes them as fast as it can.
const ENTRIES_MAX: u64 = 32;

/// Entries that are sent to one node in one round.
const ENTRIES_AT_ONCE: u64 = 4;

/// What a node does not fetch leaves Redis.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// Sends to the nodes that ask what this node has and they lack, where it is this node's turn. Returns whether there may
/// be more to send.
pub(super) async fn serve(
    node: &Node,
    share: &Share,
    (nodes, reader): (&[RegisteredNode], &Reader),
) -> bool {
    let now = node.now();
    let own = share.replica().author();
    let mut has_more = false;
    for asking in nodes
        .iter()
        .filter(|asking| asking.is_running(now) && asking.node != own.node)
    {
        let Some(replica) = &asking.replica else {
            continue;
        };
        for of in &replica.wanted {
            if server(nodes, replica, *of, now) == Some(own.node) {
                let to = StreamKey::Refill {
                    node: asking.node,
                    of: *of,
                };
                let from = replica.has_up_to(*of);
                // What cannot be sent now is sent in another round.
                let sent = send(node, share, (to, *of, from), reader).await;
                has_more |= sent.unwrap_or_default();
            }
        }
    }
    has_more
}

/// Returns the node whose turn it is: the author while it runs, else the running node with the lowest number that has more.
fn server(nodes: &[RegisteredNode], asking: &Replica, of: Author, now: Timestamp) -> Option<u32> {
    let lacks = asking.has_up_to(of);
    let has_more = |known: &&RegisteredNode| {
        let replica = known.replica.as_ref();
        let has = replica.filter(|replica| replica.author != asking.author);
        known.is_running(now) && has.is_some_and(|replica| replica.has_up_to(of) > lacks)
    };
    let able = nodes.iter().filter(has_more);
    able.map(|known| known.node)
        .min_by_key(|node| (*node != of.node, *node))
}

async fn send(
    node: &Node,
    share: &Share,
    (to, of, from): (StreamKey, Author, i64),
    reader: &Reader,
) -> Result<bool, OutOfReach> {
    let store = share.store();
    let waiting = store.count_entries(to, WITHIN).await?;
    if waiting >= ENTRIES_MAX {
        return Ok(false);
    }
    let horizon = Horizon::at(node.now());
    let top = store.last_entry(to, WITHIN).await?;
    let top = top.and_then(|top| StreamFacts::open(&top.value, (share.seal(), to), &horizon).ok());
    let mut position = top.map_or(from, |top| top.last.max(from));
    let is_own = share.replica().author() == of;
    let has_up_to = share.replica().said().has_up_to(of);
    let mut sent = 0;
    while sent < ENTRIES_AT_ONCE.min(ENTRIES_MAX - waiting) && position < has_up_to {
        let author = (!is_own).then_some(of);
        let read = reader.records_after(author, position, (FACTS_AT_ONCE, BYTES_AT_ONCE));
        let mut read = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "a node that asks cannot be given facts: the journal cannot be read");
                return Ok(false);
            }
        };
        if read.last == position {
            // All of them were forgotten.
            read.last = has_up_to;
        }
        let facts = StreamFacts {
            author: of,
            after: position,
            last: read.last,
            records: read.records,
        };
        let value = facts.seal(share.seal(), to);
        let appended = store.append(to, (facts.last, &value), 0, WITHIN).await?;
        if appended == Appended::NotAbove {
            // Somebody else has written to it: it is begun anew.
            store.remove(to, WITHIN).await?;
            return Ok(true);
        }
        position = facts.last;
        sent += 1;
    }
    if sent > 0 {
        store.expire(to, KEPT_FOR, WITHIN).await?;
    }
    Ok(sent > 0 && position < has_up_to)
}
