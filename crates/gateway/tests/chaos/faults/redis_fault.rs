//! The faults of Redis and the data that they lose.

use std::time::Duration;

use test_support::Traffic;

use crate::node::ALL_NODES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisFault {
    /// `kill -9` of every server that holds data, and a restart after this time.
    Kill(Duration),
    /// SIGSTOP, and SIGCONT after this time.
    Hang(Duration),
    /// `FLUSHALL`.
    Flush,
    /// One node cannot reach Redis for this time.
    Partition {
        node: usize,
        traffic: Traffic,
        time: Duration,
    },
    /// All nodes are cut off from Redis for this time. Sentinels and replicas are, too, and elect another
    /// primary.
    CutOff(Duration),
    /// The replica lags by this time, the primary is killed, and Sentinel promotes the replica.
    FailOver(Duration),
    /// `kill -9` of a Cluster's master, and a restart after this time, before its replica is promoted.
    KillMaster { master: usize, time: Duration },
    /// `kill -9` of a Cluster's master until its replica is promoted.
    LoseMaster { master: usize },
    /// A biller's slot moves to the next master of a Cluster, key by key.
    Reshard { biller: usize },
}

/// The data that a fault lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    /// At most what was written from this long before the fault.
    Latest(Duration),
    Everything,
}

impl RedisFault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill -9 of redis",
            Self::Hang(_) => "SIGSTOP of redis",
            Self::Flush => "FLUSHALL",
            Self::Partition {
                traffic: Traffic::Held,
                ..
            } => "network to one node delayed",
            Self::Partition { .. } => "network to one node cut",
            Self::CutOff(_) => "network of redis cut",
            Self::FailOver(_) => "failover to a lagging replica",
            Self::KillMaster { .. } => "kill -9 of a cluster's master",
            Self::LoseMaster { .. } => "cluster's master replaced by its replica",
            Self::Reshard { .. } => "slot of a biller moved",
        }
    }

    /// Returns whether other processes or other servers hold the data afterwards.
    pub const fn restarts_servers(self) -> bool {
        match self {
            Self::Kill(_)
            | Self::FailOver(_)
            | Self::CutOff(_)
            | Self::KillMaster { .. }
            | Self::LoseMaster { .. } => true,
            Self::Hang(_) | Self::Flush | Self::Partition { .. } | Self::Reshard { .. } => false,
        }
    }

    /// Returns the nodes that cannot reach Redis meanwhile.
    pub fn disconnected_nodes(self) -> Vec<usize> {
        match self {
            Self::Flush | Self::Reshard { .. } => Vec::new(),
            Self::Partition { node, .. } => vec![node],
            Self::Kill(_)
            | Self::Hang(_)
            | Self::CutOff(_)
            | Self::FailOver(_)
            | Self::KillMaster { .. }
            | Self::LoseMaster { .. } => ALL_NODES.to_vec(),
        }
    }

    /// Returns how long it lasts.
    pub const fn time(self) -> Duration {
        match self {
            Self::Kill(time)
            | Self::Hang(time)
            | Self::Partition { time, .. }
            | Self::CutOff(time)
            | Self::KillMaster { time, .. } => time,
            Self::Flush | Self::FailOver(_) | Self::LoseMaster { .. } | Self::Reshard { .. } => {
                Duration::ZERO
            }
        }
    }
}
