//! The [`Registry`] is the list of all nodes that share a Redis, with what each said of itself last.
//!
//! It is one value, which every node changes every second. Its times are by the clock of the server, so that all nodes
//! judge alike who runs; nodes give and get them by their own. A node stays in it after its end, until an operator
//! strikes it off.

use std::fmt;

use bytes::Bytes;

use crate::redis::{CommonKey, Key, OutOfReach, SharedStore, Swap};
use crate::sync::Seal;
use crate::{Author, RegisteredNode, Replica, Timestamp};

/// A change is tried so often because another node changed the list meanwhile.
const ROUNDS: usize = 8;

/// Nodes in the list, at most; beyond them the one that was heard of last the longest ago leaves.
const NODES_MAX: usize = 64;

/// Authors of which a node says how much it has, at most.
const AUTHORS_MAX: usize = 256;

/// The format of the values in Redis that this version reads and writes.
pub(super) const FORMAT: u32 = 3;

/// The list, as it is written: a line per node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Registry(Vec<RegisteredNode>);

impl Registry {
    /// Reads a list. Lines that are none are left out: they make nothing of a bill.
    fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(parse_node).collect())
    }

    /// Puts a node in, or what it says of itself now.
    fn put(&mut self, node: RegisteredNode) {
        self.0.retain(|known| known.node != node.node);
        if self.0.len() >= NODES_MAX {
            let oldest = self.0.iter().map(|known| known.seen).min();
            self.0.retain(|known| Some(known.seen) != oldest);
        }
        self.0.push(node);
        self.0.sort_unstable_by_key(|known| known.node);
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.0 {
            let RegisteredNode {
                node,
                format,
                process,
                machine,
                since,
                seen,
                has_ended,
                unshared,
                replica,
            } = node;
            let (since, seen, has_ended) = (since.millis(), seen.millis(), u8::from(*has_ended));
            write!(
                f,
                "{node} {format} {process} {machine} {since} {seen} {has_ended} {unshared}"
            )?;
            if let Some(replica) = replica {
                write_replica(replica, f)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `AUTHOR LAST AUTHOR=NUMBER,… AUTHOR,…`, with `-` for a list without any. Nodes of before do not read so far.
fn write_replica(replica: &Replica, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let list = |words: Vec<String>| {
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(",")
        }
    };
    let known_to = replica.known_to.iter();
    let known_to = known_to.map(|(author, number)| format!("{author}={number}"));
    let wanted = replica.wanted.iter().map(Author::to_string);
    write!(
        f,
        " {} {} {} {}",
        replica.author,
        replica.last,
        list(known_to.collect()),
        list(wanted.collect())
    )
}

/// Reads the number of a fact; no journal has as many as some other numbers say.
fn fact_number(word: &str) -> Option<i64> {
    let number: i64 = word.parse().ok()?;
    (0..1 << 53).contains(&number).then_some(number)
}

fn parse_replica<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Replica> {
    let (author, last) = (words.next()?, words.next()?);
    let items = |word: &'a str| {
        word.split(',')
            .filter(|item| *item != "-")
            .take(AUTHORS_MAX)
    };
    let known_to = items(words.next()?).filter_map(|item| {
        let (author, number) = item.split_once('=')?;
        Some((Author::parse(author)?, fact_number(number)?))
    });
    Some(Replica {
        author: Author::parse(author)?,
        last: fact_number(last)?,
        known_to: known_to.collect(),
        wanted: items(words.next()?).filter_map(Author::parse).collect(),
    })
}

fn parse_node(line: &str) -> Option<RegisteredNode> {
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse::<i64>().ok();
    let (node, format, process) = (number()?, number()?, number()?);
    let machine = words.next()?.to_owned();
    let mut number = || words.next()?.parse::<i64>().ok();
    Some(RegisteredNode {
        node: u32::try_from(node).ok()?,
        format: u32::try_from(format).ok()?,
        process: u32::try_from(process).ok()?,
        machine,
        since: Timestamp::from_millis(number()?),
        seen: Timestamp::from_millis(number()?),
        has_ended: number()? != 0,
        unshared: number()?,
        replica: parse_replica(words),
    })
}

/// Returns the nodes of the list.
pub(super) async fn read(
    store: &SharedStore,
    seal: &Seal,
) -> Result<Vec<RegisteredNode>, OutOfReach> {
    let held = store.read_common(CommonKey::Nodes).await?;
    let ahead = store.common_ahead_millis(CommonKey::Nodes);
    Ok(moved(open(seal, held.as_ref()).0, -ahead))
}

/// Puts a node into the list, or what it says of itself now. Returns the list.
pub(super) async fn put(
    store: &SharedStore,
    seal: &Seal,
    node: RegisteredNode,
) -> Result<Vec<RegisteredNode>, OutOfReach> {
    let ahead = store.common_ahead_millis(CommonKey::Nodes);
    let by_server = moved(vec![node], ahead);
    let put = |registry: &mut Registry| {
        for node in &by_server {
            registry.put(node.clone());
        }
    };
    let nodes = change(store, seal, put).await?;
    Ok(moved(nodes, -ahead))
}

/// Returns the nodes with their times so many milliseconds later.
fn moved(mut nodes: Vec<RegisteredNode>, millis: i64) -> Vec<RegisteredNode> {
    let moved = |time: Timestamp| Timestamp::from_millis(time.millis().saturating_add(millis));
    for node in &mut nodes {
        node.seen = moved(node.seen);
        node.since = moved(node.since);
    }
    nodes
}

/// Takes a node off the list.
pub(super) async fn remove(
    store: &SharedStore,
    seal: &Seal,
    number: u32,
) -> Result<(), OutOfReach> {
    change(store, seal, |registry| {
        registry.0.retain(|known| known.node != number);
    })
    .await
    .map(|_| ())
}

async fn change(
    store: &SharedStore,
    seal: &Seal,
    change: impl Fn(&mut Registry),
) -> Result<Vec<RegisteredNode>, OutOfReach> {
    let mut held = store.read_common(CommonKey::Nodes).await?;
    for _ in 0..ROUNDS {
        let mut registry = open(seal, held.as_ref());
        change(&mut registry);
        let new = seal.close("", KEY, registry.to_string().into_bytes());
        match store
            .swap_common(CommonKey::Nodes, held.as_deref(), &new, None)
            .await?
        {
            Swap::Done => return Ok(registry.0),
            Swap::Conflict(mut values) => held = values.pop().flatten(),
        }
    }
    Err(OutOfReach::Busy)
}

const KEY: Key<'_> = Key {
    kind: "nodes",
    name: b"",
};

