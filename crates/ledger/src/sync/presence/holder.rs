//! A [`Holder`] is the process that has a node's number; it decides who may take it.

use std::fmt;

use crate::Timestamp;
use crate::journal::JournalIdentity;

/// Every value begins with this version.
const VERSION: &str = "1";

/// A `Holder` is a process that runs as a node: what the node's key in Redis holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    journal: JournalIdentity,
    /// Identifies the process, drawn at its start.
    instance: u64,
    /// When the process started, by its own clock.
    since: i64,
    process: u32,
    /// The name of its machine.
    machine: String,
}

/// A `Judgement` says what a process may do with its node's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Take it, or keep it.
    Own,
    /// Another process runs as this node.
    Taken,
}

impl Holder {
    /// Returns the holder that this process is.
    pub(super) fn new(journal: JournalIdentity, instance: u64, now: Timestamp) -> Self {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine: String = machine.split_whitespace().collect();
        Self {
            journal,
            instance,
            since: now.millis(),
            process: std::process::id(),
            machine: if machine.is_empty() {
                "-".to_owned()
            } else {
                machine.chars().take(64).collect()
            },
        }
    }

    pub(super) const fn process(&self) -> u32 {
        self.process
    }

    pub(super) fn machine(&self) -> &str {
        &self.machine
    }

    pub(super) const fn since(&self) -> Timestamp {
        Timestamp::from_millis(self.since)
    }

    /// Reads a value; `None` where it is none that this version knows.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(value).ok()?.split(' ');
        let mut word = || words.next();
        let is_known = word()? == VERSION;
        let holder = Self {
            journal: JournalIdentity {
                identity: word()?.parse().ok()?,
                place: word()?.to_owned(),
            },
            instance: word()?.parse().ok()?,
            since: word()?.parse().ok()?,
            process: word()?.parse().ok()?,
            machine: word()?.to_owned(),
        };
        is_known.then_some(holder)
    }

    /// Returns the value of the node's key.
    pub(super) fn value(&self) -> String {
        let Self {
            journal,
            instance,
            since,
            process,
            machine,
        } = self;
        let JournalIdentity { identity, place } = journal;
        format!("{VERSION} {identity} {place} {instance} {since} {process} {machine}")
    }

    /// Decides what this process may do where `held` has the number; `had`: whether this process has had it before.
    ///
    /// The same journal in the same place is held by one process at a time: its lock says so. At a start, another
    /// process that has the number with it was killed, and this one is its successor. One that had the number and finds
    /// it with another process knows that both run, because Redis was away or a whole machine was copied: the one that
    /// started first takes it back, and the other one, which finds that in turn, is the copy.
    pub(super) fn judge(&self, held: &Self, had: bool) -> Judgement {
        let is_own = held.instance == self.instance;
        let may_take = if had {
            held.since > self.since
        } else {
            held.journal == self.journal
        };
        if is_own || may_take {
            Judgement::Own
        } else {
            Judgement::Taken
        }
    }
}

/// For the operator.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            process, machine, ..
        } = self;
        write!(f, "process {process} on {machine}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(identity: i64, place: &str, instance: u64, since: i64) -> Holder {
        Holder {
            journal: JournalIdentity {
                identity,
                place: place.to_owned(),
            },
            instance,
            since,
            process: 7,
            machine: "db1".to_owned(),
        }
    }

    #[test]
    fn only_a_successor_takes_the_number_of_another_process() {
        let own = holder(-5, "p", 1, 1_000);
        // who has it | had this process it before | may this process have it
        for (held, had, expected) in [
            (own.clone(), true, Judgement::Own),
            (own.clone(), false, Judgement::Own),
            // killed a moment ago, also where the clock was set back since
            (holder(-5, "p", 2, 900), false, Judgement::Own),
            (holder(-5, "p", 2, 1_100), false, Judgement::Own),
            // a copied machine: the first one takes it back, the second one yields
            (holder(-5, "p", 2, 1_100), true, Judgement::Own),
            (holder(-5, "p", 2, 900), true, Judgement::Taken),
            // a copied file, or one that was restored by hand
            (holder(6, "p", 2, 900), false, Judgement::Taken),
            (holder(6, "p", 2, 1_100), false, Judgement::Taken),
            (holder(-5, "q", 2, 900), false, Judgement::Taken),
            // one that started while Redis was away: the first one takes it back, too
            (holder(6, "p", 2, 1_100), true, Judgement::Own),
            (holder(6, "p", 2, 900), true, Judgement::Taken),
        ] {
            assert_eq!(own.judge(&held, had), expected, "{held:?} {had}");
        }
    }

    #[test]
    fn a_value_reads_back_and_another_text_is_none() {
        let own = holder(-5, "a:b:c", 1, 1_000);
        assert_eq!(Holder::parse(own.value().as_bytes()), Some(own.clone()));
        for value in ["", "2 -5 p 1 1000 7 db1", "1 -5 p", "1 x p 1 1000 7 db1"] {
            assert_eq!(Holder::parse(value.as_bytes()), None, "{value}");
        }
        let unnamed = Holder::new(own.journal, 1, Timestamp::from_millis(1));
        assert_eq!(Holder::parse(unnamed.value().as_bytes()), Some(unnamed));
    }
}
