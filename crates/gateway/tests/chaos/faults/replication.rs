//! How far the nodes have each other's facts, from their journals.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ledger::Author;
use ledger::journal::Reader;

use crate::clock::until;
use crate::faults::recovery::Recovery;
use crate::journal::Journal;
use crate::node::Node;
use crate::testbed::Testbed;

/// For so long all payments must have had two copies before a disk is destroyed on which they may be alone.
const TWO_COPIES_FOR: Duration = Duration::from_secs(1);

/// Up to which number facts of each author are known.
type Positions = BTreeMap<Author, i64>;

fn positions(node: &Node) -> Positions {
    let reader = Reader::read_only(&node.ledger()).unwrap();
    let mut positions: Positions = reader.authors().unwrap().into_iter().collect();
    // Of itself a journal says there what is published.
    let own = Journal::open(&node.journal()).author();
    positions.insert(own, reader.own_last().unwrap());
    positions.retain(|_, number| *number > 0);
    positions
}

/// Waits until each of these nodes has what any of them has now.
pub fn await_all_of_now(nodes: &[&Node]) {
    let mut wanted = Positions::new();
    for (author, number) in nodes.iter().flat_map(|node| positions(node)) {
        let most = wanted.entry(author).or_default();
        *most = number.max(*most);
    }
    until("every node has the facts of all", || {
        nodes.iter().all(|node| {
            let has = positions(node);
            let has = |author| has.get(author).copied().unwrap_or_default();
            wanted.iter().all(|(author, number)| has(author) >= *number)
        })
    });
}

/// Returns whether every node has the same facts, as far as their numbers say.
pub fn is_complete(testbed: &Testbed) -> bool {
    let [first, others @ ..] = testbed.nodes.each_ref().map(positions);
    others.iter().all(|other| *other == first)
}

/// Waits until what a node took in the last second is in Redis, too, and older facts are on every disk: a disk that is
/// destroyed then loses nothing.
pub fn await_two_copies(testbed: &Testbed, node: usize) {
    await_all_of_now(&testbed.nodes.each_ref());
    let series = "relay_payments_on_one_disk_total";
    let count = || {
        let metrics = testbed.nodes[node].ops().metrics();
        (Recovery::of(testbed).failures(), metrics[series])
    };
    let (mut known, mut since) = (count(), Instant::now());
    until("payments have two copies", || {
        let now = count();
        if now != known {
            (known, since) = (now, Instant::now());
        }
        since.elapsed() >= TWO_COPIES_FOR
    });
}