/// Reads a value; a list that no node with this key wrote is none.
fn open(seal: &Seal, held: Option<&Bytes>) -> Registry {
    let opened = held.map(|held| seal.open("", KEY, held));
    let content = opened
        .filter(|opened| opened.is_valid)
        .map(|opened| opened.content);
    let text = content
        .as_ref()
        .and_then(|content| std::str::from_utf8(content).ok());
    text.map(Registry::parse).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u32, seen: i64) -> RegisteredNode {
        RegisteredNode {
            node: number,
            format: FORMAT,
            process: 7,
            machine: "db1".to_owned(),
            since: Timestamp::from_millis(-5),
            seen: Timestamp::from_millis(seen),
            has_ended: number.is_multiple_of(2),
            unshared: 3,
            replica: (number != 2).then(|| replica(number)),
        }
    }

    fn replica(number: u32) -> Replica {
        let author = |journal| Author {
            node: number,
            journal,
        };
        Replica {
            author: author(-1),
            last: 7,
            known_to: (0..i64::from(number % 3))
                .map(|at| (author(at), at * 9))
                .collect(),
            wanted: (0..i64::from(number % 2)).map(author).collect(),
        }
    }

    #[test]
    fn a_list_reads_back_and_lines_that_are_none_are_left_out() {
        let mut registry = Registry::default();
        for number in [3, 1, 2, 3] {
            registry.put(node(number, 9));
        }
        let written = registry.to_string();
        assert_eq!(Registry::parse(&written), registry);
        let torn = format!("x\n{written}1 2\n4294967296 2 7 db1 0 0 0 0\n");
        assert_eq!(Registry::parse(&torn), registry);
    }

    #[test]
    fn a_full_list_loses_the_node_that_was_heard_of_the_longest_ago() {
        let mut registry = Registry::default();
        for number in 0..=NODES_MAX {
            let number = u32::try_from(number).unwrap();
            registry.put(node(number, if number == 5 { 0 } else { 9 }));
        }
        assert_eq!(registry.0.len(), NODES_MAX);
        assert!(registry.0.iter().all(|known| known.node != 5));
    }
}
