//! The nodes that share a Redis.

use std::time::Duration;

use super::Ledger;
use crate::redis::OutOfReach;
use crate::{RegisteredNode, Timestamp};

/// An end waits so long at most for Redis.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Why a node is not struck off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotForgotten {
    /// There is no Redis, so that this is the only node.
    Alone,
    /// No node has this number.
    Unknown,
    /// It runs.
    Runs,
    /// Redis cannot be reached.
    OutOfReach,
}

impl Ledger {
    /// Returns the nodes that share the Redis, by their numbers; `None` where there is no Redis.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn nodes(&self) -> Result<Option<Vec<RegisteredNode>>, OutOfReach> {
        match &self.share {
            None => Ok(None),
            Some(share) => share.registered_nodes().await.map(Some),
        }
    }

    /// Returns the other nodes, and how long this node has been without a fact that each of them published: zero where it
    /// has all of them. Reads memory only. Empty without Redis.
    pub fn replication_lag(&self) -> Vec<(u32, Duration)> {
        self.share
            .as_ref()
            .map_or_else(Vec::new, |share| share.replica().lag())
    }

    /// Returns whether this node is new and does not have the facts yet that the other nodes had when it started. Without
    /// Redis, or while that is out of reach, nobody knows of others.
    pub fn is_catching_up(&self) -> bool {
        let share = self.share.as_ref();
        share.is_some_and(|share| share.replica().is_catching_up(share.store().is_reachable()))
    }

    /// Gives this node's number up and says to the other nodes that it has ended; at most a second. Called when the process
    /// ends: the number would be held for some seconds else.
    pub async fn leave(&self) {
        let Some(presence) = self.presence.clone() else {
            return;
        };
        let left = tokio::task::spawn_blocking(move || presence.end());
        // Without Redis the others find out by themselves.
        let _ = tokio::time::timeout(LEAVE_WITHIN, left).await;
    }

    /// Strikes a node off that will not come back. One that does is on the list again.
    ///
    /// # Errors
    /// The first reason that holds.
    pub async fn forget_node(&self, number: u32, now: Timestamp) -> Result<(), NotForgotten> {
        let share = self.share.as_ref().ok_or(NotForgotten::Alone)?;
        let out_of_reach = |_| NotForgotten::OutOfReach;
        let nodes = share.registered_nodes().await.map_err(out_of_reach)?;
        let known = nodes.iter().find(|known| known.node == number);
        let known = known.ok_or(NotForgotten::Unknown)?;
        if known.is_running(now) {
            return Err(NotForgotten::Runs);
        }
        share.unregister_node(number).await.map_err(out_of_reach)
    }
}
