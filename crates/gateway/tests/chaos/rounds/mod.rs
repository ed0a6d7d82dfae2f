//! Rounds: a node and its disk are destroyed under load, the others take over, and a new node joins.

mod load;
mod round_checks;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::until;
use crate::faults::replication;
use crate::journal::Journal;
use crate::node::{ALL_NODES, NODES};
use crate::random::Random;
use crate::rounds::load::{PaidBill, RoundLoad};
use crate::rounds::round_checks::Losses;
use crate::store::Store;
use crate::testbed::Testbed;

/// `CHAOS_ROUNDS`; a test run has few.
const ROUNDS: u64 = 3;

const ON_ONE_DISK: &str = "relay_payments_on_one_disk_total";

pub fn rounds_from_environment() -> u64 {
    let named = std::env::var("CHAOS_ROUNDS").ok();
    named.map_or(ROUNDS, |rounds| {
        rounds.parse().expect("CHAOS_ROUNDS: a number")
    })
}

/// Runs the rounds, prints what was found, and panics if anything was lost.
pub fn run((seed, rounds): (u64, u64), store: Box<dyn Store>) {
    println!("CHAOS_SEED={seed} CHAOS_ROUNDS={rounds} {}", store.name());
    let mut testbed = Testbed::start(seed, store);
    let mut all = Rounds {
        testbed: &testbed,
        load: RoundLoad::default(),
        random: Random::of(seed, "rounds"),
        losses: Losses::default(),
        paid: Vec::new(),
        on_one_disk: 0,
        joined_after: Vec::new(),
    };
    for number in 0..rounds {
        all.round(number);
        let lost = all.losses.all();
        if !lost.is_empty() {
            println!("round {number}: {} lost", lost.len());
            break;
        }
    }
    all.conclude();
    let text = all.table(rounds);
    let lost: Vec<String> = all.losses.all().into_iter().take(20).cloned().collect();
    println!("{text}");
    if !lost.is_empty() {
        testbed.directory.disable_cleanup(true);
        let folder = testbed.directory.path().display();
        panic!(
            "replay with CHAOS_SEED={seed}; journals and logs: {folder}\n{}",
            lost.join("\n")
        );
    }
}

struct Rounds<'a> {
    testbed: &'a Testbed,
    load: RoundLoad,
    random: Random,
    losses: Losses,
    /// The bills of all rounds.
    paid: Vec<PaidBill>,
    /// Payments that the destroyed nodes relayed while their disks alone had them.
    on_one_disk: u64,
    /// How long each new node took until it had all facts.
    joined_after: Vec<Duration>,
}

impl Rounds<'_> {
    fn round(&mut self, number: u64) {
        let testbed = self.testbed;
        let nodes = &testbed.nodes;
        let gone = self.random.index(NODES);
        let survivors: Vec<usize> = ALL_NODES.into_iter().filter(|node| *node != gone).collect();
        let rows = ALL_NODES.map(|node| Journal::open(&nodes[node].journal()).last_row());
        let (before, behind) = (
            self.random.milliseconds(100, 900),
            self.random.milliseconds(100, 500),
        );
        let node_number = Journal::open(&nodes[gone].journal()).author().node;
        let mut on_one_disk = 0;
        let paid = self.load.run(testbed, || {
            thread::sleep(before);
            on_one_disk = nodes[gone].ops().metrics()[ON_ONE_DISK];
            nodes[gone].destroy();
            thread::sleep(behind);
        });
        self.on_one_disk += on_one_disk;
        for node in &survivors {
            self.losses.ask(testbed, (*node, "at once"), &paid);
        }
        let living: Vec<_> = survivors.iter().map(|node| &nodes[*node]).collect();
        replication::await_all_of_now(&living);
        for node in &survivors {
            let journalled = Journal::open(&nodes[*node].journal()).events_after(rows[*node]);
            self.losses.look_for_bytes(*node, &paid, &journalled);
        }
        // What the survivors have is theirs: in every other round Redis loses all of it.
        if number % 2 == 1 {
            testbed
                .store
                .servers()
                .iter()
                .for_each(|server| server.tell(&["FLUSHALL"]));
            for node in &survivors {
                self.losses.ask(testbed, (*node, "without redis"), &paid);
            }
        }
        self.join(gone, node_number, number % 3 == 2);
        self.losses.ask(testbed, (gone, "on a new disk"), &paid);
        self.paid.extend(paid);
        // The callers' log of a long run would fill memory.
        testbed.calls.take();
    }

    /// Starts a new node in the place of the one that is gone, and waits until it has everything.
    fn join(&mut self, gone: usize, number: u32, is_struck_off: bool) {
        let nodes = &self.testbed.nodes;
        let began = Instant::now();
        if is_struck_off {
            nodes[gone].start_successor();
        } else {
            nodes[gone].start_empty();
        }
        let all = nodes.each_ref();
        replication::await_all_of_now(&all);
        self.joined_after.push(began.elapsed());
        if is_struck_off {
            until("the old node is struck off", || {
                nodes[(gone + 1) % NODES].ops().forget_node(number)
            });
        }
    }

    /// Checks the bytes of all rounds on every node, and what the parties received.
    fn conclude(&mut self) {
        self.losses.look_at_parties(self.testbed);
        for node in ALL_NODES {
            let journal = Journal::open(&self.testbed.nodes[node].journal());
            self.losses
                .look_for_bytes(node, &self.paid, &journal.events_after(0));
        }
    }

    fn table(&self, rounds: u64) -> String {
        let Losses {
            checked,
            payments,
            bytes,
            told_twice,
            doubled_links,
            ..
        } = &self.losses;
        let accepted = self.paid.iter().filter(|paid| paid.is_accepted).count();
        let mut joined = self.joined_after.clone();
        joined.sort_unstable();
        let seconds = |time: Option<&Duration>| time.copied().unwrap_or_default().as_secs_f64();
        let rows = BTreeMap::from([
            ("1 rounds", rounds.to_string()),
            (
                "2 payments",
                format!("{}, {accepted} accepted", self.paid.len()),
            ),
            ("3 checked", checked.to_string()),
            ("4 payments lost", payments.len().to_string()),
            ("5 bytes lost", bytes.len().to_string()),
            ("6 told twice", told_twice.len().to_string()),
            ("7 doubled links", doubled_links.len().to_string()),
            ("8 relayed on one disk", self.on_one_disk.to_string()),
            (
                "9 a new node had everything after",
                format!(
                    "{:.2} s in the middle, {:.2} s at most",
                    seconds(joined.get(joined.len() / 2)),
                    seconds(joined.last()),
                ),
            ),
        ]);
        let rows = rows
            .iter()
            .map(|(name, value)| format!("| {:<40} | {value:<45} |", &name[2..]));
        rows.collect::<Vec<_>>().join("\n")
    }
}
