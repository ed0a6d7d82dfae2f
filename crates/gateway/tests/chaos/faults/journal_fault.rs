//! The faults of a node's journal and its disk.

use std::thread;
use std::time::Duration;

use crate::node::Node;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalFault {
    /// Every read of the journal takes this much longer for this time.
    SlowReads { delay: Duration, time: Duration },
    /// `kill -9`, and a restart while every read of the journal takes this much longer.
    SlowStart { delay: Duration },
    /// `kill -9`, and a restart on the same facts in a journal of version 1, which is upgraded in place.
    Upgrade,
    /// The same, and `kill -9` this long after the start of that process, then a restart.
    InterruptedUpgrade { after: Duration },
    /// A backup while calls are served, `kill -9` after this time, and a restart on the backup.
    Restore { time: Duration },
}

impl JournalFault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowReads { .. } => "slow reads of a journal",
            Self::SlowStart { .. } => "kill -9 of a gateway, start with slow reads",
            Self::Upgrade => "upgrade of a journal of version 1",
            Self::InterruptedUpgrade { .. } => "kill -9 of a gateway in an upgrade of its journal",
            Self::Restore { .. } => "journal restored from a backup",
        }
    }

    /// Returns whether the node is killed.
    pub const fn kills(self) -> bool {
        !matches!(self, Self::SlowReads { .. })
    }

    /// Returns whether the node loses what it journalled since the fault began. Redis still has it.
    pub const fn loses_latest_facts(self) -> bool {
        matches!(self, Self::Restore { .. })
    }

    /// Injects the fault; returns when it has ended and the node serves.
    pub fn inject(self, node: &Node) {
        match self {
            Self::SlowReads { delay, time } => {
                node.reads().delay(delay);
                thread::sleep(time);
                node.reads().delay(Duration::ZERO);
            }
            Self::SlowStart { delay } => {
                node.reads().delay(delay);
                node.kill_and_start();
                node.reads().delay(Duration::ZERO);
            }
            Self::Upgrade => {
                node.kill();
                node.write_journal_of_version_1();
                node.start_on_another_file();
            }
            Self::InterruptedUpgrade { after } => {
                node.kill();
                node.write_journal_of_version_1();
                node.start_and_kill(after);
                node.start_on_another_file();
            }
            Self::Restore { time } => {
                let backup = node.back_up();
                thread::sleep(time);
                node.kill();
                node.restore(&backup);
                node.start_again();
            }
        }
    }
}
