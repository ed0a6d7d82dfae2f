//! One fault of a run.

use std::time::Duration;

use crate::faults::journal_fault::JournalFault;
use crate::faults::redis_fault::RedisFault;
use crate::node::ALL_NODES;

/// What becomes of a node while streams are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// SIGSTOP, then SIGCONT.
    Stopped,
    /// `kill -9`, then a restart.
    Killed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` and restart of this node.
    KillNode(usize),
    /// A fault of Redis.
    Redis(RedisFault),
    /// A fault of Redis, and `kill -9` and restart of this node before that fault ends.
    KillNodeDuring {
        node: usize,
        redis_fault: RedisFault,
    },
    /// A fault of this node's journal.
    Journal {
        node: usize,
        journal_fault: JournalFault,
    },
    /// `kill -9` of all nodes and of every server, and a restart of all at once.
    KillEverything,
    /// `kill -9` of this node, whose disk is gone in the same moment, and a start on an empty one after this time.
    DestroyNode { node: usize, away: Duration },
    /// The same for ever: another node with another folder joins, and an operator strikes the old one off.
    ReplaceNode(usize),
    /// A fault of Redis, and meanwhile a node and its disk are destroyed: what no other disk had yet is lost.
    DestroyNodeDuring {
        node: usize,
        redis_fault: RedisFault,
    },
    /// A node is absent for this time, and all streams are deleted meanwhile.
    DropStreams {
        node: usize,
        absence: Absence,
        time: Duration,
    },
    /// Redis evicts values of bills for this time, one by one, but nothing else.
    Evict { time: Duration },
}

impl Fault {
    pub fn name(self) -> String {
        match self {
            Self::KillNode(_) => "kill -9 of a gateway".to_owned(),
            Self::Redis(redis_fault) => redis_fault.name().to_owned(),
            Self::KillNodeDuring { redis_fault, .. } => {
                format!("kill -9 of a gateway in {}", redis_fault.name())
            }
            Self::Journal { journal_fault, .. } => journal_fault.name().to_owned(),
            Self::KillEverything => "kill -9 of everything".to_owned(),
            Self::DestroyNode { .. } => "disk destroyed".to_owned(),
            Self::ReplaceNode(_) => "node replaced".to_owned(),
            Self::DestroyNodeDuring { redis_fault, .. } => {
                format!("disk destroyed in {}", redis_fault.name())
            }
            Self::DropStreams {
                absence: Absence::Stopped,
                ..
            } => "streams deleted in SIGSTOP of a gateway".to_owned(),
            Self::DropStreams { .. } => "streams deleted beyond a killed gateway".to_owned(),
            Self::Evict { .. } => "eviction of values".to_owned(),
        }
    }

    /// Returns the nodes that it kills.
    pub fn killed_nodes(self) -> Vec<usize> {
        match self {
            Self::KillNode(node)
            | Self::KillNodeDuring { node, .. }
            | Self::DropStreams {
                node,
                absence: Absence::Killed,
                ..
            } => vec![node],
            Self::Journal {
                node,
                journal_fault,
            } if journal_fault.kills() => vec![node],
            Self::KillEverything => ALL_NODES.to_vec(),
            _ => Vec::from_iter(self.destroyed_node()),
        }
    }

    /// Returns the node that loses what it journalled since the fault began.
    pub const fn restored_node(self) -> Option<usize> {
        match self {
            Self::Journal {
                node,
                journal_fault,
            } if journal_fault.loses_latest_facts() => Some(node),
            _ => None,
        }
    }

    /// Returns the node that loses everything.
    pub const fn destroyed_node(self) -> Option<usize> {
        match self {
            Self::DestroyNode { node, .. }
            | Self::ReplaceNode(node)
            | Self::DestroyNodeDuring { node, .. } => Some(node),
            _ => None,
        }
    }

    /// Returns whether it is right only where all facts are on all disks but for those that are on their way.
    pub const fn needs_all_facts_on_all_disks(self) -> bool {
        matches!(self, Self::Evict { .. }) || self.destroyed_node().is_some()
    }

    /// Returns whether other processes or other servers hold the data afterwards.
    pub const fn restarts_servers(self) -> bool {
        match self {
            Self::Redis(redis_fault)
            | Self::KillNodeDuring { redis_fault, .. }
            | Self::DestroyNodeDuring { redis_fault, .. } => redis_fault.restarts_servers(),
            Self::KillEverything => true,
            _ => false,
        }
    }

    /// Returns the nodes that cannot reach Redis meanwhile.
    pub fn disconnected_nodes(self) -> Vec<usize> {
        match self {
            Self::Redis(redis_fault)
            | Self::KillNodeDuring { redis_fault, .. }
            | Self::DestroyNodeDuring { redis_fault, .. } => redis_fault.disconnected_nodes(),
            Self::KillEverything => ALL_NODES.to_vec(),
            Self::DropStreams { node, .. } => vec![node],
            _ => Vec::new(),
        }
    }
}
