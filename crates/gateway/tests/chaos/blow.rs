//! What can happen to the shared state, and what it costs.

use std::time::Duration;

use test_support::Traffic;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// `kill -9` of every server that holds data, and up again after this time.
    Kill(Duration),
    /// SIGSTOP, and SIGCONT after this time.
    Hang(Duration),
    /// `FLUSHALL`.
    Flush,
    /// A node cannot reach it for this time.
    Part {
        node: usize,
        traffic: Traffic,
        time: Duration,
    },
    /// Both nodes are cut off from it for this time; Sentinels and replicas are, too, and choose
    /// another primary.
    CutOff(Duration),
    /// The replica lags behind by this time, the primary is killed, and Sentinel makes the replica
    /// the primary.
    FailOver(Duration),
    /// `kill -9` of one of a Cluster's masters, and up again after this time, before it is missed.
    KillMaster { master: usize, time: Duration },
    /// One of a Cluster's masters is killed and never comes back as one: its replica takes over.
    LoseMaster { master: usize },
    /// A biller's slot moves to the next master of a Cluster, key by key.
    Reshard { biller: usize },
}

/// What is gone after a blow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    /// At most what was written since this long before the blow.
    Latest(Duration),
    Everything,
}

impl Blow {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill -9 of redis",
            Self::Hang(_) => "SIGSTOP of redis",
            Self::Flush => "FLUSHALL",
            Self::Part {
                traffic: Traffic::Held,
                ..
            } => "network to one node held up",
            Self::Part { .. } => "network to one node cut",
            Self::CutOff(_) => "network of redis cut",
            Self::FailOver(_) => "failover to a replica that lags",
            Self::KillMaster { .. } => "kill -9 of a cluster's master",
            Self::LoseMaster { .. } => "cluster's master lost for good",
            Self::Reshard { .. } => "slot of a biller resharded",
        }
    }

    /// Whether other processes, or other servers, serve the data afterwards.
    pub const fn restarts_servers(self) -> bool {
        match self {
            Self::Kill(_)
            | Self::FailOver(_)
            | Self::CutOff(_)
            | Self::KillMaster { .. }
            | Self::LoseMaster { .. } => true,
            Self::Hang(_) | Self::Flush | Self::Part { .. } | Self::Reshard { .. } => false,
        }
    }

    /// The nodes that cannot reach Redis meanwhile.
    pub const fn keeps_off(self) -> &'static [usize] {
        match self {
            Self::Flush | Self::Reshard { .. } => &[],
            Self::Part { node: 0, .. } => &[0],
            Self::Part { .. } => &[1],
            Self::Kill(_)
            | Self::Hang(_)
            | Self::CutOff(_)
            | Self::FailOver(_)
            | Self::KillMaster { .. }
            | Self::LoseMaster { .. } => &[0, 1],
        }
    }

    /// How long it lasts before it is made good.
    pub const fn time(self) -> Duration {
        match self {
            Self::Kill(time)
            | Self::Hang(time)
            | Self::Part { time, .. }
            | Self::CutOff(time)
            | Self::KillMaster { time, .. } => time,
            Self::Flush | Self::FailOver(_) | Self::LoseMaster { .. } | Self::Reshard { .. } => {
                Duration::ZERO
            }
        }
    }
}
